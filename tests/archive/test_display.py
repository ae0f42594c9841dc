"""A frame as a workstation shows it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import MPEG2MPML, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from sandbox.archive.display import LARGEST_PIXELS, VoiFunction, Window, render_frame, shown_frame
from sandbox.model.errors import ConflictError, NotFoundError


def image(pixels: NDArray[np.generic], photometric: str = "MONOCHROME2", **over: object) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    colour = photometric == "RGB"
    frames = pixels.ndim == (4 if colour else 3)
    if frames:
        dataset.NumberOfFrames = pixels.shape[0]
    dataset.Rows, dataset.Columns = pixels.shape[1:3] if frames else pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if colour else 1
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.PixelData = pixels.tobytes()
    for keyword, value in over.items():
        setattr(dataset, keyword, value)
    return dataset


def shown(dataset: Dataset, frame: int = 0, **window: float) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(render_frame(dataset, frame, **window))))


def test_rescale_and_window_of_the_header() -> None:
    stored = np.array([[0, 1024, 1064, 1104]], dtype=np.int16)
    dataset = image(stored, RescaleIntercept=-1024, RescaleSlope=1, WindowCenter=40, WindowWidth=80)
    black, zero, middle, white = shown(dataset)[0]
    assert (black, zero, white) == (0, 0, 255)
    assert abs(int(middle) - 128) <= 2


def test_a_window_that_is_asked_for_wins() -> None:
    stored = np.array([[0, 100, 200]], dtype=np.uint16)
    dataset = image(stored, WindowCenter=100, WindowWidth=200)
    assert list(shown(dataset, center=50, width=2)[0]) == [0, 255, 255]


def test_without_a_window_all_is_visible_and_monochrome1_is_inverted() -> None:
    stored = np.tile(np.arange(256, dtype=np.uint16) * 16, (4, 1))
    plain, inverted = shown(image(stored)), shown(image(stored, "MONOCHROME1"))
    assert plain[0, 0] < 3
    assert plain[0, -1] > 252
    assert inverted[0, 0] > 252


def test_colour_and_frames() -> None:
    red = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    red[1, ..., 0] = 255
    dataset = image(red, "RGB")
    assert shown(dataset, 0).max() == 0
    assert tuple(shown(dataset, 1)[0, 0]) == (255, 0, 0)
    with pytest.raises(NotFoundError, match="has 2"):
        render_frame(dataset, 2)


def test_rle_can_be_shown() -> None:
    stored = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    dataset = image(stored, WindowCenter=32, WindowWidth=64)
    expected = shown(dataset)
    dataset.compress(RLELossless, generate_instance_uid=False)
    assert (shown(dataset) == expected).all()


def test_what_cannot_be_shown_is_told() -> None:
    dataset = image(np.zeros((4, 4), dtype=np.uint8))
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    with pytest.raises(ConflictError, match="MPEG2 Main Profile"):
        render_frame(dataset)
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    with pytest.raises(ConflictError, match="damaged"):
        render_frame(dataset)
    del dataset.PixelData
    with pytest.raises(ConflictError, match="no image"):
        render_frame(dataset)
    short = image(np.zeros((4, 4), dtype=np.uint8))
    short.Rows = 400
    with pytest.raises(ConflictError, match="damaged"):
        render_frame(short)


@pytest.mark.parametrize(
    ("function", "middle", "end"), [("LINEAR", 127, 255), ("LINEAR_EXACT", 127, 254), ("SIGMOID", 127, 224)]
)
def test_the_three_voi_functions(function: str, middle: int, end: int) -> None:
    stored = np.array([[0, 100, 199]], dtype=np.uint16)
    asked = Window(100, 200, VoiFunction(function))
    named = image(stored, WindowCenter=100, WindowWidth=200, VOILUTFunction=function)
    drawn = shown_frame(image(stored), 0, asked)
    assert (drawn == shown_frame(named)).all()
    assert abs(int(drawn[0, 1]) - middle) <= 2
    assert abs(int(drawn[0, 2]) - end) <= 2


def test_padding_does_not_darken_the_image() -> None:
    stored = np.tile(np.arange(1000, 1256, dtype=np.int16), (4, 1))
    stored[:, :32] = -2000
    drawn = shown_frame(image(stored, PixelPaddingValue=-2000))
    assert drawn[0, 32] < 3
    assert drawn[0, -1] > 252


def test_a_frame_of_a_file_is_that_of_the_dataset(tmp_path: Path) -> None:
    stored = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    dataset = image(stored, WindowCenter=24, WindowWidth=48)
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.2", "1.2.3"
    path = tmp_path / "image.dcm"
    for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)
        for frame in range(3):
            assert render_frame(path, frame) == render_frame(dataset, frame)
        with pytest.raises(NotFoundError, match="has 3"):
            render_frame(path, 3)


def test_files_that_cannot_be_shown_are_told(tmp_path: Path) -> None:
    path = tmp_path / "it.dcm"
    with pytest.raises(ConflictError, match="cannot be read"):
        render_frame(path)
    path.write_bytes(b"no DICOM")
    with pytest.raises(ConflictError, match="cannot be read"):
        render_frame(path)
    report = image(np.zeros((4, 4), dtype=np.uint8))
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3"
    del report.PixelData
    report.save_as(path, enforce_file_format=True)
    with pytest.raises(ConflictError, match="no image"):
        render_frame(path)


def test_an_image_that_claims_to_be_huge_is_not_drawn() -> None:
    huge = image(np.zeros((4, 4), dtype=np.uint8))
    huge.Rows = huge.Columns = 65535
    assert huge.Rows * huge.Columns > LARGEST_PIXELS
    with pytest.raises(ConflictError, match="too large"):
        render_frame(huge)
