"""A search finds what is there: a C-FIND from a workstation returns the study somebody asks for, and only that."""

from __future__ import annotations

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, counted
from sandbox.nodes.department import Department


class QueryReturns(Check):
    """``query_returns``: from ``node``, a C-FIND by accession number returns each of the scenario's ``exams`` once.

    ``remote`` is the line of its AE table that is asked; empty, the archive it is configured for.
    """

    kind = "query_returns"

    node: str
    exams: Names
    remote: str = Field("", max_length=64)

    def claim(self) -> str:
        return f"A search from {self.node} finds the exam that was asked for."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        node = department.node(self.node)
        remote = self.remote or str(getattr(node.running, "archive", ""))
        evidence: list[int] = []
        for exam in (exam for label in self.exams for exam in memory.labelled(label)):
            before = len(department.events)
            answer = node.tools.find(remote, "STUDY", {"AccessionNumber": exam.accession_number})
            evidence.extend(
                event.seq
                for event in department.events.since(before)
                if getattr(event.body, "association", "") == answer.association and answer.association
            )
            if not answer.ok:
                return failed(f"The search from {self.node} did not work: {answer.sentence}", tuple(evidence))
            if len(answer.rows) != 1:
                sentence = (
                    f"The search for {exam.accession_number} found {counted(len(answer.rows), 'study', 'studies')}."
                )
                return failed(sentence, tuple(evidence))
        return passed(f"The search from {self.node} found what was asked for.", tuple(evidence))
