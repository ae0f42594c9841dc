"""Headers as lines: whatever a file holds is shown; two headers compared, and what a viewer needs of an image."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEG2000Lossless

from sandbox.archive.dump import LONGEST, compare, header_view, image_facts, read
from sandbox.model.errors import ConflictError
from sandbox.model.header_view import HeaderLine, How
from tests.archive.support import CT, uid

PIXELS = bytes(range(64)) * 4


def dataset(**values: object) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.StudyInstanceUID = CT, uid(), uid()
    made.PatientName, made.PatientID, made.Modality = "Doe^Jane", "00123", "CT"
    made.Rows, made.Columns, made.BitsAllocated, made.SamplesPerPixel = 8, 16, 16, 1
    item = Dataset()
    item.ScheduledProcedureStepID = "STEP1"
    made.RequestAttributesSequence = Sequence([item])
    block = made.private_block(0x0009, "RIVERSIDE", create=True)
    block.add_new(0x01, "LO", "inside")
    made.PixelData = PIXELS
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def saved(path: Path, made: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(path, enforce_file_format=True)
    return path


def line(path: Path, keyword: str) -> HeaderLine:
    return next(one for one in header_view("CT1", path).lines if one.keyword == keyword)


def test_every_element_has_its_line_nested_and_private_ones_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "one.dcm", dataset())
    view = header_view("CT1", path)
    assert (view.source.node, view.source.patient_name, view.left_out) == ("CT1", "Doe^Jane", 0)
    assert view.source.sop_class_name == "CT Image Storage"
    assert [one.tag for one in view.lines[:2]] == ["(0002,0000)", "(0002,0001)"], "file meta information comes first"
    assert line(path, "TransferSyntaxUID").value == "1.2.840.10008.1.2.1 (Explicit VR Little Endian)"
    patient = line(path, "PatientID")
    assert (patient.vr, patient.value, patient.length) == ("LO", "00123", 6)
    sequence = next(one for one in view.lines if one.keyword == "RequestAttributesSequence")
    inside = view.lines[view.lines.index(sequence) + 1 : view.lines.index(sequence) + 3]
    assert sequence.value == "1 item"
    assert [(one.is_item, one.depth, one.keyword, one.value) for one in inside] == [
        (True, 1, "", ""),
        (False, 1, "ScheduledProcedureStepID", "STEP1"),
    ]
    private = next(one for one in view.lines if one.tag == "(0009,1001)")
    assert (private.is_private, private.value) == (True, "inside")
    assert line(path, "PixelData").value == "256 bytes (1 frame, as it is)"
    assert len({one.path for one in view.lines}) == len(view.lines)


def test_what_no_vr_allows_is_shown_as_it_stands_and_what_is_long_is_cut(tmp_path: Path) -> None:
    made = dataset(ImageComments="x" * 5000)
    made.add_new("SeriesNumber", "LO", "seven!")
    path = saved(tmp_path / "odd.dcm", made)
    raw = path.read_bytes()
    assert raw.count(b"\x20\x00\x11\x00LO") == 1
    path.write_bytes(raw.replace(b"\x20\x00\x11\x00LO", b"\x20\x00\x11\x00IS"))
    odd = line(path, "SeriesNumber")
    assert (odd.vr, odd.value) == ("IS", "seven!")
    long = line(path, "ImageComments").value
    assert long.startswith("x" * LONGEST)
    assert long.endswith("(5,000 characters)")


def test_differences_are_found_deep_and_told_by_side(tmp_path: Path) -> None:
    made = dataset(AccessionNumber="A1", InstitutionName="RIVERSIDE")
    left = saved(tmp_path / "left.dcm", made)
    del made.InstitutionName
    made.AccessionNumber, made.StationName = "A2", "CT1"
    made.RequestAttributesSequence[0].ScheduledProcedureStepID = "STEP2"
    right = saved(tmp_path / "right.dcm", made)
    found = compare(read("CT1", left), read("ARCHIVE", right))
    told = {one.keyword: (one.how, one.left, one.right) for one in found.differences}
    assert told == {
        "AccessionNumber": (How.DIFFERS, "A1", "A2"),
        "InstitutionName": (How.ONLY_LEFT, "RIVERSIDE", ""),
        "StationName": (How.ONLY_RIGHT, "", "CT1"),
        "ScheduledProcedureStepID": (How.DIFFERS, "STEP1", "STEP2"),
    }
    assert [one.tag for one in found.differences] == sorted(one.tag for one in found.differences)
    assert found.pixels_same is True
    assert "PatientID" in [one.keyword for one in found.same]


def test_pixels_are_compared_byte_for_byte_where_they_can_be(tmp_path: Path) -> None:
    made = dataset()
    one = read("CT1", saved(tmp_path / "one.dcm", made))
    made.PixelData = PIXELS[:-1] + b"\xff"
    changed = compare(one, read("WS1", saved(tmp_path / "two.dcm", made)))
    assert (changed.pixels_same, changed.pixels, changed.differences) == (False, "The pixel data differ.", ())
    made.PixelData = encapsulate([b"\x00\x01"])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    compressed = read("WS1", saved(tmp_path / "three.dcm", made, JPEG2000Lossless))
    told = compare(one, compressed)
    assert told.pixels_same is None
    assert "different transfer syntaxes" in told.pixels
    assert "compressed" in next(each.value for each in compressed.lines if each.keyword == "PixelData")
    del made.PixelData
    assert compare(one, read("WS1", saved(tmp_path / "four.dcm", made))).pixels == "Only one of them has pixel data."


def test_a_deflated_file_is_read_and_what_is_no_file_is_told_in_words(tmp_path: Path) -> None:
    path = saved(tmp_path / "deflated.dcm", dataset(), DeflatedExplicitVRLittleEndian)
    assert line(path, "PatientID").value == "00123"
    assert line(path, "PixelData").value == "256 bytes"
    for name, content in (("empty.dcm", b""), ("text.dcm", b"hello" * 100), ("cut.dcm", path.read_bytes()[:150])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConflictError):
            header_view("CT1", tmp_path / name)


def test_an_images_facts(tmp_path: Path) -> None:
    made = dataset(
        PixelSpacing=[0.5, 0.25], WindowCenter=[40, 50], WindowWidth=[80, 100], SliceLocation="12.5", FrameTime="40"
    )
    facts = image_facts(saved(tmp_path / "ct.dcm", made))
    assert (facts.spacing, facts.spacing_of, facts.unit) == ((0.5, 0.25), "in the patient", "HU")
    assert (facts.center, facts.width, facts.location_mm, facts.frame_ms) == (40, 80, 12.5, 40)
    assert (facts.rows, facts.columns, facts.frames) == (8, 16, 1)

    measures = Dataset()
    measures.PixelSpacing = [0.7, 0.7]
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    enhanced = dataset(NumberOfFrames=3, SharedFunctionalGroupsSequence=Sequence([shared]))
    assert image_facts(saved(tmp_path / "enhanced.dcm", enhanced)).spacing == (0.7, 0.7)

    region = Dataset()
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.02
    echo = image_facts(saved(tmp_path / "us.dcm", dataset(SequenceOfUltrasoundRegions=Sequence([region]))))
    assert (echo.spacing, echo.spacing_of) == ((0.2, 0.2), "of the ultrasound region")
    assert image_facts(saved(tmp_path / "none.dcm", dataset())).spacing is None
