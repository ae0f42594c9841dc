"""Rewriting instances: what changes, what is kept, and that nothing else is touched."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGLSLossless

from sandbox.archive.archive import Archive
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.merge import Merge, MoveStudy
from sandbox.archive.operations.undo import Undo
from sandbox.archive.part10 import file_head, opened
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from tests.archive.operations.support import ANNA, BEN, WHY, consistent, populate, state
from tests.archive.support import PATIENT_FIND, encoded, found, instance, request, store

NEW = {"PatientName": "Adams^Ännchen", "PatientID": "P9", "AccessionNumber": "A9", "StudyDescription": ""}


def only(archive: Archive, study: str) -> Path:
    (one,) = archive.objects(study)
    return one.path


def test_an_edit_is_in_files_and_index_and_keeps_what_was_there(archive: Archive) -> None:
    populate(archive)
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values=NEW), "admin")
    consistent(archive)
    (answer,) = found(archive, "STUDY", PatientID="P9", PatientName="", AccessionNumber="", StudyInstanceUID="")
    assert (answer.PatientName, answer.AccessionNumber, answer.StudyInstanceUID) == ("Adams^Ännchen", "A9", ANNA)
    assert not found(archive, "STUDY", PatientID="P1")
    for one in archive.objects(ANNA):
        ds = dcmread(one.path)
        assert (ds.PatientName, ds.SpecificCharacterSet) == ("Adams^Ännchen", "ISO_IR 192")
        (item,) = ds.OriginalAttributesSequence
        (was,) = item.ModifiedAttributesSequence
        assert (was.PatientName, was.PatientID, was.AccessionNumber) == ("Adams^Anna", "P1", "A1")
        assert item.ReasonForTheAttributeModification == "CORRECT"
        assert item.ModifyingSystem
        assert "SourceOfPreviousValues" in item
        assert ds.SOPInstanceUID == one.sop_instance
        # What it had none of and was asked to have none of is not made up.
        assert "StudyDescription" not in ds


def test_the_second_edit_keeps_the_first(archive: Archive) -> None:
    populate(archive)
    for name in ("One", "Two"):
        archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientName": name}), "admin")
    kept = dcmread(only(archive, BEN)).OriginalAttributesSequence
    assert [str(item.ModifiedAttributesSequence[0].PatientName) for item in kept] == ["Brown^Ben", "One"]


def _written(ds: Dataset, syntax: str) -> bytes:
    buffer = io.BytesIO()
    target = DicomFileLike(buffer)
    target.is_little_endian = syntax != ExplicitVRBigEndian
    target.is_implicit_VR = syntax == ImplicitVRLittleEndian
    write_dataset(target, ds)
    data = buffer.getvalue()
    if syntax == DeflatedExplicitVRLittleEndian:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    return data


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, JPEGLSLossless]
)
def test_all_other_elements_stay_in_every_transfer_syntax(archive: Archive, tmp_path: Path, syntax: str) -> None:
    ds = instance(StudyInstanceUID=BEN, SOPInstanceUID="1.2.3.4")
    block = ds.private_block(0x0019, "ACME", create=True)
    block.add_new(0x01, "LO", "kept")
    block.add_new(0x02, "UN", b"\x01\x02\x03\x04")
    ds.RequestAttributesSequence = Sequence([Dataset()])
    ds.RequestAttributesSequence[0].ScheduledProcedureStepID = "STEP"
    ds.RequestAttributesSequence[0].is_undefined_length_sequence_item = True
    if syntax == JPEGLSLossless:
        ds.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00\xff\xd8\xff\xd9"
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    path = tmp_path / "one.dcm"
    path.write_bytes(file_head(ds.SOPClassUID, ds.SOPInstanceUID, syntax) + _written(ds, syntax))
    assert archive.add_files([path]) == 1
    before = dcmread(path)
    archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientID": "P7"}), "admin")
    after = dcmread(only(archive, BEN))
    assert after.file_meta.TransferSyntaxUID == syntax
    assert after.PatientID == "P7"
    for element in before:
        if element.keyword != "PatientID":
            assert after[element.tag] == element
    assert {element.tag for element in after} - {element.tag for element in before} == {0x04000561}
    consistent(archive)


def test_the_bytes_before_and_after_are_the_same(archive: Archive) -> None:
    """Explicit little endian: cut out what was changed, and the files are alike byte for byte."""
    ds = instance(StudyInstanceUID=BEN)
    ds.add_new(0x00091001, "UN", b"odd")
    ds.add_new(0x7FE10010, "LO", "Private after the pixels")
    store(archive, ds)
    with opened(only(archive, BEN)) as (_, body):
        old = bytes(body)
    archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientID": "P7"}), "admin")
    with opened(only(archive, BEN)) as (_, body):
        new = bytes(body)
    start = new.index(b"\x00\x04\x61\x05SQ")
    length = int.from_bytes(new[start + 8 : start + 12], "little")
    cut = new[:start] + new[start + 12 + length :]
    assert cut == old.replace(b"LO\x02\x00P1", b"LO\x02\x00P7")


def test_text_in_another_set_becomes_unicode_whole(archive: Archive) -> None:
    ds = instance(StudyInstanceUID=BEN, SpecificCharacterSet="ISO_IR 100", PatientName="Müller", StudyDescription="Ärm")
    store(archive, ds)
    archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientName": "Иванов"}), "admin")
    after = dcmread(only(archive, BEN))
    assert (after.SpecificCharacterSet, after.PatientName, after.StudyDescription) == ("ISO_IR 192", "Иванов", "Ärm")
    (was,) = after.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert (was.PatientName, was.SpecificCharacterSet) == ("Müller", "ISO_IR 100")
    latin = instance(StudyInstanceUID=ANNA, SpecificCharacterSet="ISO_IR 100", PatientName="Müller")
    store(archive, latin)
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"PatientName": "Jürgens"}), "admin")
    assert dcmread(only(archive, ANNA)).SpecificCharacterSet == "ISO_IR 100"


def test_an_edit_of_a_patient_is_one_of_all_studies(archive: Archive) -> None:
    populate(archive)
    store(archive, instance(StudyInstanceUID="1.2.3.9", PatientID="P1", PatientName="Adams^Anna"))
    done = archive.operate(Edit(reason=WHY, patient_id="P1", values={"PatientBirthDate": "19700101"}), "admin")
    assert set(done.studies) == {ANNA, "1.2.3.9"}
    assert len(found(archive, "STUDY", PatientBirthDate="19700101")) == 2
    consistent(archive)


def test_what_comes_again_after_an_edit_does_not_take_it_back(archive: Archive) -> None:
    ds = instance(StudyInstanceUID=BEN)
    store(archive, ds)
    archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientID": "P7"}), "admin")
    assert archive.store(request(ds)).status == 0
    assert dcmread(only(archive, BEN)).PatientID == "P7"
    assert archive.counts().instances == 1
    consistent(archive)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "nothing to change"),
        ({"StudyInstanceUID": "1.2"}, "cannot be edited"),
        ({"PatientNam": "x"}, "PatientName"),
        ({"PatientBirthDate": "1.1.1970"}, "PatientBirthDate"),
        ({"PatientSex": "X"}, "M, F, O"),
        ({"PatientID": ""}, "empty"),
        ({"PatientID": "a\\b"}, "PatientID"),
        ({"AccessionNumber": "12345678901234567"}, "AccessionNumber"),
    ],
)
def test_senseless_values_are_refused(archive: Archive, values: dict[str, str], said: str) -> None:
    populate(archive)
    before = state(archive)
    with pytest.raises(BadInputError, match=said):
        archive.operate(Edit(reason=WHY, study_uid=ANNA, values=values), "admin")
    assert state(archive) == before


def test_a_missing_file_stops_the_edit_before_it_begins(archive: Archive) -> None:
    populate(archive)
    archive.objects(ANNA)[2].path.unlink()
    with pytest.raises(ConflictError, match="1 of 4"):
        archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"PatientID": "P7"}), "admin")
    assert not found(archive, "STUDY", PatientID="P7")


def test_images_that_come_while_an_edit_is_prepared_are_not_lost(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(archive)
    late = instance(StudyInstanceUID=ANNA, SeriesInstanceUID=f"{ANNA}.1", PatientID="P1")
    real = archive.bench.change

    def change(*args: object, **kwargs: object) -> object:
        store(archive, late)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(archive.bench, "change", change)
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"StudyID": "S7"}), "admin")
    assert archive.instance_path(late.SOPInstanceUID) is not None
    assert archive.counts().instances == 6
    consistent(archive)


def test_merged_patients_are_one_and_can_be_two_again(archive: Archive) -> None:
    populate(archive)
    before, counts = state(archive), archive.counts()
    told = archive.operate(Merge(reason=WHY, source="P1", target="P2"), "admin")
    assert "Brown^Ben" in told.sentence
    assert archive.counts().patients == 1
    assert archive.counts().studies == 2
    for study in (ANNA, BEN):
        (answer,) = found(archive, "STUDY", StudyInstanceUID=study, PatientID="", PatientName="", PatientSex="")
        assert (answer.PatientID, answer.PatientName, answer.PatientSex) == ("P2", "Brown^Ben", "M")
    consistent(archive)
    archive.operate(Undo(reason="the wrong Brown", entry=told.entry), "admin")
    assert state(archive)[0] == before[0]
    assert archive.counts() == counts
    consistent(archive)


def test_merges_that_make_no_sense(archive: Archive) -> None:
    populate(archive)
    for operation, error in (
        (Merge(reason=WHY, source="P1", target="P1"), BadInputError),
        (Merge(reason=WHY, source="P1", target="P7"), NotFoundError),
        (Merge(reason=WHY, source="P7", target="P1"), NotFoundError),
        (MoveStudy(reason=WHY, study_uid=BEN, target="P2"), BadInputError),
    ):
        with pytest.raises(error):
            archive.operate(operation, "admin")


def test_the_issuer_is_asked_for_only_where_it_is_needed(archive: Archive) -> None:
    populate(archive)
    store(archive, instance(StudyInstanceUID="1.2.3.8", PatientID="P3", IssuerOfPatientID="NORTH"))
    assert archive.operate(Merge(reason=WHY, source="P3", target="P2"), "admin").studies == ("1.2.3.8",)
    assert (
        found(archive, "PATIENT", model=PATIENT_FIND, PatientID="P2", IssuerOfPatientID="")[0].IssuerOfPatientID == ""
    )
    for issuer in ("NORTH", "SOUTH"):
        store(archive, instance(PatientID="P4", IssuerOfPatientID=issuer))
    with pytest.raises(BadInputError, match="NORTH, SOUTH"):
        archive.operate(Merge(reason=WHY, source="P4", target="P2"), "admin")
    archive.operate(Merge(reason=WHY, source="P4", source_issuer="NORTH", target="P2"), "admin")
    assert archive.counts().patients == 3
    consistent(archive)


def test_a_moved_study_is_the_other_patients(archive: Archive) -> None:
    populate(archive)
    store(archive, instance(StudyInstanceUID="1.2.3.9", PatientID="P1", PatientName="Adams^Anna"))
    archive.operate(MoveStudy(reason=WHY, study_uid="1.2.3.9", target="P2"), "admin")
    assert {str(ds.StudyInstanceUID) for ds in found(archive, "STUDY", PatientID="P2", StudyInstanceUID="")} == {
        BEN,
        "1.2.3.9",
    }
    assert dcmread(only(archive, "1.2.3.9")).PatientName == "Brown^Ben"
    consistent(archive)


def test_encoded_is_what_the_archive_keeps() -> None:
    """The helper writes what dcmread reads; other tests rely on it."""
    ds = instance()
    assert b"Doe^Jane" in encoded(ds)
