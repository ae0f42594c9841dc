"""Particular studies, those of the ticket, are where somebody waits for them."""

from __future__ import annotations

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.names import Names, counted, said
from sandbox.checks.same_images import differences
from sandbox.checks.trail import Trail
from sandbox.events.log import current
from sandbox.nodes.department import Department


class StudiesPresent(Check):
    """``studies_present``: every exam that the scenario calls ``exams`` is complete and unchanged at ``at``.

    Waits up to ``within_s`` seconds for what is on its way, since a mended queue needs a moment to drain.
    """

    kind = "studies_present"

    exams: Names
    at: Names
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        return f"Every image that was waited for is at {said(self.at)}."

    def nodes(self) -> tuple[str, ...]:
        return self.at

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        exams = [exam for label in self.exams for exam in memory.labelled(label)]
        since = current().cause or len(department.events)
        trails = [Trail(department, exam.study_uid, exam.sop_instances, since) for exam in exams]
        for trail in trails:
            trail.hurry()
        evidence: list[int] = []
        missing: dict[str, list[NotedExam]] = {}
        for exam, trail in zip(exams, trails, strict=True):
            for place in self.at:
                arrival = trail.follow_to(place, self.within_s)
                evidence.extend(arrival.evidence)
                if not arrival.arrived:
                    missing.setdefault(place, []).append(exam)
                    continue
                changed = self._changed(department, exam, place)
                if changed:
                    sentence = f"{exam.spoken_name}'s exam at {place} is not what was acquired: {changed}."
                    return failed(sentence, tuple(dict.fromkeys(evidence)))
        if missing:
            place, absent = next(iter(missing.items()))
            names = tuple(f"{exam.spoken_name}, {exam.description}, {exam.accession_number}" for exam in absent)
            sentence = f"{counted(len(absent), 'exam')} of {len(exams)} not complete at {place}."
            return failed(sentence, tuple(dict.fromkeys(evidence)), names)
        are = "is" if len(exams) == 1 else "are"
        sentence = f"{counted(len(exams), 'exam')} that {are} waited for: complete at {said(self.at)}."
        return passed(sentence, tuple(dict.fromkeys(evidence)))

    def _changed(self, department: Department, exam: NotedExam, place: str) -> str:
        source = department.node(exam.node).store
        held = [uid for uid in exam.sop_instances if source is not None and source.instance_path(uid) is not None]
        # A modality may have made room meanwhile; what is left to compare with is compared.
        changed = differences(department, exam.node, place, held)
        return changed[0] if changed else ""
