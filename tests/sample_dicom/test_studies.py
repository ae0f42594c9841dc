"""Studies: valid by dciodvfy, deterministic, distinct, geometrically sound, and worth looking at."""

from __future__ import annotations

import subprocess
import sys
import time
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian

from sample_dicom.procedures import PROCEDURES, procedures_for
from sample_dicom.station import Size
from tests.sample_dicom.making import STATION, encoded, study

DCIODVFY = Path(sys.executable).with_name("dciodvfy")
CODES = [line.code for line in PROCEDURES]
EXPECTED = {
    "CT": {"CT Image Storage"},
    "MR": {"MR Image Storage"},
    "DX": {"Digital X-Ray Image Storage - For Presentation"},
    "US": {"Ultrasound Image Storage", "Ultrasound Multi-frame Image Storage"},
}
MIDDLE_BAND = {"CT": (0.02, 0.9), "MR": (0.02, 0.7), "DX": (0.05, 0.8), "US": (0.03, 0.6)}
"""Mean brightness, 0 to 1, that a reader finds at the window the header proposes."""

LOOKABLE = Size(matrix=128, slices=6, film=256, sonogram=240, stills=3, cine_frames=6)


def shown(ds) -> np.ndarray:
    """The picture as a workstation first shows it, 0 to 1."""
    pixels = ds.pixel_array.astype(float) * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
    low = float(ds.WindowCenter) - float(ds.WindowWidth) / 2
    return np.clip((pixels - low) / float(ds.WindowWidth), 0, 1)


@pytest.mark.parametrize("seed", [1, 2, 77])
@pytest.mark.parametrize("code", CODES)
def test_dciodvfy_finds_no_error(code: str, seed: int, tmp_path: Path) -> None:
    instances = study(code, seed)
    # One of each kind within the study: the first and the last of every series.
    by_series: dict[str, list] = {}
    for ds in instances:
        by_series.setdefault(f"{ds.SeriesInstanceUID} {ds.SOPClassUID}", []).append(ds)
    for number, series in enumerate(by_series.values()):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(encoded(series[-1]))
        ran = subprocess.run([DCIODVFY, path], capture_output=True, text=True, timeout=60, check=False)
        assert "Error" not in ran.stderr, ran.stderr
        warnings = [line for line in ran.stderr.splitlines() if "Warning" in line and "99RIVERSIDE" not in line]
        assert len(warnings) <= 1, warnings


@pytest.mark.parametrize("code", CODES)
def test_a_study_hangs_together(code: str) -> None:
    instances = study(code)
    modality = code[:2]
    assert {ds.SOPClassUID.name for ds in instances} == EXPECTED[modality]
    assert len({ds.StudyInstanceUID for ds in instances}) == 1
    assert len({ds.SOPInstanceUID for ds in instances}) == len(instances)
    for ds in instances:
        assert ds.Modality == modality
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert UID(ds.SOPInstanceUID).is_valid
        assert ds.SpecificCharacterSet == "ISO_IR 192"
        assert ds.StationName == STATION.station_name
        assert ds.RequestAttributesSequence[0].AccessionNumber == ds.AccessionNumber
        back = dcmread(BytesIO(encoded(ds)))
        assert str(back.PatientName) == str(ds.PatientName)
        assert back.pixel_array.shape[-2:] == (ds.Rows, ds.Columns)


@pytest.mark.parametrize("code", ["CTHEADWO", "MRKNEEL", "DXCHEST2V", "USTHYROID"])
def test_the_same_seed_gives_the_same_bytes(code: str) -> None:
    assert [encoded(ds) for ds in study(code, 9)] == [encoded(ds) for ds in study(code, 9)]


@pytest.mark.parametrize("code", ["CTABDPELW", "MRBRAINWO", "DXHANDL", "USABDCOMP"])
def test_another_seed_shares_nothing(code: str) -> None:
    one, other = study(code, 1), study(code, 2)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert not {ds[keyword].value for ds in one} & {ds[keyword].value for ds in other}
    assert one[-1].PixelData != other[-1].PixelData


def test_an_element_of_one_instance_can_be_changed_alone() -> None:
    first, second, *_ = study("MRKNEEL")
    first.PatientName = "Somebody^Else"
    first.RequestAttributesSequence[0].AccessionNumber = "X"
    assert second.PatientName != first.PatientName
    assert second.RequestAttributesSequence[0].AccessionNumber != "X"


@pytest.mark.parametrize("code", ["CTHEADWO", "CTCHESTPE", "CTABDPELW", "MRBRAINWO", "MRKNEER", "MRLSPINE"])
def test_stacks_have_even_geometry_and_scroll(code: str) -> None:
    by_series: dict[str, list] = {}
    for ds in study(code, 4, LOOKABLE):
        by_series.setdefault(ds.SeriesInstanceUID, []).append(ds)
    stacks = [series for series in by_series.values() if len(series) > 1]
    assert stacks
    for series in stacks:
        normal = np.cross(*np.array(series[0].ImageOrientationPatient, float).reshape(2, 3))
        places = [float(np.dot(normal, np.array(ds.ImagePositionPatient, float))) for ds in series]
        steps = np.diff(places)
        assert np.allclose(steps, steps[0], atol=0.01)
        assert abs(steps[0]) > 0.5
        pictures = [shown(ds) for ds in series]
        for here, there in pairwise(pictures):
            assert np.abs(here - there).mean() > 0.01
        # Neighbours are more alike than slices further apart: it is a body, not a shuffle.
        near = np.mean([np.abs(a - b).mean() for a, b in pairwise(pictures)])
        far = np.mean([np.abs(a - b).mean() for a, b in zip(pictures, pictures[3:], strict=False)])
        assert near < far


@pytest.mark.parametrize("seed", [1, 5])
@pytest.mark.parametrize("code", CODES)
def test_the_window_of_the_header_shows_a_picture(code: str, seed: int) -> None:
    low, high = MIDDLE_BAND[code[:2]]
    instances = study(code, seed, LOOKABLE)
    middle = instances[len(instances) // 2]
    for ds in (middle, instances[-1]):
        picture = shown(ds)
        if ds is middle or code[:2] in ("DX", "US"):
            assert low < picture.mean() < high
            assert picture.std() > 0.08
        assert picture.max() > 0.5


def test_hounsfield_units_are_those_of_tissue() -> None:
    middle = study("CTABDWO", 3, LOOKABLE)[-2]
    units = middle.pixel_array.astype(int) + int(middle.RescaleIntercept)
    assert np.percentile(units, 2) < -900
    body = units[units > -200]
    assert -110 < np.median(body) < 70
    assert 300 < units.max() < 2500


def test_a_cine_moves_and_a_still_does_not_repeat() -> None:
    instances = study("USABDCOMP", 6, LOOKABLE)
    cine = instances[-1]
    frames = cine.pixel_array
    assert frames.shape[0] == cine.NumberOfFrames == LOOKABLE.cine_frames
    assert all((a != b).any() for a, b in pairwise(frames))
    assert len({ds.PixelData for ds in instances}) == len(instances)


def test_a_prior_of_the_same_person_shows_the_same_body() -> None:
    first = study("CTHEADWO", 8, LOOKABLE)[-3]
    again = study("CTHEADWO", 8, LOOKABLE)[-3]
    assert np.array_equal(first.pixel_array, again.pixel_array)


def test_left_and_right_are_mirrored() -> None:
    left, right = study("DXHANDL", 2)[0], study("DXHANDR", 2)[0]
    assert (left.ImageLaterality, right.ImageLaterality) == ("L", "R")
    assert left.PatientOrientation[0] != right.PatientOrientation[0]


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "US"])
def test_a_default_study_is_quick(modality: str) -> None:
    code = procedures_for(modality)[0].code
    study(code, 1, Size())
    spent = time.process_time()
    study(code, 2, Size())
    assert time.process_time() - spent < 1.5
