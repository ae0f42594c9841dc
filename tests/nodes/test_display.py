"""A frame as a workstation shows it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from sandbox.model.errors import NotFoundError, UnavailableError
from sandbox.nodes.display import render_frame


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
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    with pytest.raises(UnavailableError, match="JPEG-LS"):
        render_frame(dataset)
    del dataset.PixelData
    with pytest.raises(UnavailableError, match="no image"):
        render_frame(dataset)
    short = image(np.zeros((4, 4), dtype=np.uint8))
    short.Rows = 400
    with pytest.raises(UnavailableError, match="damaged"):
        render_frame(short)
