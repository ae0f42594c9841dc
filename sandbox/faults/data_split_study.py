"""One exam in two studies: a scanner that takes a new Study Instance UID in the middle of it."""

from __future__ import annotations

from pydantic import Field

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import SplitStudy


class DataSplitStudy(OnModality):
    """``data.split_study``: of an exam on ``node`` all images after the first ``after`` are in another study.

    Seen from outside: ``findscu`` by the accession number finds two studies; a retrieve of one brings half the exam.
    Mended by ``node.service_call`` about ``uids``, after which exams are whole again.
    """

    kind = "data.split_study"
    symptoms = (
        "An exam is not complete: the rest of it stands in a study of its own.",
        "A search by accession number finds two studies.",
    )

    after: int = Field(1, ge=1, le=10000)

    def explanation(self) -> str:
        return (
            f"{self.node} took a new Study Instance UID in the middle of each exam. Nothing was lost, but one exam "
            "stood in two studies, and whoever opened one of them saw half."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "data", "uids", SplitStudy(after=self.after, where=self.where))
