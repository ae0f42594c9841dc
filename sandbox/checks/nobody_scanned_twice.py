"""First do no harm to people: nobody of the scenario is put on the table again for want of an image that exists."""

from __future__ import annotations

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.events.event import PROBE
from sandbox.events.kinds import ExamAcquired
from sandbox.nodes.department import Department


class NobodyScannedTwice(Check):
    """``nobody_scanned_twice``: since the start no patient of the scenario's exams has been scanned again."""

    kind = "nobody_scanned_twice"

    def claim(self) -> str:
        return "Nobody is scanned again for images that are there."

    def nodes(self) -> tuple[str, ...]:
        return ()

    def judge(self, department: Department, memory: Memory) -> Judgement:
        resets = department.events.latest(lambda event: event.kind == "lab.reset", limit=1)
        start = max(memory.start, resets[0].seq if resets else 0)
        names = {exam.patient_id: exam.spoken_name for exam in memory.exams}
        for event in department.events.since(start):
            body = event.body
            if isinstance(body, ExamAcquired) and event.actor != PROBE and body.patient_id in names:
                return failed(f"{names[body.patient_id]} was scanned again on {event.node}.", (event.seq,))
        return passed("Nobody was scanned again.")
