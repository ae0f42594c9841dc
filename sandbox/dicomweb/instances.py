"""A stored instance opened: its header read, its pixel data left in the file, frames taken from there one at a time.

A deflated data set is inflated into an unnamed file first, so that everything here finds its place by offset, in bytes.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, get_frame
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from sandbox.archive.display import LARGEST_PIXELS
from sandbox.archive.part10 import NotPart10Error, file_head, opened
from sandbox.dicom.codecs import frames_of
from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb.multipart import PIECE, file_pieces
from sandbox.model.errors import ConflictError, NotFoundError, UnavailableError

_UNDEFINED = 0xFFFFFFFF
_MAX_INFLATED = 1 << 30
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})


@dataclass(frozen=True)
class PixelPlace:
    """Where the value of the pixel data lies in the file; ``length`` None is encapsulated (PS3.5 A.4)."""

    tag: int
    vr: str
    start: int
    length: int | None


@dataclass(frozen=True)
class OpenInstance:
    """An instance for as long as its file is open. ``header`` is the data set up to the pixel data."""

    stored: StoredObject
    file: BinaryIO
    header: Dataset
    syntax: UID
    pixels: PixelPlace | None

    @property
    def frames(self) -> int:
        """How many frames the image has; none if it is no image."""
        return number_of(self.header, "NumberOfFrames", 1) if self.pixels is not None else 0

    @property
    def is_native(self) -> bool:
        return self.pixels is not None and self.pixels.length is not None


def is_whole(stored: StoredObject) -> bool:
    """Whether an instance's file is there, and of the size it was stored with; a damaged one is not given out."""
    try:
        return stored.size in (None, stored.path.stat().st_size)
    except OSError:
        return False


@contextmanager
def open_instance(stored: StoredObject) -> Iterator[OpenInstance]:
    """Open an instance's file. Raises UnavailableError if it cannot be read."""
    with ExitStack() as held:
        try:
            if not is_whole(stored):
                raise NotPart10Error("It is not as it was stored.")
            file = held.enter_context(_plain_file(stored))
            header = dcmread(file, stop_before_pixels=True)
            syntax = UID(str(header.file_meta.TransferSyntaxUID))
            pixels = _pixel_place(file, syntax)
        except (OSError, InvalidDicomError, NotPart10Error, AttributeError, ValueError, struct.error) as wrong:
            raise UnavailableError(
                f"The file of {stored.sop_instance} cannot be read.", "Look at the archive's directory."
            ) from wrong
        yield OpenInstance(stored, file, header, syntax, pixels)


def number_of(header: Dataset, keyword: str, otherwise: int = 0) -> int:
    """An integer of the header; ``otherwise`` if it is missing or none."""
    try:
        return int(header.get(keyword) or otherwise)
    except (TypeError, ValueError):
        return otherwise


def check_frames(instance: OpenInstance, numbers: Sequence[int]) -> None:
    """Raises NotFoundError for frames (from 1) that are not there, ConflictError for an object without any."""
    if instance.pixels is None:
        raise ConflictError("This object has no frames.", "It may be a report or a presentation state.")
    beyond = [number for number in numbers if number > instance.frames]
    if beyond:
        raise NotFoundError(f"There is no frame {beyond[0]}; the image has {instance.frames}.")


def encoded_frames(instance: OpenInstance, numbers: Sequence[int]) -> Iterator[bytes]:
    """Frames (from 1) of encapsulated pixel data as they are stored."""
    place, total = instance.pixels, instance.frames
    if place is None or place.length is not None:
        raise ConflictError("The pixel data of this image are not compressed.")
    file, offsets = instance.file, _extended_offsets(instance.header)
    file.seek(place.start)
    try:
        if len(numbers) > 1 and all(one < two for one, two in pairwise(numbers)):
            wanted = frozenset(numbers)
            # One walk over the fragments instead of one for each frame.
            for number, frame in enumerate(
                generate_frames(file, number_of_frames=total, extended_offsets=offsets), start=1
            ):
                if number in wanted:
                    yield frame
                if number == numbers[-1]:
                    return
            raise ValueError("there are fewer frames than the header says")
        for number in numbers:
            file.seek(place.start)
            yield get_frame(file, number - 1, number_of_frames=total, extended_offsets=offsets)
    except (ValueError, struct.error, EOFError, IndexError) as wrong:
        raise damaged(wrong) from wrong


def plain_frames(instance: OpenInstance, numbers: Sequence[int]) -> Iterator[Iterator[bytes]]:
    """Frames (from 1) uncompressed in little endian, each as pieces of bytes."""
    length = _sliced_length(instance)
    if length is None:
        for pixels in decoded_frames(instance, [number - 1 for number in numbers]):
            yield iter((frame_bytes(pixels, instance.header),))
        return
    place = instance.pixels
    for number in numbers:
        start = length * (number - 1)
        if place is None or place.length is None or start + length > place.length:
            raise damaged(ValueError("there are fewer bytes than the header says"))
        yield file_pieces(instance.file, place.start + start, length)


def decoded_frames(instance: OpenInstance, indices: Sequence[int] | None = None) -> Iterator[NDArray[Any]]:
    """Frames (from 0; all if none are named) as arrays, colour as RGB. A header that promises more pixels than anybody
    draws is not believed: a few bytes must not become the machine's memory."""
    if number_of(instance.header, "Rows") * number_of(instance.header, "Columns") > LARGEST_PIXELS:
        raise damaged(ValueError("the frames are too large"))
    try:
        for pixels, _ in frames_of(instance.file, indices):
            yield pixels
    except (AttributeError, ValueError) as wrong:
        raise damaged(wrong) from wrong


def frame_bytes(pixels: NDArray[Any], header: Dataset) -> bytes:
    """A decoded frame as Pixel Data holds it in little endian; single bits packed (PS3.5 8.1.1)."""
    if number_of(header, "BitsAllocated") == 1:
        return np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    return pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()


def damaged(wrong: Exception) -> ConflictError:
    return ConflictError(f"The pixel data cannot be decoded ({wrong}).", "Ask for them as they are stored.")


@contextmanager
def _plain_file(stored: StoredObject) -> Iterator[BinaryIO]:
    if stored.transfer_syntax != DeflatedExplicitVRLittleEndian:
        with stored.path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(dir=_scratch(stored.path)) as inflated, opened(stored.path) as (_, data):
        inflated.write(file_head(stored.sop_class, stored.sop_instance, ExplicitVRLittleEndian))
        for piece in _inflated(data):
            inflated.write(piece)
        inflated.flush()
        inflated.seek(0)
        yield inflated


def _inflated(data: memoryview) -> Iterator[bytes]:
    stream, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for start in range(0, len(data), PIECE):
        rest: bytes | memoryview = data[start : start + PIECE]
        while rest:
            piece = stream.decompress(rest, PIECE)
            rest, size = stream.unconsumed_tail, size + len(piece)
            if size > _MAX_INFLATED:
                raise ValueError("it inflates to more than 1 GiB")
            yield piece


def _scratch(path: Path) -> Path:
    """A directory on the archive's own disk; /tmp may be memory."""
    return path.parent


def _pixel_place(file: BinaryIO, syntax: UID) -> PixelPlace | None:
    """The pixel data at which reading stopped, or None at the end of the file."""
    at = file.tell()
    order = "<" if syntax.is_little_endian else ">"
    head = file.read(12)
    if len(head) < 8:
        return None
    group, element = struct.unpack_from(order + "HH", head)
    tag = group << 16 | element
    if tag not in _PIXEL_TAGS:
        return None
    if syntax.is_implicit_VR:
        vr, length, start = "OW", struct.unpack_from(order + "I", head, 4)[0], at + 8
    else:
        vr, length, start = head[4:6].decode("latin-1"), struct.unpack_from(order + "I", head, 8)[0], at + 12
    return PixelPlace(tag, vr, start, None if length == _UNDEFINED else length)


def _extended_offsets(header: Dataset) -> tuple[bytes, bytes] | None:
    offsets, lengths = header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths")
    return (offsets, lengths) if offsets and lengths else None


def _sliced_length(instance: OpenInstance) -> int | None:
    """Bytes of a frame where it can be cut out of the file as it is; None where it must be decoded."""
    if not instance.is_native or instance.syntax == ExplicitVRBigEndian:
        return None
    header = instance.header
    samples = number_of(header, "SamplesPerPixel", 1)
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    bits = number_of(header, "Rows") * number_of(header, "Columns") * samples * number_of(header, "BitsAllocated")
    if not bits:
        raise damaged(ValueError("the header does not say how large it is"))
    return None if bits % 8 else bits // 8
