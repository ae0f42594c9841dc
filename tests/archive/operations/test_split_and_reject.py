"""Splitting a study and rejecting images: new UIDs that fit together, notes that others can read."""

from __future__ import annotations

import subprocess

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sandbox.archive.archive import Archive
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.reject import KEY_OBJECT_SELECTION, MEANINGS, Reject, Title
from sandbox.archive.operations.split import Split
from sandbox.archive.operations.undo import Undo
from sandbox.dicom.contract import Query
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from tests.archive.operations.support import ANNA, WHY, consistent, populate, population, state
from tests.archive.support import FACTS, STUDY_MOVE, found, identifier, instance, request, store


def presentation(series: str, *named: str) -> Dataset:
    """An object that refers to images."""
    items = []
    for uid in named:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
        items.append(item)
    within = Dataset()
    within.SeriesInstanceUID = f"{ANNA}.2"
    within.ReferencedImageSequence = Sequence(items)
    return instance(
        StudyInstanceUID=ANNA,
        SeriesInstanceUID=series,
        PatientID="P1",
        Modality="PR",
        ReferencedSeriesSequence=Sequence([within]),
    )


def test_a_split_study_is_two_and_what_goes_refers_to_what_goes(archive: Archive) -> None:
    populate(archive)
    going = presentation(f"{ANNA}.3", f"{ANNA}.2.1")
    staying = presentation(f"{ANNA}.4", f"{ANNA}.2.2")
    store(archive, going, staying)
    before, counts = state(archive)[0], archive.counts()
    done = archive.operate(
        Split(reason=WHY, study_uid=ANNA, series_uids=(f"{ANNA}.2", f"{ANNA}.3"), values={"AccessionNumber": "A2"}),
        "admin",
    )
    new = done.studies[0]
    consistent(archive)
    assert any("1 instance that stayed" in fact for fact in done.facts)
    (answer,) = found(archive, "STUDY", AccessionNumber="A2", StudyInstanceUID="", NumberOfStudyRelatedInstances="")
    assert (answer.StudyInstanceUID, answer.NumberOfStudyRelatedInstances) == (new, 3)
    (left,) = found(archive, "STUDY", StudyInstanceUID=ANNA, ModalitiesInStudy="", NumberOfStudyRelatedSeries="")
    assert (set(left.ModalitiesInStudy), left.NumberOfStudyRelatedSeries) == ({"CT", "PR"}, 2)
    moved = {str(ds.SOPInstanceUID): ds for ds in (dcmread(one.path) for one in archive.objects(new))}
    assert not {f"{ANNA}.2.1", f"{ANNA}.2.2"} & set(moved)
    (state_now,) = (ds for ds in moved.values() if ds.Modality == "PR")
    referenced = state_now.ReferencedSeriesSequence[0]
    assert referenced.ReferencedImageSequence[0].ReferencedSOPInstanceUID in moved
    assert referenced.SeriesInstanceUID in {ds.SeriesInstanceUID for ds in moved.values()}
    was = state_now.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert (was.StudyInstanceUID, was.SOPInstanceUID) == (ANNA, going.SOPInstanceUID)
    for ds in moved.values():
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    archive.operate(Undo(reason=WHY, entry=done.entry), "admin")
    assert (state(archive)[0], archive.counts()) == (before, counts)
    consistent(archive)


def test_splits_that_make_no_sense(archive: Archive) -> None:
    populate(archive)
    for series, error in (
        ((f"{ANNA}.1", f"{ANNA}.2"), BadInputError),
        (("1.9",), NotFoundError),
        (("../x",), BadInputError),
    ):
        with pytest.raises(error):
            archive.operate(Split(reason=WHY, study_uid=ANNA, series_uids=series), "admin")


@pytest.mark.parametrize("title", Title)
def test_rejected_images_are_gone_and_the_note_is_there(archive: Archive, title: Title) -> None:
    populate(archive)
    rejected = f"{ANNA}.2"
    archive.operate(Reject(reason="bewegt: unscharf", study_uid=ANNA, series_uid=rejected, title=title), "admin")
    consistent(archive)
    series = found(archive, "SERIES", StudyInstanceUID=ANNA, SeriesInstanceUID="", Modality="")
    assert {str(one.Modality) for one in series} == {"CT", "KO"}
    (study,) = found(archive, "STUDY", StudyInstanceUID=ANNA, NumberOfStudyRelatedInstances="")
    assert study.NumberOfStudyRelatedInstances == 3
    (note,) = found(
        archive,
        "IMAGE",
        StudyInstanceUID=ANNA,
        SeriesInstanceUID=next(one.SeriesInstanceUID for one in series if one.Modality == "KO"),
        SOPInstanceUID="",
        SOPClassUID="",
        ConceptNameCodeSequence=[],
    )
    assert note.SOPClassUID == KEY_OBJECT_SELECTION
    assert note.ConceptNameCodeSequence[0].CodeValue == title.value
    sent = archive.move(Query(FACTS, STUDY_MOVE, identifier("STUDY", StudyInstanceUID=ANNA)), "WS1").objects
    assert note.SOPInstanceUID in {one.sop_instance for one in sent}
    assert not {f"{ANNA}.2.1", f"{ANNA}.2.2"} & {one.sop_instance for one in sent}


def test_a_note_says_what_the_standard_wants(archive: Archive) -> None:
    """PS3.3 A.35.4, PS3.16 TID 2010; and dcmtk reads it."""
    populate(archive)
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"PatientName": "Ädams^Änna"}), "admin")
    told = archive.operate(Reject(reason="unscharf, böse", study_uid=ANNA, series_uid=f"{ANNA}.2"), "admin")
    path = archive.instance_path(told.facts[0].rpartition(" ")[2])
    assert path is not None
    ds = dcmread(path)
    assert (ds.PatientID, ds.PatientName, ds.StudyInstanceUID) == ("P1", "Ädams^Änna", ANNA)
    assert (ds.Modality, ds.ValueType) == ("KO", "CONTAINER")
    assert ds.ConceptNameCodeSequence[0].CodeMeaning == MEANINGS[Title.QUALITY]
    assert ds.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    evidence = ds.CurrentRequestedProcedureEvidenceSequence[0]
    listed = {
        str(one.ReferencedSOPInstanceUID)
        for series in evidence.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    text, *images = ds.ContentSequence
    assert text.TextValue == "unscharf, böse"
    assert listed == {f"{ANNA}.2.1", f"{ANNA}.2.2"}
    assert listed == {str(image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID) for image in images}
    for reader in (["dcmdump", "-q"], ["dsrdump", "-q", "+U8"]):
        shown = subprocess.run([*reader, str(path)], capture_output=True, text=True, timeout=30)
        assert shown.returncode == 0, shown.stderr
    assert "Rejected for Quality Reasons" in shown.stdout


def test_rejected_images_are_refused_until_the_rejection_is_taken_back(archive: Archive) -> None:
    populate(archive)
    before, counts = state(archive), archive.counts()
    told = archive.operate(Reject(reason=WHY, study_uid=ANNA, sop_instance=f"{ANNA}.1.1"), "admin")
    again = population()[0]
    assert again.SOPInstanceUID == f"{ANNA}.1.1"
    answer = archive.store(request(again))
    assert answer.status == 0x0124
    assert "rejected" in answer.comment
    archive.operate(Undo(reason=WHY, entry=told.entry), "admin")
    assert (state(archive)[0], archive.counts()) == (before[0], counts)
    assert archive.store(request(again)).status == 0
    consistent(archive)


def test_an_image_that_is_rejected_while_it_comes_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look at a C-STORE and the turn of its instance."""
    populate(archive)
    again = population()[0]
    real = archive.bench.is_rejected

    def asked(sop_instance: str) -> bool:
        answer = real(sop_instance)
        monkeypatch.undo()
        archive.operate(Reject(reason=WHY, study_uid=ANNA, sop_instance=sop_instance), "admin")
        return answer

    monkeypatch.setattr(archive.bench, "is_rejected", asked)
    assert archive.store(request(again)).status == 0x0124
    assert archive.instance_path(again.SOPInstanceUID) is None
    consistent(archive)


def test_a_rejection_is_remembered(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("archive")
    with Archive(directory, ae_title="A", sync="normal") as archive:
        populate(archive)
        archive.operate(Reject(reason=WHY, study_uid=ANNA), "admin")
        assert archive.counts().instances == 2
    with Archive(directory, ae_title="A", sync="normal") as archive:
        assert archive.store(request(population()[0])).status == 0x0124
        with pytest.raises(ConflictError, match="note"):
            archive.operate(Reject(reason=WHY, study_uid=ANNA), "admin")
