"""A frame of an image as a PNG, the way a workstation shows it: rescaled, windowed, inverted where the header says so.

The grey pipeline is that of PS3.4 N.2: stored value, Modality LUT (rescale slope and intercept), VOI window,
presentation (MONOCHROME1 inverts). What cannot be decoded is told in words.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from sandbox.model.errors import NotFoundError, UnavailableError

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_SHARE_OUTSIDE = 0.5
"""Per cent of pixels that may be clipped at each end when the header has no window and one is chosen."""


def render_frame(
    source: Path | Dataset, frame: int = 0, *, center: float | None = None, width: float | None = None
) -> bytes:
    """PNG bytes of one frame (from 0). Without ``center`` and ``width`` the header's own window is used, if it has one.

    Raises NotFoundError for a frame that is not there and UnavailableError for what cannot be shown.
    """
    dataset = _read(source)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if not 0 <= frame < frames:
        raise NotFoundError(f"There is no frame {frame + 1}; the image has {frames}.")
    pixels = _decoded(dataset, frame)
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    shown = (
        _grey(dataset, pixels, photometric, frame, center, width) if photometric in _GREY else _colour(dataset, pixels)
    )
    output = io.BytesIO()
    # Loopback is faster than zlib: little compression.
    Image.fromarray(shown).save(output, format="PNG", compress_level=1)
    return output.getvalue()


def _read(source: Path | Dataset) -> Dataset:
    if isinstance(source, Dataset):
        return source
    try:
        return dcmread(source)
    except (OSError, InvalidDicomError) as wrong:
        raise UnavailableError("The image's file cannot be read.", "It may have been removed or damaged.") from wrong


def _decoded(dataset: Dataset, frame: int) -> NDArray[Any]:
    if "PixelData" not in dataset:
        raise UnavailableError("This object has no image to show.", "It may be a report or a presentation state.")
    try:
        return pixel_array(dataset, index=frame, raw=True)
    except Exception as wrong:
        # pydicom raises many kinds of errors for a missing decoder and for damaged data.
        syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", ""))) if hasattr(dataset, "file_meta") else UID("")
        if syntax.is_compressed:
            raise UnavailableError(
                f"The image cannot be shown: {syntax.name} cannot be decoded here.", "Its other copies may do."
            ) from wrong
        raise UnavailableError(
            f"The image cannot be shown: its pixel data are damaged ({wrong}).", "Retrieve it again."
        ) from wrong


def _grey(
    dataset: Dataset, pixels: NDArray[Any], photometric: str, frame: int, center: float | None, width: float | None
) -> NDArray[np.uint8]:
    slope, intercept = _rescale(dataset, frame)
    values = pixels.astype(np.float32) * slope + intercept
    header_center, header_width = _window(dataset, frame)
    center = header_center if center is None else center
    width = header_width if width is None else width
    if center is None or width is None:
        low, high = np.percentile(values, [_SHARE_OUTSIDE, 100 - _SHARE_OUTSIDE])
        center = float(low + high) / 2 if center is None else center
        width = float(high - low) if width is None else width
    # The linear function of PS3.3 C.11.2.1.2.1; its width is at least 1.
    width = max(width, 1.0)
    scaled = ((values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return np.invert(shown) if photometric == "MONOCHROME1" else shown


def _colour(dataset: Dataset, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        return (pixels >> max(0, bits - 8)).astype(np.uint8)
    if photometric.startswith("YBR_FULL"):
        pixels = convert_color_space(pixels, photometric, "RGB")
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        raise UnavailableError(f"Images that are {photometric or 'of no stated colour model'} cannot be shown.")
    stored = int(dataset.get("BitsStored", 8))
    return (pixels >> max(0, stored - 8)).astype(np.uint8)


def _rescale(dataset: Dataset, frame: int) -> tuple[float, float]:
    holder = _functional(dataset, frame, "PixelValueTransformationSequence") or dataset
    slope, intercept = _number(holder, "RescaleSlope"), _number(holder, "RescaleIntercept")
    return (1.0 if slope is None else slope), (0.0 if intercept is None else intercept)


def _window(dataset: Dataset, frame: int) -> tuple[float | None, float | None]:
    holder = _functional(dataset, frame, "FrameVOILUTSequence") or dataset
    return _number(holder, "WindowCenter"), _number(holder, "WindowWidth")


def _functional(dataset: Dataset, frame: int, macro: str) -> Dataset | None:
    """The functional group of an enhanced image (PS3.3 C.7.6.16): the frame's own, or the one shared by all."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for groups in (per_frame[frame : frame + 1], shared[:1]):
        for group in groups:
            items = group.get(macro) or []
            if items:
                found: Dataset = items[0]
                return found
    return None


def _number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of a decimal string; None when there is none that makes sense."""
    try:
        value = dataset.get(keyword)
        if isinstance(value, MultiValue | list):
            value = value[0] if value else None
        return None if value in (None, "") else float(value)
    except (ValueError, TypeError):
        return None
