"""Two people in one study: a scanner that uses the Study Instance UID of the exam before."""

from __future__ import annotations

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import SharedStudy


class DataSharedStudy(OnModality):
    """``data.shared_study``: what ``node`` acquires carries the Study Instance UID of the exam before it.

    The archive takes the patient of a study from its first image. Seen from outside: ``findscu`` at STUDY level finds
    one study where there were two exams; ``findscu`` by the second patient's ID finds nothing. Mended by
    ``node.service_call`` about ``uids``; what was archived meanwhile by ``archive.split`` of the series, with the right
    patient's values.
    """

    kind = "data.shared_study"
    symptoms = (
        "Images of two patients are in one study.",
        "The second patient's exam is not found; the first one's has series that are not theirs.",
    )

    def explanation(self) -> str:
        return (
            f"{self.node} gave new exams the Study Instance UID of the exam before. A study is one patient's, so the "
            "archive, which goes by that UID, filed the second person's images under the first."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "data", "uids", SharedStudy(where=self.where))
