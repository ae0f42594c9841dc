"""Not everything belongs everywhere: an exam that must not turn up at a place does not."""

from __future__ import annotations

from contextlib import ExitStack

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.nodes.department import Department


class ExamKeepsAway(Check):
    """``exam_keeps_away``: a new exam of each ``node`` reaches every ``reaches``, and never ``place``.

    It catches the fix that sends everything everywhere.
    """

    kind = "exam_keeps_away"

    node: Names
    place: str
    reaches: Names
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        return f"Exams from {said(self.node, 'or')} do not turn up at {self.place}, where nobody reads them."

    def nodes(self) -> tuple[str, ...]:
        return (*self.node, self.place, *self.reaches)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        with ExitStack() as exams:
            trails = [(node, exams.enter_context(probe_exam(department, node, images=1))[1]) for node in self.node]
            for node, trail in trails:
                arrivals = [(reached, trail.follow_to(reached, self.within_s)) for reached in self.reaches]
                trail.settle(self.within_s)
                evidence.extend(trail.events())
                if trail.at(self.place):
                    sentence = f"A new exam from {node} turned up at {self.place}, where it has no business."
                    return failed(sentence, tuple(evidence))
                for reached, arrival in arrivals:
                    if not arrival.arrived:
                        return unclear(f"A new exam from {node} did not even reach {reached}.", tuple(evidence))
                if any(waiting.is_moving for waiting in trail.waiting()):
                    return unclear(f"The new exam from {node} had not come to rest in time.", tuple(evidence))
        return passed(f"New exams from {said(self.node)} keep away from {self.place}.", tuple(evidence))
