"""Merging two patients that are one, and moving a single study to the patient it belongs to.

Both write the surviving patient's attributes into every instance, so that files and index agree wherever they are sent.
The journal's entry keeps all that is needed to take it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.demographics import PATIENT_KEYWORDS, rewrite
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.rewrite import Why
from sandbox.archive.operations.selection import chosen, demographics, in_words, key_of, of_patient
from sandbox.model.errors import BadInputError


class Merge(Operation):
    """All studies of patient ``source`` become those of patient ``target``, who survives."""

    kind: ClassVar[Kind] = Kind.MERGE

    source: str
    source_issuer: str = ""
    target: str
    target_issuer: str = ""

    def run(self, bench: Bench, by: str) -> Outcome:
        if key_of(bench, self.source, self.source_issuer) == key_of(bench, self.target, self.target_issuer):
            raise BadInputError("A patient cannot be merged with itself.", "Give two different patients.")
        survivor = demographics(bench, self.target, self.target_issuer)
        rows = of_patient(bench, self.source, self.source_issuer)
        source, target = in_words(self.source, self.source_issuer), in_words(self.target, self.target_issuer)
        studies = len({row.study_uid for row in rows})
        sentence = f"Merged patient {source} into {target} ({survivor['PatientName']}): {_moved(studies, rows)}."
        return _given_to(
            bench, Entry(by, self.kind, self.reason, f"patient {source} into {target}", sentence), rows, survivor
        )


class MoveStudy(Operation):
    """Study ``study_uid`` becomes one of patient ``target``, who has other studies here already."""

    kind: ClassVar[Kind] = Kind.MOVE

    study_uid: str
    target: str
    target_issuer: str = ""

    def run(self, bench: Bench, by: str) -> Outcome:
        new = demographics(bench, self.target, self.target_issuer)
        rows = chosen(bench, self.study_uid)
        theirs = {row.study_uid for row in of_patient(bench, self.target, self.target_issuer)}
        target = in_words(self.target, self.target_issuer)
        if self.study_uid in theirs:
            raise BadInputError(f"The study is one of patient {target} already.", "Choose another patient.")
        sentence = f"Moved study {self.study_uid} to patient {target} ({new['PatientName']}): {_moved(1, rows)}."
        return _given_to(
            bench, Entry(by, self.kind, self.reason, f"study {self.study_uid} to {target}", sentence), rows, new
        )


def _moved(studies: int, rows: list[InstanceRow]) -> str:
    return f"{counted(studies, 'study', 'studies')}, {counted(len(rows), 'instance')}"


def _given_to(bench: Bench, entry: Entry, rows: list[InstanceRow], patient: Mapping[str, str]) -> Outcome:
    values = {keyword: patient[keyword] for keyword in PATIENT_KEYWORDS}
    with bench.stage() as stage:
        rewrite(bench, stage, rows, values, Why.CORRECT)
        done = bench.change(entry, out=rows, came=stage.made)
    return Outcome(
        kind=entry.kind,
        sentence=entry.sentence,
        facts=(f"Take entry {done.entry} of the journal back if it was the wrong patient.",),
        entry=done.entry,
        instances=done.instances,
        studies=done.studies,
    )
