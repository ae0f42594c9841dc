"""First do no harm to images: whatever was acquired is kept where it should be, or is safely on its way there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.checks.trail import MOVES, QUIET_S
from sandbox.events.event import FAULT, PROBE, Event
from sandbox.events.kinds import ExamAcquired, QueueDiscarded
from sandbox.nodes.department import Department

SETTLE_S = 3.0
"""How long an instance may be between two nodes before it counts as lost."""


@dataclass(frozen=True)
class _Exam:
    study_uid: str
    accession_number: str
    instances: int
    event: int


class NothingLost(Check):
    """``nothing_lost``: every instance acquired since the start is at ``kept_at`` or waits in a queue; none discarded.

    Exactly once: an image that was sent again from the modality counts as a duplicate only where it is stored twice,
    which no store does; what was thrown out of a queue counts as lost even when another copy exists, since somebody
    waits for it at the other end.
    """

    kind = "nothing_lost"

    kept_at: str = "ARCHIVE"

    def claim(self) -> str:
        return "No image is lost: everything acquired is archived or safely waiting, and nothing was thrown away."

    def nodes(self) -> tuple[str, ...]:
        return (self.kept_at,)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        start = self._start(department, memory)
        discarded = [event for event in department.events.since(start) if _is_discard(event)]
        if discarded:
            number = sum(event.body.entries for event in discarded if isinstance(event.body, QueueDiscarded))
            evidence = tuple(event.seq for event in discarded)
            node = discarded[-1].node
            return failed(
                f"{counted(number, 'image')} thrown out of a queue of {node}: nobody will get them.", evidence
            )
        exams = list(self._exams(department, memory, start))
        missing = self._missing(department, exams)
        position = len(department.events)
        while missing and department.events.wait_for(lambda e: e.kind in MOVES, after=position, timeout=QUIET_S):
            position = len(department.events)
            missing = self._missing(department, exams)
        if missing:
            lost = [f"{exam.accession_number}: {counted(number, 'image')} missing" for exam, number in missing]
            number = sum(number for _, number in missing)
            evidence = tuple(exam.event for exam, _ in missing if exam.event)
            return failed(f"{counted(number, 'image')} neither archived nor waiting anywhere.", evidence, tuple(lost))
        total = sum(exam.instances for exam in exams)
        return passed(f"{counted(len(exams), 'exam')} with {counted(total, 'image')}: all archived or safely waiting.")

    def _start(self, department: Department, memory: Memory) -> int:
        """A reset takes the stores back to the start; what was acquired before it belongs to a world that is gone."""
        resets = department.events.latest(lambda event: event.kind == "lab.reset", limit=1)
        return max(memory.start, resets[0].seq if resets else 0)

    def _exams(self, department: Department, memory: Memory, start: int) -> Iterator[_Exam]:
        for noted in memory.exams:
            yield _Exam(noted.study_uid, noted.accession_number, len(noted.sop_instances), 0)
        known = {noted.study_uid for noted in memory.exams}
        for event in department.events.since(start):
            body = event.body
            if isinstance(body, ExamAcquired) and event.actor != PROBE and body.study_uid not in known:
                yield _Exam(body.study_uid, body.accession_number, body.instances, event.seq)

    def _missing(self, department: Department, exams: list[_Exam]) -> list[tuple[_Exam, int]]:
        waiting = self._waiting(department)
        archive = department.node(self.kept_at).store
        found: list[tuple[_Exam, int]] = []
        for exam in exams:
            study = archive.study(exam.study_uid) if archive is not None else None
            kept = study.study.instances if study is not None else 0
            if kept < exam.instances and kept + waiting[exam.study_uid] < exam.instances:
                found.append((exam, exam.instances - kept - waiting[exam.study_uid]))
        return found

    def _waiting(self, department: Department) -> Counter[str]:
        """Instances in any queue, each counted once however many destinations it waits for."""
        instances = {
            (entry.study_uid, entry.sop_instance)
            for node in department.nodes.values()
            if node.queue is not None
            for destination in node.queue.destinations()
            for entry in node.queue.entries(destination, limit=100_000)
        }
        return Counter(study for study, _ in instances)


def _is_discard(event: Event) -> bool:
    return isinstance(event.body, QueueDiscarded) and event.body.entries > 0 and event.actor not in (PROBE, FAULT)
