"""Rejecting instances with a Key Object Selection document (IHE IOCM; PS3.3 A.35.4, PS3.16 TID 2010, CID 7011).

The note becomes part of the study and is found and sent as any instance. What it names is out of queries and retrieves
from then on, lies in the bin, and is refused when it is sent again, until the rejection is taken back.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.rewrite import dataset_before_pixels
from sandbox.archive.operations.selection import chosen
from sandbox.archive.operations.split import new_uid
from sandbox.archive.part10 import part10_bytes
from sandbox.model.errors import ConflictError

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"


class Title(StrEnum):
    """Why instances are rejected: the code value of the document title (PS3.16 CID 7011)."""

    QUALITY = "113001"
    SAFETY = "113037"
    WORKLIST = "113038"
    EXPIRED = "113039"


MEANINGS: dict[Title, str] = {
    Title.QUALITY: "Rejected for Quality Reasons",
    Title.SAFETY: "Rejected for Patient Safety Reasons",
    Title.WORKLIST: "Incorrect Modality Worklist Entry",
    Title.EXPIRED: "Data Retention Policy Expired",
}

_COPIED = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
)
_EMPTY_IF_MISSING = frozenset(
    {
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
    }
)
_SERIES_NUMBER = 9999


class Reject(Operation):
    """Reject a study, one of its series or one instance, for the reason that ``title`` codes."""

    kind: ClassVar[Kind] = Kind.REJECT

    study_uid: str
    series_uid: str = ""
    sop_instance: str = ""
    title: Title = Field(Title.QUALITY)

    def run(self, bench: Bench, by: str) -> Outcome:
        rows = [
            row
            for row in chosen(bench, self.study_uid, self.series_uid, self.sop_instance)
            if row.sop_class != KEY_OBJECT_SELECTION
        ]
        if not rows:
            raise ConflictError("A note cannot be rejected.", "Take the rejection back instead.")
        at = datetime.fromtimestamp(bench.now(), UTC)
        note = rejection_note(rows, bench.files.path(rows[0].file), self.title, self.reason, at)
        with bench.stage() as stage:
            # Received by the machine's clock, as every instance: recovery compares it with the times of files.
            stage.write(note.SOPInstanceUID, (part10_bytes(note),), time.time())
            meaning = MEANINGS[self.title]
            sentence = f"Rejected {counted(len(rows), 'instance')} of study {self.study_uid}: {meaning}."
            done = bench.change(
                Entry(by, self.kind, self.reason, f"study {self.study_uid}", sentence), out=rows, came=stage.made
            )
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=(
                f"Key Object Selection document: {note.SOPInstanceUID}",
                f"Take entry {done.entry} of the journal back to have them again.",
            ),
            entry=done.entry,
            instances=len(rows),
            studies=done.studies,
        )


def rejection_note(rows: list[InstanceRow], example: Path, title: Title, reason: str, at: datetime) -> Dataset:
    """The document that names ``rows``. Patient and study are those of the instance at ``example``."""
    source = dataset_before_pixels(example)
    note = Dataset()
    for keyword in _COPIED:
        if keyword in source:
            note.add(source[keyword])
        elif keyword in _EMPTY_IF_MISSING:
            setattr(note, keyword, "")
    if not reason.isascii() and "SpecificCharacterSet" not in note:
        note.SpecificCharacterSet = "ISO_IR 192"
    note.SOPClassUID = KEY_OBJECT_SELECTION
    note.SOPInstanceUID, note.SeriesInstanceUID = new_uid(), new_uid()
    note.Modality = "KO"
    note.SeriesNumber = str(_SERIES_NUMBER)
    note.InstanceNumber = "1"
    note.SeriesDescription = MEANINGS[title]
    note.ReferencedPerformedProcedureStepSequence = Sequence([])
    note.Manufacturer = "PACS Sandbox"
    note.ContentDate, note.ContentTime = at.strftime("%Y%m%d"), at.strftime("%H%M%S")
    note.TimezoneOffsetFromUTC = "+0000"
    note.ReferencedRequestSequence = Sequence([])
    note.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(rows)])
    note.ValueType = "CONTAINER"
    note.ContinuityOfContent = "SEPARATE"
    note.ConceptNameCodeSequence = Sequence([_code(title.value, MEANINGS[title])])
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    note.ContentTemplateSequence = Sequence([template])
    note.ContentSequence = Sequence([_described(reason), *(_referenced(row) for row in rows)])
    return note


def _evidence(rows: list[InstanceRow]) -> Dataset:
    """Hierarchical SOP Instance Reference Macro (PS3.3 C.17.2.1)."""
    study = Dataset()
    study.StudyInstanceUID = rows[0].study_uid
    in_series: dict[str, list[Dataset]] = {}
    for row in rows:
        in_series.setdefault(row.series_uid, []).append(_reference(row))
    listed: list[Dataset] = []
    for uid, references in in_series.items():
        series = Dataset()
        series.SeriesInstanceUID = uid
        series.ReferencedSOPSequence = Sequence(references)
        listed.append(series)
    study.ReferencedSeriesSequence = Sequence(listed)
    return study


def _reference(row: InstanceRow) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = row.sop_class, row.sop_instance
    return reference


def _described(reason: str) -> Dataset:
    """Key Object Description (113012, DCM)."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.ConceptNameCodeSequence = Sequence([_code("113012", "Key Object Description")])
    item.TextValue = reason
    return item


def _referenced(row: InstanceRow) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", _value_type(row.sop_class)
    item.ReferencedSOPSequence = Sequence([_reference(row)])
    return item


def _value_type(sop_class: str) -> str:
    """IMAGE, WAVEFORM or COMPOSITE (TID 2010), by the storage SOP class."""
    if sop_class.startswith("1.2.840.10008.5.1.4.1.1.9."):
        return "WAVEFORM"
    others = ("1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.104.", "1.2.840.10008.5.1.4.1.1.11.")
    return "COMPOSITE" if sop_class.startswith(others) else "IMAGE"


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
