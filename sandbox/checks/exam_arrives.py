"""The user's own test: scan somebody, and see whether the images come up where they are needed."""

from __future__ import annotations

from contextlib import ExitStack

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, counted, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.checks.same_images import differences
from sandbox.checks.trail import Arrival, Trail
from sandbox.nodes.department import Department


class ExamArrives(Check):
    """``exam_arrives``: a new exam of each ``node`` is complete and unchanged at every ``at`` within ``within_s``.

    Sent by the modality's own configuration, over whatever route the department has. All instances are there, no
    others are, patient, accession number and pixels are the same. As an invariant it says that other rooms still work.
    """

    kind = "exam_arrives"

    node: Names
    at: Names
    within_s: float = Field(20.0, gt=0, le=300)
    images: int = Field(2, ge=1, le=50)
    procedure: str = ""

    def claim(self) -> str:
        return (
            f"A new exam from {said(self.node, 'or')} arrives complete at {said(self.at)} within {self.within_s:g} s."
        )

    def nodes(self) -> tuple[str, ...]:
        return (*self.node, *self.at)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        slowest = 0.0
        with ExitStack() as exams:
            # All are sent at once and then followed one by one.
            trails = [
                (
                    node,
                    exams.enter_context(probe_exam(department, node, images=self.images, procedure=self.procedure))[1],
                )
                for node in self.node
            ]
            for node, trail in trails:
                for place in self.at:
                    arrival = trail.follow_to(place, self.within_s)
                    evidence.extend(arrival.evidence)
                    slowest = max(slowest, arrival.seconds)
                    wrong = self._wrong(department, node, place, trail, arrival)
                    if wrong:
                        return failed(wrong, tuple(evidence), _facts(arrival))
        where = f"{said(self.at)} within {max(slowest, 0.1):.1f} s"
        what = "A new exam from {} was" if len(self.node) == 1 else "New exams from {} were"
        return passed(f"{what.format(said(self.node))} complete at {where}.", tuple(dict.fromkeys(evidence)))

    def _wrong(self, department: Department, node: str, place: str, trail: Trail, arrival: Arrival) -> str:
        if not arrival.arrived:
            there = len(trail.sop_instances) - len(arrival.missing)
            if there:
                return f"Of a new exam from {node} only {there} of {len(trail.sop_instances)} images came to {place}."
            how = "does not arrive" if arrival.is_certain else f"had not arrived after {self.within_s:g} s"
            return f"A new exam from {node} {how} at {place}."
        more = trail.at(place) - trail.sop_instances
        if more:
            return f"At {place} the new exam from {node} has {counted(len(more), 'image')} that {node} never made."
        changed = differences(department, node, place, sorted(trail.sop_instances))
        return f"What {place} got from {node} is not what was acquired: {changed[0]}." if changed else ""


def _facts(arrival: Arrival) -> tuple[str, ...]:
    return (f"It got as far as {said(arrival.reached)}.",) if arrival.reached else ()
