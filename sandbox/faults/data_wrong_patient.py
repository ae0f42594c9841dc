"""Images under somebody else's name: the technologist picked the wrong line, and everything says success."""

from __future__ import annotations

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.model.patient import Patient
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import WrongPatient


class DataWrongPatient(OnModality):
    """``data.wrong_patient``: what ``node`` acquires is filed under the patient of the exam before, or ``patient``.

    With ``accession`` the other's accession number is on it too. Seen from outside: ``findscu`` by the right patient's
    ID does not find the exam, by the other's ID finds one too many. Mended by ``node.service_call`` about ``headers``;
    what was archived meanwhile by ``archive.edit`` or ``archive.move_study``.
    """

    kind = "data.wrong_patient"
    symptoms = (
        "An exam cannot be found under the patient who was scanned.",
        "Another patient has an exam that was never made of them.",
    )

    patient: Patient | None = None
    accession: bool = True

    def explanation(self) -> str:
        whose = "the patient before" if self.patient is None else self.patient.spoken_name
        return (
            f"On {self.node} exams were acquired under the identity of {whose}. DICOM cannot know whose body it shows: "
            "every association and every C-STORE succeeded, and the images stood in the wrong person's record."
        )

    def break_it(self, department: Department) -> Undo:
        wrong = WrongPatient(patient=self.patient, accession=self.accession, where=self.where)
        return impair(department, self.node, "data", "headers", wrong)
