"""Editing demographics of a study, or of a patient with all studies: files are written anew with what was there before
in the Original Attributes Sequence (PS3.3 C.12.1.1.9), and the former files lie in the bin."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.archive.operations.bench import Bench, subject_of
from sandbox.archive.operations.demographics import PATIENT_KEYWORDS, STUDY_KEYWORDS, checked, in_words, rewrite
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.rewrite import Why
from sandbox.archive.operations.selection import chosen, of_patient
from sandbox.model.errors import BadInputError


class Edit(Operation):
    """Change values of patient and study: of study ``study_uid``, or of patient ``patient_id`` (with ``issuer``) in all
    studies. SOP Instance UIDs stay."""

    kind: ClassVar[Kind] = Kind.EDIT

    study_uid: str = ""
    patient_id: str = ""
    issuer: str = ""
    values: dict[str, str] = Field(default_factory=dict)

    def run(self, bench: Bench, by: str) -> Outcome:
        if bool(self.study_uid) == bool(self.patient_id):
            raise BadInputError("It is not clear what is to be edited.", "Give either a study or a patient ID.")
        if self.study_uid:
            values = checked(self.values, (*PATIENT_KEYWORDS, *STUDY_KEYWORDS))
            rows, what = chosen(bench, self.study_uid), f"study {self.study_uid}"
        else:
            values = checked(self.values, PATIENT_KEYWORDS)
            rows, what = of_patient(bench, self.patient_id, self.issuer), f"patient {self.patient_id}"
        with bench.stage() as stage:
            rewrite(bench, stage, rows, values, Why.CORRECT)
            sentence = f"Edited {what} ({counted(len(rows), 'instance')}): {in_words(values)}."
            done = bench.change(
                Entry(by, self.kind, self.reason, what if self.patient_id else subject_of(rows), sentence),
                out=rows,
                came=stage.made,
            )
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=("The former files are in the bin; what was changed stands in Original Attributes Sequence.",),
            entry=done.entry,
            instances=done.instances,
            studies=done.studies,
        )
