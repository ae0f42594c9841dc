"""Import of real files: what is taken, what is left out and why, and that not a byte of a data set changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sample_dicom.importing import ImportProgress, collected_files, load_manifest, scan_folder, stage, studies_in
from sandbox.model.errors import ConflictError, NotFoundError
from tests.sample_dicom.making import encoded, study

CT = Path(str(get_testdata_file("CT_small.dcm")))
MR = Path(str(get_testdata_file("MR_small.dcm")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as hospitals hand it over: two real images and everything that gets between them."""
    root = tmp_path / "from CD"
    (root / "deep" / "er").mkdir(parents=True)
    shutil.copy(CT, root / "deep" / "er" / "IM000001")
    shutil.copy(MR, root / "mr.dcm")
    shutil.copy(CT, root / "later copy.dcm")
    whole = MR.read_bytes()
    (root / "truncated.dcm").write_bytes(whole[:-500])
    (root / "cut in the header.dcm").write_bytes(whole[:700])
    (root / "broken.dcm").write_bytes(whole[:400] + b"\xff" * 3000)
    (root / "README.TXT").write_text("Autorun. Please contact the radiology department.")
    (root / "empty.dcm").touch()
    (root / "DICOMDIR").write_bytes(whole)
    return root


def reasons(report) -> dict[str, str]:
    return {left.path: left.reason for left in report.left_out}


def test_what_a_folder_holds_and_what_is_left_out(folder: Path) -> None:
    report = scan_folder(folder)
    assert (report.patients, report.studies, report.series, report.instances) == (2, 2, 2, 2)
    assert {one.path for one in report.found} == {"later copy.dcm", "mr.dcm"} or {one.path for one in report.found} == {
        "deep/er/IM000001",
        "mr.dcm",
    }
    assert report.bytes == CT.stat().st_size + MR.stat().st_size
    why = reasons(report)
    assert "cut off" in why["truncated.dcm"]
    assert "cut off" in why["cut in the header.dcm"]
    assert "broken.dcm" in why
    assert why["README.TXT"] == "It is not a DICOM file."
    assert why["empty.dcm"] == "It is empty."
    assert sum(reason.startswith("It is the same instance as") for reason in why.values()) == 1
    assert "DICOMDIR" not in why
    assert len(why) == 6


def test_progress_ends_with_the_whole_folder(folder: Path) -> None:
    told: list[ImportProgress] = []
    report = scan_folder(folder, told.append)
    assert told[-1].examined == told[-1].total == 9
    assert told[-1].readable == report.instances
    assert told[-1].left_out == len(report.left_out)


def test_studies_come_grouped(tmp_path: Path) -> None:
    for index, ds in enumerate([*study("CTHEADWO", 1), *study("USRENAL", 2)]):
        (tmp_path / f"{(index * 7) % 31:02d}").write_bytes(encoded(ds))
    report = scan_folder(tmp_path)
    groups = list(studies_in(report))
    assert len(groups) == report.studies == 2
    assert {len(group.instances) for group in groups} == {5, 3}
    assert not report.left_out


def test_staging_keeps_every_byte(folder: Path, tmp_path: Path) -> None:
    destination = tmp_path / "collection"
    manifest = stage(scan_folder(folder), destination)
    assert manifest.instances == 2
    assert load_manifest(destination) == manifest
    files = list(collected_files(destination))
    assert sorted(path.read_bytes() for path in files) == sorted([CT.read_bytes(), MR.read_bytes()])
    for path in files:
        ds = dcmread(path)
        assert path.relative_to(destination).parts == (
            ds.StudyInstanceUID,
            ds.SeriesInstanceUID,
            f"{ds.SOPInstanceUID}.dcm",
        )
    names = {patient.name for patient in manifest.patients}
    assert names == {"CompressedSamples^CT1", "CompressedSamples^MR1"}
    assert {patient.as_patient().patient_id for patient in manifest.patients} == {"1CT1", "4MR1"}
    assert len(manifest.left_out) == 6


@pytest.mark.parametrize(
    ("name", "syntax"), [("MR_small.dcm", ExplicitVRLittleEndian), ("MR_small_implicit.dcm", ImplicitVRLittleEndian)]
)
def test_a_file_without_preamble_gets_its_file_meta_and_keeps_its_data_set(
    tmp_path: Path, name: str, syntax: str
) -> None:
    whole = Path(str(get_testdata_file(name))).read_bytes()
    bare = whole[whole.index(b"\x08\x00", 132) :]
    while bare[2:4] not in (b"\x05\x00", b"\x08\x00"):
        bare = bare[bare.index(b"\x08\x00", 2) :]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "IM1").write_bytes(bare)
    report = scan_folder(tmp_path / "in")
    assert report.instances == 1, report.left_out
    stage(report, tmp_path / "out")
    (path,) = collected_files(tmp_path / "out")
    assert path.read_bytes().endswith(bare)
    staged = dcmread(path)
    assert staged.file_meta.TransferSyntaxUID == syntax
    assert staged.file_meta.MediaStorageSOPInstanceUID == staged.SOPInstanceUID
    assert np.array_equal(staged.pixel_array, dcmread(MR).pixel_array)


def test_links_are_not_followed_out(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    ds = study("DXHANDL", 1)[0]
    (secret / "image.dcm").write_bytes(encoded(ds))
    (folder / "link.dcm").symlink_to(secret / "image.dcm")
    (folder / "link to folder").symlink_to(secret)
    (folder / "inside.dcm").symlink_to(folder / "mr.dcm")
    os.mkfifo(folder / "pipe")
    report = scan_folder(folder)
    assert report.instances == 2
    why = reasons(report)
    assert "leads out" in why["link.dcm"]
    assert "leads out" in why["link to folder"]
    assert "inside.dcm" not in why
    assert why["pipe"] == "It is no ordinary file."


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("StudyInstanceUID", None, "It has no Study Instance UID."),
        ("SeriesInstanceUID", "", "It has no Series Instance UID."),
        ("SOPInstanceUID", "../../etc/passwd", "Its SOP Instance UID is not a valid UID."),
        ("PixelData", None, "It holds no image (Ultrasound Image Storage)."),
    ],
)
def test_what_an_image_must_have(tmp_path: Path, keyword: str, value: str | None, reason: str) -> None:
    ds = study("USTHYROID", 1)[0]
    if value is None:
        del ds[keyword]
    else:
        ds[keyword].value = value
        if value:
            # As a hand-written file would have it: pydicom itself warns but writes.
            ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    (tmp_path / "x.dcm").write_bytes(encoded(ds))
    assert reasons(scan_folder(tmp_path)) == {"x.dcm": reason}


def test_a_collection_is_never_overwritten_nor_left_half(folder: Path, tmp_path: Path) -> None:
    report = scan_folder(folder)
    destination = tmp_path / "collection"
    stage(report, destination)
    with pytest.raises(ConflictError, match="already there"):
        stage(report, destination)

    def interrupted(_progress: ImportProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(report, tmp_path / "second", interrupted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collection", "from CD"]


def test_a_file_that_changes_after_the_scan_is_left_out(folder: Path, tmp_path: Path) -> None:
    report = scan_folder(folder)
    (folder / "mr.dcm").write_bytes(b"gone")
    manifest = stage(report, tmp_path / "collection")
    assert manifest.instances == 1
    assert any("changed" in left.reason for left in manifest.left_out)


def test_no_folder_no_import(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        scan_folder(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="no collection"):
        load_manifest(tmp_path)


def test_all_of_pydicoms_own_files_are_judged_without_an_exception(tmp_path: Path) -> None:
    report = scan_folder(CT.parent)
    assert report.instances > 40
    stage(report, tmp_path / "out")
    assert len(list(collected_files(tmp_path / "out"))) == report.instances
