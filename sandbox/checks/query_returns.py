"""A search finds what is there: a C-FIND from a workstation returns the studies somebody asks for, and only those."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydicom.datadict import tag_for_keyword

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.names import Names, counted
from sandbox.model.view import CommandResult
from sandbox.nodes.department import Department


class QueryReturns(Check):
    """``query_returns``: from ``node``, a C-FIND returns each of the scenario's ``exams`` once.

    Asked by accession number, one query for each; or, with ``keys`` (``{ PatientName = "{patient}" }``), in one query
    as the user asks it, which must find all of them and, with ``exactly``, no other study. ``remote`` is the line of
    its AE table that is asked; empty, the archive it is configured for.
    """

    kind = "query_returns"

    node: str
    exams: Names
    remote: str = Field("", max_length=64)
    keys: dict[str, str] = Field(default_factory=dict)
    exactly: bool = False

    @field_validator("keys")
    @classmethod
    def _known(cls, keys: dict[str, str]) -> dict[str, str]:
        for keyword in keys:
            if tag_for_keyword(keyword) is None:
                raise ValueError(f"{keyword!r} is no DICOM keyword")
        return keys

    def claim(self) -> str:
        return f"A search from {self.node} finds the exam that was asked for."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        exams = [exam for label in self.exams for exam in memory.labelled(label)]
        evidence: list[int] = []
        if self.keys:
            wrong = self._wrong(self._ask(department, self.keys, evidence), exams)
            if wrong:
                return failed(wrong, tuple(evidence))
        else:
            for exam in exams:
                answer = self._ask(department, {"AccessionNumber": exam.accession_number}, evidence)
                if not answer.ok:
                    return failed(f"The search from {self.node} did not work: {answer.sentence}", tuple(evidence))
                if len(answer.rows) != 1:
                    found = counted(len(answer.rows), "study", "studies")
                    return failed(f"The search for {exam.accession_number} found {found}.", tuple(evidence))
        return passed(f"The search from {self.node} found what was asked for.", tuple(evidence))

    def _wrong(self, answer: CommandResult, exams: list[NotedExam]) -> str:
        if not answer.ok:
            return f"The search from {self.node} did not work: {answer.sentence}"
        column = answer.columns.index("StudyInstanceUID") if answer.columns else 0
        found = [row[column] for row in answer.rows]
        asked = " and ".join(f"{keyword} {value!r}" for keyword, value in self.keys.items())
        missing = [exam for exam in exams if found.count(exam.study_uid) != 1]
        if missing:
            return (
                f"A search for {asked} found {counted(len(found), 'study', 'studies')}, but not "
                f"{missing[0].spoken_name}'s {missing[0].description} ({missing[0].accession_number})."
            )
        more = len(found) - len(exams)
        if self.exactly and more:
            return f"A search for {asked} found {counted(more, 'study', 'studies')} that nobody asked for."
        return ""

    def _ask(self, department: Department, keys: dict[str, str], evidence: list[int]) -> CommandResult:
        node = department.node(self.node)
        remote = self.remote or str(getattr(node.running, "archive", ""))
        before = len(department.events)
        answer = node.tools.find(remote, "STUDY", keys)
        evidence.extend(
            event.seq
            for event in department.events.since(before)
            if getattr(event.body, "association", "") == answer.association and answer.association
        )
        return answer
