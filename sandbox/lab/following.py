"""The log's events by the study they are about, kept up as the log grows: no log is read anew to follow a study.

An event that names no study is found by what it does name: the instance of a C-STORE or of a dead letter, the queue
that was held or could not send, the cause of a request for storage commitment.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from typing import Any

from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.events.log import EventLog

_OF_A_STUDY = (kinds.ExamAcquired, kinds.InstanceStored, kinds.StudyRouted, kinds.QueueSent)
_OF_A_QUEUE = (kinds.QueueFailed, kinds.QueueHeld, kinds.QueueResumed, kinds.QueueRedriven, kinds.QueueDiscarded)


class Following:
    """Every event of one log that is about a study. Thread-safe."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._position = 0
        self._of_study: dict[str, list[Event]] = {}
        self._of_instance: dict[str, list[Event]] = {}
        self._of_queue: dict[tuple[str, str], list[Event]] = {}
        self._of_cause: dict[int, list[str]] = {}
        self._of_transaction: dict[str, list[Event]] = {}
        self._exams: dict[str, Event] = {}

    def exams(self) -> dict[str, Event]:
        """The exam.acquired of each study that was scanned in this lab, oldest first."""
        with self._lock:
            self._read_on()
            return dict(self._exams)

    def events(self, study_uid: str, sop_instances: Collection[str], queues: Iterable[tuple[str, str]]) -> list[Event]:
        """What happened to a study of these instances, in order. ``queues`` (node, destination) it went through too:
        what concerned all that waited in them, from the study's first event on."""
        with self._lock:
            self._read_on()
            found = {event.seq: event for event in self._of_study.get(study_uid, ())}
            for one in sop_instances:
                for event in self._of_instance.get(one, ()):
                    found[event.seq] = event
            first = min(found, default=None)
            # A study that nothing has happened to was not in anybody's queue.
            if first is not None:
                for queue in queues:
                    found |= {event.seq: event for event in self._of_queue.get(queue, ()) if event.seq > first}
                for cause in [seq for seq in found if seq in self._of_cause]:
                    for transaction in self._of_cause[cause]:
                        found |= {event.seq: event for event in self._of_transaction[transaction]}
        return [found[seq] for seq in sorted(found)]

    def _read_on(self) -> None:
        for event in self._events.since(self._position):
            self._position = event.seq
            self._take(event)

    def _take(self, event: Event) -> None:
        body: Any = event.body
        if isinstance(body, kinds.DimseExchanged):
            if body.exchange.service == "C-STORE":
                self._of_instance.setdefault(body.exchange.sop_instance, []).append(event)
        elif isinstance(body, _OF_A_STUDY):
            self._of_study.setdefault(body.study_uid, []).append(event)
            if isinstance(body, kinds.ExamAcquired):
                self._exams[body.study_uid] = event
        elif isinstance(body, kinds.QueueEntryDied):
            self._of_instance.setdefault(body.sop_instance, []).append(event)
        elif isinstance(body, kinds.QueueFailed) and body.study_uid:
            self._of_study.setdefault(body.study_uid, []).append(event)
        elif isinstance(body, _OF_A_QUEUE):
            self._of_queue.setdefault((event.node, body.destination), []).append(event)
        elif isinstance(body, kinds.ArchiveOperation):
            for study in body.studies:
                self._of_study.setdefault(study, []).append(event)
        elif isinstance(body, kinds.CommitmentRequested | kinds.CommitmentReported):
            self._of_transaction.setdefault(body.transaction_uid, []).append(event)
            if isinstance(body, kinds.CommitmentRequested) and event.cause is not None:
                self._of_cause.setdefault(event.cause, []).append(body.transaction_uid)
