"""The thread that empties one destination's line of a send queue, and what it needs to do so.

It sleeps on the queue's condition and wakes when something was added, released or is due; idle it costs nothing.
Consecutive entries of the same cause go over one association, which waits a moment for more. A refused object is
counted against itself and steps aside, unless the order is kept (``RetryPolicy.in_order``); an association that does
not come about is counted against everything that would have gone over it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sandbox.dicom.contract import StoredObject
from sandbox.events import kinds
from sandbox.events.log import because
from sandbox.model.config import RetryPolicy
from sandbox.nodes.queue_tables import Entry

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from sandbox.nodes.queue import SendQueue

LINGER_S = 0.2
"""How long an association stays open when nothing is left to send. Whoever sends a study to this node is still sending
it, an image at a time, and the study is to go over one association."""

SYNTAXES = 128
"""An association has at most 128 presentation contexts (odd ids up to 255, PS3.8 9.3.2.2)."""


@dataclass(frozen=True)
class Outcome:
    """What came of sending one object. ``lost`` means that the association is gone with it."""

    ok: bool
    reason: str = ""
    lost: bool = False


class Delivery(Protocol):
    """An open association to one destination."""

    def takes(self, item: StoredObject) -> bool:
        """Whether this association was opened with such objects in mind; if not, another is opened."""
        ...

    def send(self, item: StoredObject) -> Outcome: ...
    def close(self) -> None: ...
    def abort(self) -> None:
        """End it at once, from any thread."""
        ...


class Carrier(Protocol):
    """Opens deliveries for a queue."""

    def open(self, destination: str, syntaxes: Sequence[tuple[str, str]]) -> Delivery | str:
        """An association for objects of these (SOP class, transfer syntax) pairs, or why there is none."""
        ...


class Sender(threading.Thread):
    """Empties one destination's line. Everything it keeps in memory is guarded by the queue's condition."""

    def __init__(self, queue: SendQueue, destination: str) -> None:
        super().__init__(name=f"{queue.node}-to-{destination}", daemon=True)
        self._queue = queue
        self._destination = destination
        self._stopping = False
        self._failures = 0
        self._delivery: Delivery | None = None
        self.retry_at = 0.0
        self.last_error = ""
        self.is_sending = False

    def stop(self) -> None:
        """End soon; an association under way is aborted. Called with the queue's condition held."""
        self._stopping = True
        if self._delivery is not None:
            self._delivery.abort()

    def hurry(self) -> None:
        """Forget the present wait. Called with the queue's condition held."""
        self.retry_at = 0.0
        self._failures = 0

    def run(self) -> None:
        while not self._stopping:
            try:
                entry = self._wait_for_work()
                if entry is not None:
                    with because(entry.cause, entry.actor):
                        self._send_from(entry)
            except Exception as wrong:
                log.exception("The queue %s of %s stumbled", self._destination, self._queue.node)
                self._stumbled(wrong)

    # --- one association ---------------------------------------------------------------------------------------------

    def _send_from(self, first: Entry) -> None:
        """Open an association for ``first`` and send over it for as long as what comes next belongs to it."""
        queue = self._queue
        with queue.changed:
            if self._next_like(first) is None:
                return
            syntaxes = queue.rows.syntaxes(first, SYNTAXES)
            self.is_sending = True
        try:
            opened = queue.carrier.open(self._destination, syntaxes)
            if isinstance(opened, str):
                self._not_opened(first, opened)
                return
            with queue.changed:
                self._delivery = opened
                if self._stopping:
                    opened.abort()
            try:
                # Asked anew: while the association was opened, the line may have been held or the entry discarded.
                while (entry := self._next_like(first, LINGER_S)) is not None and opened.takes(entry.item.object):
                    if not self._send(opened, entry):
                        break
            finally:
                opened.close()
        finally:
            with queue.changed:
                self._delivery = None
                self.is_sending = False

    def _send(self, delivery: Delivery, entry: Entry) -> bool:
        """Send one object and write down what came of it. False when the association is gone."""
        if not entry.item.object.path.exists():
            self._file_is_gone(entry)
            return True
        outcome = delivery.send(entry.item.object)
        queue = self._queue
        if outcome.ok:
            with queue.changed:
                # Also when stopping: what was heard to have arrived must not go a second time.
                if queue.is_closed:
                    return False
                delete_files(queue.rows.sent(entry))
                self.last_error, self._failures, self.retry_at = "", 0, 0.0
                self._tell(
                    kinds.QueueSent(
                        destination=self._destination,
                        study_uid=entry.item.study_uid,
                        sop_instance=entry.item.object.sop_instance,
                    )
                )
            return True
        with queue.changed:
            if self._stopping:
                return False
            return self._refused(entry, outcome)

    # --- what went wrong (the queue's condition is held) -------------------------------------------------------------

    def _refused(self, entry: Entry, outcome: Outcome) -> bool:
        """One object failed: it is tried again later. Whether the others go on over this association."""
        policy = self._queue.retry_policy()
        wait = _wait(policy, entry.attempts + 1)
        due = time.time() + wait
        attempts = self._queue.rows.failed(entry, outcome.reason, due)
        if not attempts:
            return not outcome.lost
        self.last_error = outcome.reason
        if outcome.lost:
            self._failures += 1
            self.retry_at = time.time() + _wait(policy, self._failures)
        if attempts >= policy.attempts:
            self._bury([entry], outcome.reason)
            return not outcome.lost
        if policy.in_order:
            # It is due when the line is, and is the first of it then.
            self.retry_at = due
        blocks = outcome.lost or policy.in_order
        self._failed(attempts, outcome.reason, wait, "" if blocks else entry.item.study_uid)
        return not blocks

    def _not_opened(self, first: Entry, reason: str) -> None:
        """No association: an attempt of everything that would have gone over it."""
        queue = self._queue
        with queue.changed:
            if self._stopping:
                return
            policy = queue.retry_policy()
            self._failures += 1
            wait = _wait(policy, self._failures)
            self.retry_at = time.time() + wait
            self.last_error = reason
            exhausted = queue.rows.failed_batch(first, reason, policy.attempts)
            self._bury(exhausted, reason)
            self._failed(self._failures, reason, wait)

    def _file_is_gone(self, entry: Entry) -> None:
        queue = self._queue
        with queue.changed:
            if not self._stopping and queue.rows.exists(entry.id):
                self._bury([entry], "The file is no longer on this node's disk.")

    def _stumbled(self, wrong: Exception) -> None:
        """It failed on this side, with a full disk or no descriptors left: say so, and go on after the usual wait."""
        queue = self._queue
        with queue.changed:
            if self._stopping:
                return
            self._failures += 1
            wait = _wait(queue.retry_policy(), self._failures)
            self.retry_at = time.time() + wait
            self.last_error = f"This node cannot work on its queue: {wrong}"
            # What has no room on the disk may not find room in the log either.
            with suppress(OSError):
                queue.note("error", f"Queue {self._destination}: {self.last_error}; next attempt in {wait:g} s")
            queue.changed.wait_for(lambda: self._stopping or time.time() >= self.retry_at, wait)

    def _bury(self, entries: Sequence[Entry], reason: str) -> None:
        if not entries:
            return
        self._queue.rows.bury([entry.id for entry in entries], reason)
        for entry in entries:
            with because(entry.cause, entry.actor):
                self._tell(
                    kinds.QueueEntryDied(
                        destination=self._destination, sop_instance=entry.item.object.sop_instance, reason=reason
                    )
                )
        self._queue.note("error", f"Queue {self._destination}: {len(entries)} entries set aside: {reason}")

    def _failed(self, attempt: int, reason: str, wait: float, study_uid: str = "") -> None:
        tally = self._queue.rows.tallies().get(self._destination)
        waiting = 0 if tally is None else tally.waiting
        self._tell(
            kinds.QueueFailed(
                destination=self._destination,
                waiting=waiting,
                attempt=attempt,
                reason=reason,
                retry_in_s=round(wait, 1),
                study_uid=study_uid,
            )
        )
        self._queue.note(
            "warning",
            f"Queue {self._destination}: {reason} {waiting} waiting, attempt {attempt}, next in {wait:g} s",
        )

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait_for_work(self) -> Entry | None:
        """The next entry that may go, waiting for it. None when this sender shall end."""
        queue = self._queue
        with queue.changed:
            while not self._stopping:
                wait_s: float | None = None
                if not self._is_held():
                    now = time.time()
                    if self.retry_at <= now:
                        entry = self._head(now)
                        if entry is not None:
                            return entry
                    due = self._due()
                    if due is not None:
                        wait_s = max(0.0, max(due, self.retry_at) - now)
                queue.changed.wait(wait_s)
        return None

    def _next_like(self, first: Entry, wait_s: float = 0.0) -> Entry | None:
        """The next entry if it belongs on the association of ``first``, waiting a moment for one."""
        queue = self._queue
        found: Entry | None = None

        def is_settled() -> bool:
            nonlocal found
            if self._stopping or self._is_held():
                found = None
                return True
            found = self._head(time.time())
            return found is not None

        with queue.changed:
            queue.changed.wait_for(is_settled, wait_s)
        if found is None or (found.cause, found.actor) != (first.cause, first.actor):
            return None
        return found

    def _head(self, now: float) -> Entry | None:
        """The entry that may go at ``now``. Where the order is kept, nothing goes past one that is not due yet."""
        if not self._queue.retry_policy().in_order:
            return self._queue.rows.head(self._destination, now)
        first = self._queue.rows.head(self._destination, math.inf)
        return first if first is not None and first.due <= now else None

    def _due(self) -> float | None:
        """When the first that may go is due; None when nothing waits."""
        if not self._queue.retry_policy().in_order:
            return self._queue.rows.next_due(self._destination)
        first = self._queue.rows.head(self._destination, math.inf)
        return None if first is None else first.due

    def _is_held(self) -> bool:
        return self._destination in self._queue.held

    def _tell(self, body: kinds.Body) -> None:
        self._queue.events.append(body, node=self._queue.node)


def delete_files(files: Sequence[Path]) -> None:
    """Delete files that nobody needs any more. One that is already gone is no matter."""
    for file in files:
        with suppress(OSError):
            file.unlink()


def _wait(policy: RetryPolicy, failures: int) -> float:
    # The exponent is bounded, since a factor of 10 overflows a float long before an administrator gives up.
    return float(min(policy.maximum_s, policy.first_s * policy.factor ** min(failures - 1, 60)))
