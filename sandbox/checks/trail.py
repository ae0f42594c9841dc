"""Where the instances of one study are: in which stores, in which queues, and whether they are still on their way.

Checks follow a study by it, from the event log and the stores, and stop as soon as the outcome is certain.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from sandbox.events.event import Event
from sandbox.events.kinds import AssociationAborted, AssociationAccepted, AssociationRejected, AssociationReleased
from sandbox.model.association import Side
from sandbox.model.view import QueueState
from sandbox.nodes.department import Department

QUIET_S = 0.15
"""A study that nothing has happened to for so long, and that waits nowhere, is going nowhere."""

MOVES = frozenset(
    {
        "instance.stored",
        "study.routed",
        "queue.sent",
        "queue.failed",
        "queue.entry.died",
        "queue.held",
        "queue.resumed",
        "queue.discarded",
        "node.started",
        "node.stopped",
    }
)
"""Events after which it is worth looking again."""


ENDS = frozenset({"association.released", "association.aborted"})
"""Events after which nothing more comes over an association."""

STEPS = frozenset({"exam.acquired", "study.routed", "instance.stored"})
"""Events that tell a study's way."""


@dataclass(frozen=True)
class Waiting:
    """Instances of the study that wait on ``node`` for ``destination``."""

    node: str
    destination: str
    state: QueueState
    sop_instances: tuple[str, ...]
    dead: bool = False

    @property
    def is_moving(self) -> bool:
        """Whether the queue itself will try to send them."""
        return not self.dead and self.state is not QueueState.HELD


@dataclass(frozen=True)
class Arrival:
    """How following a study to a node ended. ``missing`` instances are not there; ``reached`` are nodes with any."""

    arrived: bool
    seconds: float
    missing: tuple[str, ...]
    reached: tuple[str, ...]
    evidence: tuple[int, ...]
    is_certain: bool = True


class Trail:
    """One study in one department. ``since`` is the event from which failures count as evidence."""

    def __init__(self, department: Department, study_uid: str, sop_instances: Collection[str], since: int) -> None:
        self.department = department
        self.study_uid = study_uid
        self.sop_instances = frozenset(sop_instances)
        self.since = since

    # --- looking -----------------------------------------------------------------------------------------------------

    def at(self, node: str) -> frozenset[str]:
        """The instances of the study that are in the node's own store."""
        store = self.department.node(node).store
        study = store.study(self.study_uid) if store is not None else None
        if study is None:
            return frozenset()
        return frozenset(instance.sop_instance for series in study.series for instance in series.instances)

    def waiting(self) -> tuple[Waiting, ...]:
        """What waits or is set aside anywhere."""
        found: list[Waiting] = []
        for node in self.department.nodes.values():
            entries = node.queue.entries_of(self.study_uid) if node.queue is not None else ()
            if not entries or node.queue is None:
                continue
            here: dict[tuple[str, bool], list[str]] = {}
            for entry in entries:
                here.setdefault((entry.destination, entry.dead), []).append(entry.sop_instance)
            states = {view.destination: view.state for view in node.queue.views()}
            found += [
                # What was sent between the two looks is looked at again by whoever waits for it.
                Waiting(node.name, destination, states.get(destination, QueueState.IDLE), tuple(instances), dead)
                for (destination, dead), instances in here.items()
            ]
        return tuple(found)

    def reached(self) -> tuple[str, ...]:
        """The nodes that ever stored an instance of it, in the order in which they did."""
        stored = (event for event in self.department.events.since() if event.kind == "instance.stored")
        return tuple(dict.fromkeys(event.node for event in stored if _is_about(event, self.study_uid)))

    def events(self) -> tuple[int, ...]:
        """The events that tell the study's way: acquired, routed, first stored on each node."""
        seen: set[tuple[str, str]] = set()
        numbers: list[int] = []
        for event in self.department.events.since():
            if event.kind not in STEPS or not _is_about(event, self.study_uid) or (event.kind, event.node) in seen:
                continue
            seen.add((event.kind, event.node))
            numbers.append(event.seq)
        return tuple(numbers)

    # --- following ---------------------------------------------------------------------------------------------------

    def follow_to(self, node: str, within_s: float) -> Arrival:
        """Wait until every instance is at ``node``, until it is certain that they will not be, or ``within_s``."""
        began = time.monotonic()
        events = self.department.events
        position, was_stuck = len(events), False
        while True:
            missing = self.sop_instances - self.at(node)
            if not missing:
                return self._arrival(True, began, missing, ())
            failures = self.failing()
            stuck = failures is not None and bool(self.sop_instances - self.at(node))
            if stuck and (was_stuck or failures):
                return self._arrival(False, began, missing, failures or ())
            left = within_s - (time.monotonic() - began)
            if left <= 0:
                return self._arrival(False, began, missing, self._failures(), is_certain=False)
            moved = events.wait_for(self._may_matter, after=position, timeout=min(left, QUIET_S))
            was_stuck = stuck and moved is None
            position = len(events) if moved is None else moved.seq

    def settle(self, within_s: float) -> None:
        """Wait until nothing of the study moves any more: all delivered, held, set aside or failing, and nobody at work
        on what was given up."""
        deadline = time.monotonic() + within_s
        events = self.department.events
        position = len(events)
        while (left := deadline - time.monotonic()) > 0 and self.failing() is None:
            moved = events.wait_for(self._may_matter, after=position, timeout=min(left, QUIET_S))
            position = len(events) if moved is None else moved.seq
        while (left := deadline - time.monotonic()) > 0:
            position = len(events)
            if not self._given_up():
                return
            events.wait_for(lambda event: event.kind in ENDS, after=position, timeout=left)

    def _given_up(self) -> frozenset[str]:
        """Associations that their caller aborted and at whose other end somebody still works: what was under way there
        is stored all the same, later."""
        called: set[str] = set()
        aborted: set[str] = set()
        ended: set[str] = set()
        for event in self.department.events.since(self.since):
            body = event.body
            if isinstance(body, AssociationAccepted) and body.facts.side is Side.ACCEPTOR:
                called.add(body.facts.id)
            elif isinstance(body, AssociationAborted | AssociationReleased):
                if body.facts.side is Side.ACCEPTOR:
                    ended.add(body.facts.id)
                elif isinstance(body, AssociationAborted):
                    aborted.add(body.facts.id)
        return frozenset((called & aborted) - ended)

    def failing(self) -> tuple[int, ...] | None:
        """None while something is on its way; otherwise the events by which it is certain that it is not."""
        moving = [waiting for waiting in self.waiting() if waiting.is_moving]
        evidence: list[int] = []
        for waiting in moving:
            failed = self._certain_failure(waiting)
            if not failed:
                return None
            evidence.extend(failed)
        return tuple(evidence)

    def hurry(self) -> None:
        """Have queues that wait for their next attempt try now, as an impatient administrator would."""
        for waiting in self.waiting():
            queue = self.department.node(waiting.node).queue
            if queue is not None and waiting.is_moving and not self._failed_at(waiting):
                queue.retry(waiting.destination)

    def _may_matter(self, event: Event) -> bool:
        """Other studies' images come and go beside this one and are no reason to look again."""
        return event.kind in MOVES and getattr(event.body, "study_uid", "") in ("", self.study_uid)

    def _certain_failure(self, waiting: Waiting) -> tuple[int, ...]:
        """A rejection is an answer, and the same call gets the same answer. What else failed is tried a second time."""
        failures = self._failed_at(waiting)
        rejections = [
            event.seq
            for event in self.department.events.since(self.since)
            if event.node == waiting.node
            and isinstance(event.body, AssociationRejected)
            and event.body.facts.side is Side.REQUESTOR
            and event.body.rejection.result == 1
        ]
        if failures and rejections:
            return (rejections[-1], failures[-1])
        return (failures[-1],) if len(failures) >= 2 else ()

    def _failed_at(self, waiting: Waiting) -> list[int]:
        return [
            event.seq
            for event in self.department.events.since(self.since)
            if event.kind == "queue.failed"
            and event.node == waiting.node
            and getattr(event.body, "destination", "") == waiting.destination
            # An object of another study that was refused has stepped aside, and says nothing of this one.
            and getattr(event.body, "study_uid", "") in ("", self.study_uid)
        ]

    def _failures(self) -> tuple[int, ...]:
        return tuple(seq for waiting in self.waiting() for seq in self._failed_at(waiting)[-1:])

    def _arrival(
        self,
        arrived: bool,
        began: float,
        missing: Collection[str],
        failures: tuple[int, ...],
        *,
        is_certain: bool = True,
    ) -> Arrival:
        seconds = time.monotonic() - began
        evidence = (*self.events(), *failures)
        return Arrival(arrived, seconds, tuple(sorted(missing)), self.reached(), evidence, is_certain)


def _is_about(event: Event, study_uid: str) -> bool:
    return getattr(event.body, "study_uid", "") == study_uid
