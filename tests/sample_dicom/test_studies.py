"""Studies: valid by dciodvfy, deterministic, distinct, geometrically sound, and worth looking at."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian

from sample_dicom.orders import make_order
from sample_dicom.procedures import PROCEDURES, procedure, procedures_for
from sample_dicom.station import Size
from sample_dicom.studies import make_study
from tests.sample_dicom.making import STATION, WHEN, encoded, study

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


@pytest.mark.parametrize("years", [0, 3, 9, 95])
@pytest.mark.parametrize("code", ["CTHEADWO", "CTCHESTPE", "MRLSPINE", "DXCHEST2V"])
def test_every_age_has_a_picture_on_every_slice(code: str, years: int) -> None:
    order = make_order(random.Random(4), code[:2], WHEN, procedure=procedure(code))
    patient = order.patient.model_copy(update={"birth_date": (WHEN - timedelta(days=365 * years + 40)).date()})
    order = order.model_copy(update={"patient": patient})
    for ds in make_study(order, seed=4, when=WHEN, station=STATION, size=LOOKABLE):
        assert shown(ds).std() > 0.04
        assert ds.PatientAge in ("001M", f"{years:03d}Y")


def test_a_cine_moves_and_a_still_does_not_repeat() -> None:
    instances = study("USABDCOMP", 6, LOOKABLE)
    cine = instances[-1]
    frames = cine.pixel_array
    assert frames.shape[0] == cine.NumberOfFrames == LOOKABLE.cine_frames
    assert all((a != b).any() for a, b in pairwise(frames))
    assert len({ds.PixelData for ds in instances}) == len(instances)


def test_a_prior_of_the_same_person_shows_the_same_body() -> None:
    order = make_order(random.Random(8), "CT", WHEN, procedure=procedure("CTHEADWO"))
    earlier = order.model_copy(update={"accession_number": "EARLIER"})
    now, then, other = (
        list(make_study(one, seed=seed, when=when, station=STATION, size=LOOKABLE))
        for one, seed, when in ((order, 8, WHEN), (earlier, 8, WHEN - timedelta(days=90)), (order, 9, WHEN))
    )
    assert now[3].StudyInstanceUID != then[3].StudyInstanceUID
    same, strange = (
        np.abs(now[3].pixel_array.astype(int) - them[3].pixel_array.astype(int)).mean() for them in (then, other)
    )
    # Noise differs from day to day; bones do not.
    assert same < 0.3 * strange


def test_left_and_right_are_mirrored() -> None:
    left, right = study("DXHANDL", 2, LOOKABLE)[0], study("DXHANDR", 2, LOOKABLE)[0]
    assert (left.ImageLaterality, right.ImageLaterality) == ("L", "R")
    # The thumb is on the picture's left of a right hand, on the right of a left one.
    row = slice(left.Rows * 2 // 5, left.Rows * 3 // 5)
    middle = left.Columns // 2
    for ds, thumb in ((right, slice(0, middle)), (left, slice(middle, None))):
        band = ds.pixel_array[row].astype(int)
        other = slice(middle, None) if thumb.start == 0 else slice(0, middle)
        assert (band[:, thumb] > 600).any(axis=0).sum() > (band[:, other] > 600).any(axis=0).sum()
    side_left, side_right = study("DXKNEEL", 2)[1], study("DXKNEER", 2)[1]
    assert (side_left.PatientOrientation[0], side_right.PatientOrientation[0]) == ("A", "P")


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "US"])
def test_a_default_study_is_quick(modality: str) -> None:
    code = procedures_for(modality)[0].code
    study(code, 1, Size())
    spent = time.process_time()
    study(code, 2, Size())
    assert time.process_time() - spent < 6
