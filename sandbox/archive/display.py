"""A frame of a stored image the way a screen shows it, for workstations, the console's viewer and DICOMweb alike.

The grey pipeline is that of PS3.4 N.2: stored value, Modality LUT (or rescale slope and intercept), VOI window (or VOI
LUT), presentation (MONOCHROME1 inverts). Of a file only the asked frame's pixels are read. What cannot be shown is told
in words.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from sandbox.archive.header import UnreadableError, inflated
from sandbox.archive.part10 import NotPart10Error, opened
from sandbox.dicom.codecs import NO_PIXELS, can_decode, frames_of
from sandbox.model.errors import ConflictError, NotFoundError

LARGEST_PIXELS = 64_000_000
"""Rows times columns of the largest frame that is drawn; more would let one image take the process's memory."""

LARGEST_INFLATED = 256_000_000
"""Bytes of the largest deflated data set that is drawn: pydicom holds all of it in memory, twice."""

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_SHARE_OUTSIDE = 0.5
"""Per cent of pixels that may be clipped at each end when the header has no window and one is chosen."""


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """A window that somebody asks for, in the units after the Modality LUT; what is None is the image's own."""

    center: float | None = None
    width: float | None = None
    function: VoiFunction | None = None


AS_IT_IS = Window()


def render_frame(
    source: Path | Dataset, frame: int = 0, *, center: float | None = None, width: float | None = None
) -> bytes:
    """PNG bytes of one frame (from 0). Without ``center`` and ``width`` the header's own window is used, if it has one.

    Raises NotFoundError for a frame that is not there and ConflictError for what cannot be shown.
    """
    output = io.BytesIO()
    # Loopback is faster than zlib: little compression.
    Image.fromarray(shown_frame(source, frame, Window(center, width))).save(output, format="PNG", compress_level=1)
    return output.getvalue()


def shown_frame(source: Path | Dataset, frame: int = 0, window: Window = AS_IT_IS) -> NDArray[np.uint8]:
    """The pixels of one frame (from 0) as they are shown: rows by columns of grey, or by three of red, green and blue.

    Raises as ``render_frame`` does.
    """
    dataset = _header(source)
    try:
        frames = int(dataset.get("NumberOfFrames") or 1)
        pixels = int(dataset.get("Rows") or 0) * int(dataset.get("Columns") or 0)
    except (TypeError, ValueError) as wrong:
        raise _damaged(wrong) from wrong
    if not pixels and not isinstance(source, Dataset):
        raise _no_image()
    if not 0 <= frame < frames:
        raise NotFoundError(f"There is no frame {frame + 1}; the image has {frames}.")
    if pixels > LARGEST_PIXELS:
        raise _too_large()
    decoded = _decoded(source, dataset, frame)
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    try:
        return (
            _grey(dataset, decoded, photometric, frame, window)
            if photometric in _GREY
            else _colour(dataset, decoded, photometric)
        )
    except (AttributeError, IndexError, TypeError, ValueError) as wrong:
        raise _damaged(wrong) from wrong


def _header(source: Path | Dataset) -> Dataset:
    if isinstance(source, Dataset):
        return source
    try:
        _refuse_bombs(source)
        return dcmread(source, stop_before_pixels=True)
    except (OSError, InvalidDicomError, NotPart10Error, UnreadableError, EOFError, ValueError) as wrong:
        raise _unreadable() from wrong


def _refuse_bombs(source: Path) -> None:
    """A few kilobytes of a deflated data set can stand for gigabytes."""
    with opened(source) as (meta, dataset):
        if meta.transfer_syntax == DeflatedExplicitVRLittleEndian:
            size = 0
            for piece in inflated(dataset):
                size += len(piece)
                if size > LARGEST_INFLATED:
                    raise _too_large()


def _too_large() -> ConflictError:
    return ConflictError("This image is too large to be drawn here.", "Use a full workstation.")


def _decoded(source: Path | Dataset, dataset: Dataset, frame: int) -> NDArray[Any]:
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", ""))) if hasattr(dataset, "file_meta") else UID("")
    if isinstance(source, Dataset) and not any(keyword in source for keyword in PIXEL_KEYWORDS):
        raise _no_image()
    try:
        pixels, _ = next(frames_of(source, [frame]))
    except OSError as wrong:
        raise _unreadable() from wrong
    except (AttributeError, StopIteration, ValueError) as wrong:
        if str(wrong) == NO_PIXELS:
            raise _no_image() from wrong
        if syntax.is_encapsulated and not can_decode(syntax):
            raise ConflictError(
                f"The image cannot be shown: {syntax.name} cannot be decoded here.", "Its other copies may do."
            ) from wrong
        raise _damaged(wrong) from wrong
    return pixels


def _unreadable() -> ConflictError:
    return ConflictError("The image's file cannot be read.", "It may have been removed or damaged.")


def _no_image() -> ConflictError:
    return ConflictError("This object has no image to show.", "It may be a report or a presentation state.")


def _damaged(wrong: Exception) -> ConflictError:
    return ConflictError(f"The image cannot be shown: its pixel data are damaged ({wrong}).", "Retrieve it again.")


def _grey(dataset: Dataset, pixels: NDArray[Any], photometric: str, frame: int, window: Window) -> NDArray[np.uint8]:
    values = _modality_values(dataset, pixels, frame)
    voi = _functional(dataset, frame, "FrameVOILUTSequence") or dataset
    header_center, header_width = _number(voi, "WindowCenter"), _number(voi, "WindowWidth")
    center = header_center if window.center is None else window.center
    width = header_width if window.width is None else window.width
    if window == AS_IT_IS and center is None and voi.get("VOILUTSequence"):
        looked_up = np.asarray(apply_voi(values.astype(pixels.dtype), voi), dtype=np.float32)
        scaled = looked_up * (255.0 / (2 ** int(voi.VOILUTSequence[0].LUTDescriptor[2]) - 1))
    else:
        if center is None or width is None:
            low, high = np.percentile(_without_padding(dataset, pixels, values), [_SHARE_OUTSIDE, 100 - _SHARE_OUTSIDE])
            center = float(low + high) / 2 if center is None else center
            width = float(high - low) if width is None else width
        scaled = _WINDOWS[window.function or _function(voi)](values, center, width)
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return np.invert(shown) if photometric == "MONOCHROME1" else shown


def _modality_values(dataset: Dataset, pixels: NDArray[Any], frame: int) -> NDArray[np.float32]:
    if dataset.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(pixels, dataset), dtype=np.float32)
    holder = _functional(dataset, frame, "PixelValueTransformationSequence") or dataset
    slope, intercept = _number(holder, "RescaleSlope"), _number(holder, "RescaleIntercept")
    values: NDArray[np.float32] = pixels.astype(np.float32)
    return values * np.float32(1.0 if slope is None else slope) + np.float32(intercept or 0.0)


def _without_padding(dataset: Dataset, pixels: NDArray[Any], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values that say something: Pixel Padding Value (0028,0120) is no part of the image."""
    padding = _number(dataset, "PixelPaddingValue")
    if padding is None:
        return values
    inside = values[pixels != padding]
    return inside if inside.size else values


def _linear(values: NDArray[np.float32], center: float, width: float) -> NDArray[Any]:
    """PS3.3 C.11.2.1.2.1; its width is at least 1."""
    width = max(width, 1.0)
    return ((values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255


def _linear_exact(values: NDArray[np.float32], center: float, width: float) -> NDArray[Any]:
    """PS3.3 C.11.2.1.3.2."""
    return ((values - center) / max(width, 1e-6) + 0.5) * 255


def _sigmoid(values: NDArray[np.float32], center: float, width: float) -> NDArray[Any]:
    """PS3.3 C.11.2.1.3.1."""
    # Beyond 50 the exponential is the same in eight bits, and larger ones would overflow.
    steps = np.clip(-4 * (values - center) / max(width, 1e-6), -50, 50)
    result: NDArray[Any] = 255 / (1 + np.exp(steps))
    return result


_WINDOWS: dict[VoiFunction, Callable[[NDArray[np.float32], float, float], NDArray[Any]]] = {
    VoiFunction.LINEAR: _linear,
    VoiFunction.LINEAR_EXACT: _linear_exact,
    VoiFunction.SIGMOID: _sigmoid,
}


def _function(voi: Dataset) -> VoiFunction:
    named = str(voi.get("VOILUTFunction") or "")
    return VoiFunction(named) if named in list(VoiFunction) else VoiFunction.LINEAR


def _colour(dataset: Dataset, pixels: NDArray[Any], photometric: str) -> NDArray[np.uint8]:
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        return (pixels >> max(0, bits - 8)).astype(np.uint8)
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        raise ConflictError(f"Images that are {photometric or 'of no stated colour model'} cannot be shown.")
    stored = int(dataset.get("BitsStored", 8))
    return (pixels >> max(0, stored - 8)).astype(np.uint8)


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
