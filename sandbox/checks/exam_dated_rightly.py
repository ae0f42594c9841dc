"""Who searches for today finds it: a new exam has the date and time at which it was made."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from pydicom import dcmread
from pydicom.dataset import Dataset

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.nodes.department import Department


class ExamDatedRightly(Check):
    """``exam_dated_rightly``: a new exam of each ``node`` has the department's date and time as Study Date and Study
    Time (0008,0020 and 0030), give or take ``tolerance_s`` seconds.
    """

    kind = "exam_dated_rightly"

    node: Names
    tolerance_s: float = Field(300.0, gt=0, le=86400)

    def claim(self) -> str:
        return f"New exams from {said(self.node)} have the right date and time."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        for node in self.node:
            now = department.clock.now()
            with probe_exam(department, node, images=1) as (exam, _):
                evidence.append(exam.event)
                made = _study_time(dcmread(exam.objects[0].path, stop_before_pixels=True))
            if made is None:
                return unclear(f"An exam from {node} has no date and time.", tuple(evidence))
            off = (made - now).total_seconds()
            if abs(off) > self.tolerance_s:
                sentence = f"A new exam from {node} is dated {made:%d %b %H:%M}; it was made {now:%d %b %H:%M}."
                return failed(sentence, tuple(evidence))
        return passed(f"New exams from {said(self.node)} are dated rightly.", tuple(evidence))


def _study_time(dataset: Dataset) -> datetime | None:
    try:
        return datetime.strptime(f"{dataset.StudyDate}{str(dataset.StudyTime)[:6]}", "%Y%m%d%H%M%S")
    except (AttributeError, ValueError):
        return None
