"""Rejection notes that come from outside by C-STORE (IHE IOCM): what they name is hidden, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sandbox.archive.operations.reject import KEY_OBJECT_SELECTION, Title, rejection_note
from sandbox.archive.operations.undo import Undo
from sandbox.archive.serve import RunningArchive
from tests.archive.checklist.wire import EVERYTHING, Wire
from tests.archive.support import instance, uid
from tests.dicom.support import EXPLICIT

CONTEXTS = [*EVERYTHING, (KEY_OBJECT_SELECTION, EXPLICIT)]


def note_on(served: RunningArchive, *rejected: Dataset, title: Title = Title.QUALITY) -> Dataset:
    """A note as another system writes it."""
    rows = served.archive.bench.rows_of([str(ds.SOPInstanceUID) for ds in rejected])
    note = rejection_note(rows, served.archive.bench.files.path(rows[0].file), title, "blurred", datetime.now(UTC))
    if hasattr(note, "file_meta"):
        del note.file_meta
    return note


def images(wire: Wire, ds: Dataset) -> set[str]:
    found = wire.matches(
        "IMAGE", StudyInstanceUID=ds.StudyInstanceUID, SeriesInstanceUID=ds.SeriesInstanceUID, SOPInstanceUID=""
    )
    return {str(answer.SOPInstanceUID) for answer in found}


def test_what_a_note_names_is_hidden_until_it_is_taken_back(served: RunningArchive, port: int) -> None:
    common: dict[str, Any] = {"StudyInstanceUID": uid(), "SeriesInstanceUID": uid()}
    blurred, good = instance(**common), instance(**common)
    with Wire(port, CONTEXTS) as wire:
        assert [wire.store(ds).status for ds in (blurred, good)] == [0, 0]
        note = note_on(served, blurred)
        assert wire.store(note).status == 0
        assert images(wire, good) == {str(good.SOPInstanceUID)}
        (study,) = wire.matches("STUDY", StudyInstanceUID=good.StudyInstanceUID, NumberOfStudyRelatedInstances="")
        assert study.NumberOfStudyRelatedInstances == 2
        assert wire.store(blurred).status == 0x0124
        (entry,) = served.archive.journal()
        assert (entry.actor, entry.instances, entry.in_bin) == ("CT1", 1, 1)
        served.archive.operate(Undo(entry=entry.number, reason="it is sharp enough"), "admin")
        assert images(wire, good) == {str(good.SOPInstanceUID), str(blurred.SOPInstanceUID)}
        # The same note again does not undo the undoing.
        assert wire.store(note).status == 0
        assert wire.store(blurred).status == 0
        assert len(images(wire, good)) == 2


@pytest.mark.parametrize("title", Title)
def test_each_title_of_a_rejection(served: RunningArchive, port: int, title: Title) -> None:
    ds = instance()
    with Wire(port, CONTEXTS) as wire:
        assert wire.store(ds).status == 0
        assert wire.store(note_on(served, ds, title=title)).status == 0
        assert images(wire, ds) == set()


@pytest.mark.parametrize(("code", "scheme"), [("113000", "DCM"), ("113001", "99LOCAL")])
def test_another_title_hides_nothing(served: RunningArchive, port: int, code: str, scheme: str) -> None:
    ds = instance()
    with Wire(port, CONTEXTS) as wire:
        assert wire.store(ds).status == 0
        note = note_on(served, ds)
        note.ConceptNameCodeSequence[0].CodeValue = code
        note.ConceptNameCodeSequence[0].CodingSchemeDesignator = scheme
        assert wire.store(note).status == 0
        assert images(wire, ds) == {str(ds.SOPInstanceUID)}


def test_an_image_of_another_study_is_left_alone(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port, CONTEXTS) as wire:
        assert wire.store(ds).status == 0
        note = note_on(served, ds)
        note.CurrentRequestedProcedureEvidenceSequence[0].StudyInstanceUID = "1.2.3.4"
        assert wire.store(note).status == 0
        assert images(wire, ds) == {str(ds.SOPInstanceUID)}


def _titles_without_a_code(note: Dataset) -> None:
    note.ConceptNameCodeSequence[0].CodeValue = None


def _titles_of_another_kind(note: Dataset) -> None:
    del note.ConceptNameCodeSequence[0].CodeValue
    note.ConceptNameCodeSequence[0].add_new("CodeValue", "SQ", [])


def _no_title(note: Dataset) -> None:
    note.ConceptNameCodeSequence = []


def _no_evidence(note: Dataset) -> None:
    del note.CurrentRequestedProcedureEvidenceSequence


def _evidence_that_is_text(note: Dataset) -> None:
    del note.CurrentRequestedProcedureEvidenceSequence
    note.add_new("CurrentRequestedProcedureEvidenceSequence", "LO", "everything of today")


def _evidence_that_is_a_number(note: Dataset) -> None:
    (study,) = note.CurrentRequestedProcedureEvidenceSequence
    del study.ReferencedSeriesSequence
    study.add_new("ReferencedSeriesSequence", "US", [1, 2])


def _a_series_without_references(note: Dataset) -> None:
    study = note.CurrentRequestedProcedureEvidenceSequence[0]
    study.ReferencedSeriesSequence.append(Dataset())


def _references_without_uids(note: Dataset) -> None:
    series = note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    del series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID


UNTITLED = [_titles_without_a_code, _titles_of_another_kind, _no_title]
MALFORMED = [
    _no_evidence,
    _evidence_that_is_text,
    _evidence_that_is_a_number,
    _a_series_without_references,
    _references_without_uids,
]


@pytest.mark.parametrize("spoil", UNTITLED + MALFORMED)
def test_a_malformed_note_is_kept_and_hides_nothing(
    served: RunningArchive, port: int, spoil: Callable[[Dataset], None], caplog: pytest.LogCaptureFixture
) -> None:
    ds = instance()
    with Wire(port, CONTEXTS) as wire:
        assert wire.store(ds).status == 0
        note = note_on(served, ds)
        spoil(note)
        assert wire.store(note).status in (0, 0xB007)
        assert images(wire, ds) == {str(ds.SOPInstanceUID)}
        assert images(wire, note) == {str(note.SOPInstanceUID)}
        assert wire.store(ds).status == 0
    assert not served.archive.journal()
    assert (f"{note.SOPInstanceUID} is kept and hides nothing" in caplog.text) is (spoil in MALFORMED)
