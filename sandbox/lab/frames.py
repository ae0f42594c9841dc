"""One frame of a stored image as PNG, windowed for the eye (PS3.3 C.11.1, C.11.2): for the simple viewer.

The stored values go through the modality transformation and the window; MONOCHROME1 is turned over. Colour is shown as
it is. What cannot be decoded is told in a sentence, as a workstation would.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, convert_color_space
from pydicom.pixels.utils import pixel_array

from sandbox.model.errors import BadInputError, ConflictError, NotFoundError

LARGEST_PIXELS = 64_000_000
"""Rows times columns of the largest frame that is drawn; more would let one image take the lab's memory."""


def frame_png(path: Path, frame: int, center: float | None = None, width: float | None = None) -> bytes:
    """Frame ``frame`` (from 1, as in PS3.3) of a Part 10 file. Without a window, the image's own or its full range."""
    try:
        dataset = dcmread(path)
    except Exception as wrong:
        raise ConflictError("This image's file cannot be read.", "Look at the file on the node's disk.") from wrong
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise BadInputError("This object holds no image.", "Reports and presentation states have nothing to draw.")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if not 1 <= frame <= frames:
        raise NotFoundError(f"There is no frame {frame}.", f"The image has {frames}.")
    if int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) > LARGEST_PIXELS:
        raise BadInputError("This image is too large to draw here.", "Use a full workstation.")
    try:
        pixels = pixel_array(dataset, index=frame - 1)
        shown = _colour(dataset, pixels) if pixels.ndim == 3 else _grey(dataset, pixels, center, width)
    except Exception as wrong:
        raise ConflictError(
            f"This image cannot be decoded ({dataset.file_meta.get('TransferSyntaxUID', 'unknown transfer syntax')}).",
            "Its pixel data is damaged, or compressed in a way that this viewer does not know.",
        ) from wrong
    buffer = io.BytesIO()
    Image.fromarray(shown).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _grey(dataset: Dataset, pixels: Any, center: float | None, width: float | None) -> Any:
    values = np.asarray(apply_modality_lut(pixels, dataset), dtype=np.float32)
    if center is None or width is None:
        center, width = _window(dataset, values)
    # PS3.3 C.11.2.1.2.1, the LINEAR function.
    spread = max(width - 1, 1e-6)
    scaled = np.clip(((values - (center - 0.5)) / spread + 0.5) * 255.0, 0, 255)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        scaled = 255.0 - scaled
    return np.rint(scaled).astype(np.uint8)


def _window(dataset: Dataset, values: Any) -> tuple[float, float]:
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is not None and width is not None and width >= 1:
        return center, width
    low, high = float(values.min()), float(values.max())
    return (low + high + 1) / 2, max(high - low + 1, 1.0)


def _first(value: Any) -> float | None:
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def _colour(dataset: Dataset, pixels: Any) -> Any:
    if str(dataset.get("PhotometricInterpretation", "")).startswith("YBR_FULL"):
        pixels = convert_color_space(pixels, "YBR_FULL", "RGB")
    return np.asarray(pixels, dtype=np.uint8)
