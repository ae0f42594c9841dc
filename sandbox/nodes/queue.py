"""A node's send queue: one line per destination, kept on disk, emptied by one thread per destination.

What was added is not lost by a kill. Whatever an administrator does to a queue is here, and each act is an event.
Entries keep the event that caused them and the actor, so that what is sent later still tells why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox.events import kinds
from sandbox.events.log import EventLog, current
from sandbox.model.clock import Clock
from sandbox.model.config import RetryPolicy
from sandbox.model.errors import NotFoundError, UnavailableError
from sandbox.model.route import Priority
from sandbox.model.view import QueueEntry, QueueState, QueueView
from sandbox.nodes.queue_rows import QueueRows
from sandbox.nodes.queue_sender import Carrier, Sender, delete_files
from sandbox.nodes.queue_tables import Destination, Entry, QueueItem, Tally

STOP_S = 0.25
"""How long ``stop`` waits for the senders. One that waits for a silent network is left to end by itself."""


class SendQueue:
    """A persistent queue per destination. Thread-safe.

    ``known`` tells the destinations that the node's configuration names; ``retry`` its present policy. ``note`` writes
    a line of the node's log. Nothing is sent before ``start``.
    """

    def __init__(
        self,
        directory: Path,
        *,
        node: str,
        events: EventLog,
        clock: Clock,
        carrier: Carrier,
        retry: Callable[[], RetryPolicy],
        known: Callable[[], Sequence[str]],
        note: Callable[[str, str], None],
    ) -> None:
        self.node = node
        self.events = events
        self.carrier = carrier
        self.retry_policy = retry
        self.note = note
        self.changed = threading.Condition(threading.RLock())
        self.rows = QueueRows(directory / "queue.sqlite", directory)
        self.held = {name for name, kept in self.rows.destinations().items() if kept.held_since is not None}
        self._clock = clock
        self._known = known
        self._senders: dict[str, Sender] = {}
        self._ending: list[Sender] = []
        self._started = False
        self.is_closed = False

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Send what waits."""
        with self.changed:
            self._started = True
            for destination in self.rows.tallies():
                self._sender(destination)

    def stop(self) -> None:
        """Stop sending. The entry under way stays in the queue unless its success was heard."""
        self.halt()
        deadline = time.monotonic() + STOP_S
        while self._ending:
            self._ending.pop().join(max(0.0, deadline - time.monotonic()))

    def halt(self) -> None:
        """Tell every sender to end, without waiting: what breaks off from now on is nobody's failure."""
        with self.changed:
            self._started = False
            for sender in self._senders.values():
                sender.stop()
            self._ending += self._senders.values()
            self._senders.clear()
            self.changed.notify_all()

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        with self.changed:
            self.is_closed = True
            self.rows.close()

    # --- adding ------------------------------------------------------------------------------------------------------

    def add(self, items: Sequence[QueueItem], routes: Mapping[str, int], *, dead_because: str = "") -> None:
        """Queue items for the destinations of ``routes`` (with their priorities); durable on return.

        With ``dead_because`` they are set aside at once, for that reason. Cause and actor are those of the thread.
        """
        context = current()
        with self.changed:
            if self.is_closed:
                raise UnavailableError(f"The queue of {self.node} is closed.", "Start the lab again.")
            self.rows.add(
                items,
                routes,
                added=self._clock.now(),
                cause=context.cause,
                actor=context.actor,
                dead_because=dead_because,
            )
            if self._started and not dead_because:
                for destination in routes:
                    self._sender(destination)
            self.changed.notify_all()

    # --- what an administrator does ----------------------------------------------------------------------------------

    def hold(self, destination: str, reason: str = "") -> None:
        """Suspend a destination: entries gather and wait. The object under way is finished."""
        with self.changed:
            self._check(destination)
            self.rows.hold(destination, self._clock.now(), reason)
            self.held.add(destination)
            self._tell(kinds.QueueHeld(destination=destination, reason=reason))
            self.note("warning", f"Queue {destination} held" + (f": {reason}" if reason else ""))
            self.changed.notify_all()

    def resume(self, destination: str) -> None:
        """Let a held destination go on, at once."""
        with self.changed:
            self._check(destination)
            self.rows.hold(destination, None, "")
            self.held.discard(destination)
            self._tell(kinds.QueueResumed(destination=destination))
            self.note("info", f"Queue {destination} resumed")
            self._hurry(destination)

    def retry(self, destination: str) -> int:
        """Try again now instead of when the next attempt is due. Returns how many entries wait."""
        with self.changed:
            self._check(destination)
            waiting = self.rows.make_due(destination)
            self._hurry(destination)
        return waiting

    def redrive(self, destination: str) -> int:
        """Put the dead letters of a destination back in line, from their first attempt. Returns how many."""
        with self.changed:
            self._check(destination)
            entries = self.revive(destination)
            self._tell(kinds.QueueRedriven(destination=destination, entries=entries))
            self.note("info", f"Queue {destination}: {entries} dead letters put back")
            self._hurry(destination)
        return entries

    def revive(self, destination: str) -> int:
        """How a redrive is carried out; a router decides anew where objects without a rule go."""
        return self.rows.redrive(destination)

    def discard(self, destination: str, entry: int | None = None, reason: str = "") -> int:
        """Delete one entry of a destination, or all of them with the dead letters. Returns how many."""
        with self.changed:
            self._check(destination)
            entries, files = self.rows.remove(destination, entry)
            if entry is not None and not entries:
                raise NotFoundError(f"Queue {destination} has no entry {entry}.", "It may have been sent meanwhile.")
            self._tell(kinds.QueueDiscarded(destination=destination, entries=entries, reason=reason))
            self.note(
                "warning", f"Queue {destination}: {entries} entries discarded" + (f": {reason}" if reason else "")
            )
            self.changed.notify_all()
        delete_files(files)
        return entries

    def promote(self, destination: str, study_uid: str) -> int:
        """Let a study go before all that is less urgent, from now on. Returns how many entries."""
        with self.changed:
            self._check(destination)
            entries = self.rows.promote(destination, study_uid, int(Priority.STAT))
            if not entries:
                raise NotFoundError(
                    f"Nothing of that study waits for {destination}.", "It may have been sent meanwhile."
                )
            self.note("info", f"Queue {destination}: {entries} entries of study {study_uid} go first now")
            self._hurry(destination)
        return entries

    def set_aside(self, destination: str, study_uid: str, reason: str = "") -> int:
        """Put what waits of a study with the dead letters, so that the others go on. Returns how many entries."""
        with self.changed:
            self._check(destination)
            waiting = self.rows.entries_of(study_uid)
            chosen = [entry for entry in waiting if entry.destination == destination and not entry.dead]
            if not chosen:
                raise NotFoundError(
                    f"Nothing of that study waits for {destination}.", "It may have been sent meanwhile."
                )
            why = f"Set aside by hand{f': {reason}' if reason else ''}"
            self.rows.bury([entry.id for entry in chosen], why)
            for entry in chosen:
                sop_instance = entry.item.object.sop_instance
                self._tell(kinds.QueueEntryDied(destination=destination, sop_instance=sop_instance, reason=why))
            self.note("warning", f"Queue {destination}: {len(chosen)} entries set aside: {why}")
            self._hurry(destination)
        return len(chosen)

    def reroute(self, entry: Entry, routes: Mapping[str, int]) -> None:
        """Replace an entry by entries for other destinations, in one step. Cause and actor are those of the thread."""
        context = current()
        with self.changed:
            self.rows.reroute(entry, routes, cause=context.cause, actor=context.actor)
            if self._started:
                for destination in routes:
                    self._sender(destination)
            self.changed.notify_all()

    def forget_study(self, study_uid: str) -> None:
        """Delete every entry of a study without a word."""
        with self.changed:
            files = self.rows.remove_study(study_uid)
            self.changed.notify_all()
        delete_files(files)

    # --- looking -----------------------------------------------------------------------------------------------------

    def destinations(self) -> tuple[str, ...]:
        """What the configuration names, then what else there are entries for."""
        with self.changed:
            return tuple(dict.fromkeys([*self._known(), *self.rows.destinations(), *self.rows.tallies()]))

    def entries(self, destination: str, limit: int = 1000) -> tuple[QueueEntry, ...]:
        """The entries of a destination in the order in which they go, dead letters last."""
        with self.changed:
            self._check(destination)
            return tuple(_entry_view(entry) for entry in self.rows.entries(destination, limit))

    def views(self) -> tuple[QueueView, ...]:
        """Every destination at a glance."""
        with self.changed:
            tallies, kept = self.rows.tallies(), self.rows.destinations()
            return tuple(
                self._view(name, tallies.get(name, Tally()), kept.get(name, Destination(name)))
                for name in dict.fromkeys([*self._known(), *kept, *tallies])
            )

    def entries_of(self, study_uid: str) -> tuple[QueueEntry, ...]:
        """The entries of a study for all destinations, dead letters last."""
        with self.changed:
            return tuple(_entry_view(entry) for entry in self.rows.entries_of(study_uid))

    def waiting_studies(self) -> set[str]:
        """Studies of which something waits or is set aside."""
        with self.changed:
            return self.rows.studies()

    def is_empty(self) -> bool:
        """Whether nothing waits; dead letters do not count."""
        with self.changed:
            return not any(tally.waiting for tally in self.rows.tallies().values())

    # --- inside ------------------------------------------------------------------------------------------------------

    def _view(self, name: str, tally: Tally, kept: Destination) -> QueueView:
        sender = self._senders.get(name)
        due_in = None if sender is None or not tally.waiting else max(sender.retry_at, tally.next_due) - time.time()
        if kept.held_since is not None:
            state, due_in = QueueState.HELD, None
        elif sender is not None and sender.is_sending:
            state, due_in = QueueState.SENDING, None
        elif tally.waiting:
            state = QueueState.WAITING
        else:
            state = QueueState.IDLE
        return QueueView(
            destination=name,
            state=state,
            waiting=tally.waiting,
            dead=tally.dead,
            sent=kept.sent,
            oldest_s=0.0 if tally.oldest is None else max(0.0, (self._clock.now() - tally.oldest).total_seconds()),
            last_error="" if sender is None else sender.last_error,
            retry_in_s=None if due_in is None else round(max(0.0, due_in), 1),
            held_since=kept.held_since,
            held_reason=kept.held_reason,
        )

    def _check(self, destination: str) -> None:
        known = self.destinations()
        if destination not in known:
            raise NotFoundError(f"{self.node} has no queue {destination!r}.", f"It has: {', '.join(known) or 'none'}.")

    def _sender(self, destination: str) -> Sender:
        if destination not in self._senders:
            self._senders[destination] = Sender(self, destination)
            self._senders[destination].start()
        return self._senders[destination]

    def _hurry(self, destination: str) -> None:
        if self._started:
            self._sender(destination).hurry()
        self.changed.notify_all()

    def _tell(self, body: kinds.Body) -> None:
        self.events.append(body, node=self.node)


def _entry_view(entry: Entry) -> QueueEntry:
    return QueueEntry(
        id=entry.id,
        destination=entry.destination,
        study_uid=entry.item.study_uid,
        sop_instance=entry.item.object.sop_instance,
        patient_name=entry.item.patient_name,
        accession_number=entry.item.accession_number,
        description=entry.item.description,
        priority=entry.priority,
        attempts=entry.attempts,
        added=entry.added,
        dead=entry.dead,
        last_error=entry.last_error,
    )
