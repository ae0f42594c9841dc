"""First do no harm to images: whatever was acquired is kept where it should be, or is safely on its way there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.archive.archive import Archive
from sandbox.archive.operations.entries import kinds_that_took
from sandbox.archive.operations.operation import Kind
from sandbox.archive.volumes import is_on_disk
from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.checks.trail import MOVES, QUIET_S
from sandbox.events.event import FAULT, PROBE, Event
from sandbox.events.kinds import ExamAcquired, InstanceStored, QueueDiscarded
from sandbox.nodes.department import Department

SETTLE_S = 3.0
"""How long an instance may be between two nodes before it counts as lost."""


REPLACED = frozenset({Kind.EDIT, Kind.MERGE, Kind.MOVE, Kind.SPLIT, Kind.RESTORE, Kind.UNDO})
"""What an archive's operation took out to put it in again, corrected: no loss."""


@dataclass(frozen=True)
class _Exam:
    accession_number: str
    sop_instances: frozenset[str]
    event: int


class NothingLost(Check):
    """``nothing_lost``: every instance acquired since the start lies at ``kept_at`` or waits in a queue, and none was
    discarded.

    Instance by instance, whichever study it is in by now. An image whose file the archive has is not lost, although
    nobody finds it while the index lacks it or its volume is not mounted; one in the bin is, and so is a rejected one
    unless ``may_reject``. What was thrown out of a queue counts as lost even when another copy exists, since somebody
    waits for it at the other end. Exactly once: no store keeps two copies of one instance, and what an operation of the
    archive replaced (edit, merge, move, split) counts as what it is now.
    """

    kind = "nothing_lost"

    kept_at: str = "ARCHIVE"
    may_reject: bool = False

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
            lost = [f"{exam.accession_number}: {counted(len(uids), 'image')} missing" for exam, uids in missing]
            number = len({uid for _, uids in missing for uid in uids})
            evidence = tuple(exam.event for exam, _ in missing if exam.event)
            return failed(f"{counted(number, 'image')} neither archived nor waiting anywhere.", evidence, tuple(lost))
        total = len({uid for exam in exams for uid in exam.sop_instances})
        return passed(f"{counted(len(exams), 'exam')} with {counted(total, 'image')}: all archived or safely waiting.")

    def _start(self, department: Department, memory: Memory) -> int:
        """A reset takes the stores back to the start; what was acquired before it belongs to a world that is gone."""
        resets = department.events.latest(lambda event: event.kind == "lab.reset", limit=1)
        return max(memory.start, resets[0].seq if resets else 0)

    def _exams(self, department: Department, memory: Memory, start: int) -> Iterator[_Exam]:
        known: set[str] = set()
        for noted in memory.exams:
            known.update(noted.sop_instances)
            yield _Exam(noted.accession_number, frozenset(noted.sop_instances), 0)
        made: dict[int, set[str]] = {}
        acquired: list[Event] = []
        for event in department.events.since(start):
            if isinstance(event.body, ExamAcquired) and event.actor != PROBE:
                acquired.append(event)
                made[event.seq] = set()
            elif isinstance(event.body, InstanceStored) and event.cause in made:
                # On the modality's own disk, which is where every image begins.
                made[event.cause].add(event.body.sop_instance)
        for event in acquired:
            body = event.body
            if isinstance(body, ExamAcquired) and (new := made[event.seq] - known):
                yield _Exam(body.accession_number, frozenset(new), event.seq)

    def _missing(self, department: Department, exams: list[_Exam]) -> list[tuple[_Exam, set[str]]]:
        waiting = self._waiting(department)
        archive = department.node(self.kept_at).store
        found: list[tuple[_Exam, set[str]]] = []
        for exam in exams:
            missing = set(exam.sop_instances - waiting)
            if archive is not None:
                missing = {uid for uid in missing if not is_on_disk(archive.bench, uid)}
                missing -= self._replaced(archive, missing)
            if missing:
                found.append((exam, missing))
        return found

    def _replaced(self, archive: Archive, missing: set[str]) -> set[str]:
        fine = REPLACED | {Kind.REJECT} if self.may_reject else REPLACED
        took = kinds_that_took(archive.bench, sorted(missing)) if missing else {}
        return {uid for uid, kind in took.items() if kind in fine}

    def _waiting(self, department: Department) -> frozenset[str]:
        """Instances in any queue, however many destinations each of them waits for."""
        return frozenset(
            entry.sop_instance
            for node in department.nodes.values()
            if node.queue is not None
            for destination in node.queue.destinations()
            for entry in node.queue.entries(destination, limit=100_000)
        )


def _is_discard(event: Event) -> bool:
    return isinstance(event.body, QueueDiscarded) and event.body.entries > 0 and event.actor not in (PROBE, FAULT)
