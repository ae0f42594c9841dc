"""One truth: what the archive answers about a study is what its images say when they leave the house."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from pydicom import dcmread

from sandbox.archive.accidents import forget_entries
from sandbox.archive.operations.export import Export
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.names import Names, counted
from sandbox.checks.trail import Trail
from sandbox.events.log import current
from sandbox.nodes.department import Department

COMPARED = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyDate", "StudyDescription")
"""Attributes that a C-FIND answers and a header says."""


class SameOnExport(Check):
    """``same_on_export``: each of ``exams``, exported from ``archive`` as for a CD, says what a C-FIND from ``node``
    is answered.

    ``values`` are what both must say ("PatientName" = "..."), so that being wrong alike is not enough. What is on its
    way to the archive is waited for, ``within_s`` seconds at most.
    """

    kind = "same_on_export"

    exams: Names
    node: str
    archive: str = "ARCHIVE"
    values: dict[str, str] = Field(default_factory=dict)
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        return f"What {self.archive} tells about the exam is what its images say on a CD."

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.archive)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        exams = [exam for label in self.exams for exam in memory.labelled(label)]
        evidence: list[int] = []
        since = current().cause or len(department.events)
        trails = [Trail(department, exam.study_uid, exam.sop_instances, since) for exam in exams]
        for trail in trails:
            trail.hurry()
        for exam, trail in zip(exams, trails, strict=True):
            trail.follow_to(self.archive, self.within_s)
            listed = self._listed(department, exam, evidence)
            if listed is None:
                return failed(f"{self.archive} does not find the exam of {exam.spoken_name}.", tuple(evidence))
            for keyword, value in self.values.items():
                if listed.get(keyword, "") != value:
                    sentence = f"{self.archive} says {keyword} {listed.get(keyword, '')!r}; it is {value!r}."
                    return failed(sentence, tuple(evidence))
            headers = self._exported(department, exam)
            if not headers:
                return unclear(f"Nothing was exported for {exam.spoken_name}.", tuple(evidence))
            for keyword, value in listed.items():
                others = {header[keyword] for header in headers} - {value}
                if others:
                    sentence = (
                        f"{self.archive} says {keyword} {value!r} for {exam.accession_number}; "
                        f"on a CD it says {min(others)!r}."
                    )
                    return failed(sentence, tuple(evidence))
        return passed(f"{counted(len(exams), 'exam')} exported: the images say what is listed.", tuple(evidence))

    def _listed(self, department: Department, exam: NotedExam, evidence: list[int]) -> Mapping[str, str] | None:
        """What a search answers; None when it does not find exactly one study."""
        node = department.node(self.node)
        remote = next(
            (line.name for line in node.running.remotes if line.ae_title == self._title(department)),
            str(getattr(node.running, "archive", "")),
        )
        keys = {"StudyInstanceUID": exam.study_uid, **dict.fromkeys((*COMPARED, *self.values), "")}
        before = len(department.events)
        answer = node.tools.find(remote, "STUDY", keys)
        evidence.extend(
            event.seq
            for event in department.events.since(before)
            if answer.association and getattr(event.body, "association", "") == answer.association
        )
        if not answer.ok or len(answer.rows) != 1:
            return None
        row = dict(zip(answer.columns, answer.rows[0], strict=True))
        return {keyword: row[keyword] for keyword in dict.fromkeys((*COMPARED, *self.values))}

    def _title(self, department: Department) -> str:
        return department.node(self.archive).running.ae_title

    def _exported(self, department: Department, exam: NotedExam) -> list[dict[str, str]]:
        store = department.node(self.archive).store
        if store is None:
            return []
        keywords = list(dict.fromkeys((*COMPARED, *self.values)))
        with tempfile.TemporaryDirectory(prefix="pacs-sandbox-export-") as place:
            done = store.operate(
                Export(directory=Path(place), name="probe", study_uid=exam.study_uid, reason="A check"), "probe"
            )
            forget_entries(store.bench, [done.entry])
            files = [path for path in Path(place).rglob("*") if path.is_file() and path.name != "DICOMDIR"]
            headers = [dcmread(path, stop_before_pixels=True, specific_tags=list(keywords)) for path in files]
            return [{keyword: str(header.get(keyword) or "") for keyword in keywords} for header in headers]
