"""Pixel data decoded frame by frame, whatever standard transfer syntax they are stored in (PS3.5 8.2, annex A).

pydicom finds the frames and mends what their headers get wrong (sign, unused bits, colour model); JPEG Baseline is
Pillow's and RLE pydicom's own, all else is decoded by imagecodecs: libjpeg-turbo, CharLS, OpenJPEG and OpenJPH. The
decoders here are ours alone: nothing is registered with pydicom. What cannot be decoded raises ValueError, in words.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.common import PhotometricInterpretation as Photometric
from pydicom.pixels.decoders.base import Decoder, DecodeRunner, get_decoder
from pydicom.pixels.utils import _get_jpg_parameters, as_pixel_options, get_j2k_parameters
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    UID,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
)

PIXEL_TAGS: dict[int, str] = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
LARGEST_FRAME = 1 << 31
"""Bytes of one decoded frame; what claims more would let one image take the process's memory."""

NO_PIXELS = "there are no pixel data to decode"
_UNDEFINED = 0xFFFFFFFF
# Pixels, and what now holds of them (image pixel module, in pydicom's names).
Frame = tuple[NDArray[Any], dict[str, str | int]]


@dataclass(frozen=True)
class PixelPlace:
    """Where the value of the pixel data lies; ``length`` None is encapsulated (PS3.5 A.4)."""

    tag: int
    vr: str
    start: int
    length: int | None


def can_decode(transfer_syntax: str) -> bool:
    """Whether pixel data of a transfer syntax can be had uncompressed here."""
    syntax = UID(transfer_syntax)
    return syntax.is_transfer_syntax and not syntax.is_private and _decoder(str(syntax)) is not None


def decode_frames(
    header: Dataset,
    pixels: BinaryIO | bytes,
    transfer_syntax: str,
    indices: Sequence[int] | None = None,
    *,
    keyword: str = "PixelData",
    vr: str = "OW",
    as_rgb: bool = True,
) -> Iterator[Frame]:
    """Frames (from 0; all if none are named) as arrays, colour by pixel, each with the image pixel values that now hold
    (photometric_interpretation, bits_allocated …).

    ``pixels`` is the value of the pixel data, or a file at its beginning; ``vr`` its VR, which matters to 8-bit samples
    in big endian. ``as_rgb`` turns YBR_FULL into RGB.
    """
    syntax = UID(transfer_syntax)
    decoder = _decoder(transfer_syntax)
    if decoder is None:
        raise ValueError(f"{syntax.name} cannot be decoded here")
    try:
        options = as_pixel_options(header, pixel_keyword=keyword, pixel_vr=vr)
        size = _frame_size(options)
        if size > LARGEST_FRAME:
            raise ValueError(f"a frame would take {size} bytes")
        yield from decoder.iter_array(
            pixels, indices=None if indices is None else list(indices), as_rgb=as_rgb, **options
        )
    except Exception as wrong:
        # pydicom and the codecs raise many kinds of errors for damaged data; they all mean this.
        raise ValueError(_reason(wrong)) from wrong


def frames_of(source: Path | BinaryIO | Dataset, indices: Sequence[int] | None = None) -> Iterator[Frame]:
    """Frames of an instance, colour as RGB. Of a file only the named frames' pixels are read."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from frames_of(file, indices)
    elif isinstance(source, Dataset):
        yield from _frames_in_memory(source, indices)
    else:
        source.seek(0)
        header = dcmread(source, stop_before_pixels=True)
        syntax = UID(str(header.file_meta.TransferSyntaxUID))
        if syntax == DeflatedExplicitVRLittleEndian:
            # The pixels' place is known only after inflating all of it.
            source.seek(0)
            yield from _frames_in_memory(dcmread(source), indices)
            return
        place = pixel_place(source, syntax)
        if place is None:
            raise ValueError(NO_PIXELS)
        source.seek(place.start)
        yield from decode_frames(header, source, syntax, indices, keyword=PIXEL_TAGS[place.tag], vr=place.vr)


def _frames_in_memory(dataset: Dataset, indices: Sequence[int] | None) -> Iterator[Frame]:
    keyword = next((one for one in PIXEL_TAGS.values() if one in dataset), None)
    if keyword is None:
        raise ValueError(NO_PIXELS)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    element = dataset[keyword]
    yield from decode_frames(dataset, element.value, syntax, indices, keyword=keyword, vr=element.VR)


def pixel_place(file: BinaryIO, syntax: UID) -> PixelPlace | None:
    """The pixel data at which reading stopped, or None at the end of the file."""
    at = file.tell()
    order = "<" if syntax.is_little_endian else ">"
    head = file.read(12)
    if len(head) < 8:
        return None
    group, element = struct.unpack_from(order + "HH", head)
    tag = group << 16 | element
    if tag not in PIXEL_TAGS:
        return None
    # Some write the pixel data of an explicit VR data set without a VR; pydicom reads them, so do we.
    if syntax.is_implicit_VR or not head[4:6].isalpha():
        vr, length, start = "OW", struct.unpack_from(order + "I", head, 4)[0], at + 8
    elif len(head) == 12:
        vr, length, start = head[4:6].decode("latin-1"), struct.unpack_from(order + "I", head, 8)[0], at + 12
    else:
        return None
    return PixelPlace(tag, vr, start, None if length == _UNDEFINED else length)


def _frame_size(options: dict[str, Any]) -> int:
    samples = int(options.get("samples_per_pixel") or 1) * int(options.get("bits_allocated") or 8)
    return int(options.get("rows") or 0) * int(options.get("columns") or 0) * samples // 8


def _reason(wrong: Exception) -> str:
    """The cause in one line; pydicom wraps what a codec said in lines of its own."""
    lines = str(wrong).strip().splitlines()
    return lines[-1].strip().removeprefix("imagecodecs: ") if lines else type(wrong).__name__


# --- codecs ----------------------------------------------------------------------------------------------------------


@cache
def _decoder(transfer_syntax: str) -> Decoder | None:
    """The decoder of a transfer syntax: pydicom's, or one of our own with imagecodecs in it."""
    syntax = UID(transfer_syntax)
    codec = _CODECS.get(syntax)
    if codec is not None:
        own = Decoder(syntax)
        own._available = {"imagecodecs": codec}
        return own
    try:
        known = get_decoder(syntax)
    except NotImplementedError:
        return None
    return known if known.is_available else None


def _jpeg(source: bytes, runner: DecodeRunner) -> bytearray:
    """JPEG with Huffman coding: lossless, and extended with 12 bits. The samples come as they are coded: what colour
    they are is for pydicom to say."""
    from imagecodecs import jpeg8_decode

    _check_size(_get_jpg_parameters(source), runner)
    same = "RGB" if runner.samples_per_pixel == 3 else None
    return _taken(jpeg8_decode(source, colorspace=same, outcolorspace=same), runner)


def _jpeg_ls(source: bytes, runner: DecodeRunner) -> bytearray:
    from imagecodecs import jpegls_decode

    _check_size(_get_jpg_parameters(source), runner)
    return _taken(jpegls_decode(source), runner)


def _jpeg_2000(source: bytes, runner: DecodeRunner) -> bytearray:
    from imagecodecs import jpeg2k_decode

    return _wavelet(source, runner, jpeg2k_decode)


def _htj2k(source: bytes, runner: DecodeRunner) -> bytearray:
    from imagecodecs import htj2k_decode

    return _wavelet(source, runner, htj2k_decode)


def _wavelet(source: bytes, runner: DecodeRunner, decode: Callable[[bytes], NDArray[Any]]) -> bytearray:
    _check_size(_sizes_of_codestream(source), runner)
    taken = _taken(decode(source), runner)
    if runner.photometric_interpretation in (Photometric.YBR_ICT, Photometric.YBR_RCT):
        # The colour transform is part of the codestream and was undone with it (PS3.5 8.2.4).
        runner.set_option("photometric_interpretation", Photometric.RGB)
    return taken


def _taken(decoded: NDArray[Any], runner: DecodeRunner) -> bytearray:
    """What a codec gave, in as many bits as it gave it and colour by pixel; it must be the image of the header."""
    shape: tuple[int, ...] = (runner.rows, runner.columns)
    if runner.samples_per_pixel > 1:
        shape = (*shape, runner.samples_per_pixel)
    if decoded.shape == (runner.samples_per_pixel, runner.rows, runner.columns):
        decoded = np.moveaxis(decoded, 0, -1)
    if decoded.shape != shape:
        raise ValueError(f"the compressed image is {_by(decoded.shape)} and the header says {_by(shape)}")
    runner.set_option("bits_allocated", 8 * decoded.dtype.itemsize)
    runner.set_option("planar_configuration", 0)
    return bytearray(np.ascontiguousarray(decoded).tobytes())


def _check_size(said: dict[str, Any], runner: DecodeRunner) -> None:
    """Refuse a codestream that is not the header's size before it is given memory."""
    inside = said.get("height"), said.get("width")
    if None not in inside and inside != (runner.rows, runner.columns):
        raise ValueError(f"the compressed image is {inside[0]} x {inside[1]}, not {runner.rows} x {runner.columns}")


def _sizes_of_codestream(source: bytes) -> dict[str, Any]:
    """Height and width of a JPEG 2000 codestream (ISO/IEC 15444-1 A.5.1: SIZ is the first marker after SOC)."""
    at = source.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(source) < at + 24 or not get_j2k_parameters(source[at:]):
        return {}
    width, height, left, top = struct.unpack_from(">4I", source, at + 8)
    return {"height": height - top, "width": width - left}


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


# JPEG Baseline is not among them: Pillow's colours are what everybody else shows.
_CODECS: dict[UID, Callable[[bytes, DecodeRunner], bytearray]] = {
    JPEGExtended12Bit: _jpeg,
    JPEGLossless: _jpeg,
    JPEGLosslessSV1: _jpeg,
    **dict.fromkeys(JPEGLSTransferSyntaxes, _jpeg_ls),
    **dict.fromkeys((JPEG2000, JPEG2000Lossless, JPEG2000MC, JPEG2000MCLossless), _jpeg_2000),
    **dict.fromkeys((HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL), _htj2k),
}
