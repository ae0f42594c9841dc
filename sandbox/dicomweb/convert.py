"""A stored instance as Explicit VR Little Endian (PS3.5 A.2), written piece by piece whatever its size.

The header is encoded anew and the pixel data follow from the file, frame by frame where they are compressed. Elements
after the pixel data (padding, digital signatures of the old encoding) are left out.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from pydicom import dcmwrite
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from sandbox.dicom.codecs import can_decode
from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb.instances import (
    OpenInstance,
    decoded_frames,
    frame_bytes,
    number_of,
    open_instance,
)
from sandbox.dicomweb.multipart import file_pieces, whole_file
from sandbox.model.errors import ConflictError

_HEAD = struct.Struct("<HH2sHI")
_LARGEST = 0xFFFFFFFE


def can_convert(stored: StoredObject) -> bool:
    """Whether an instance can be given as Explicit VR Little Endian, as far as its transfer syntax tells."""
    return can_decode(stored.transfer_syntax)


def explicit_little_endian(stored: StoredObject) -> Iterator[bytes]:
    """The Part 10 file of an instance in Explicit VR Little Endian. Raises ConflictError for damaged pixel data."""
    if stored.transfer_syntax == ExplicitVRLittleEndian:
        yield from whole_file(stored.path)
        return
    with open_instance(stored) as instance:
        if instance.pixels is None:
            yield _encoded(instance.header)
        elif instance.is_native and instance.syntax != ExplicitVRBigEndian:
            yield from _copied(instance)
        else:
            yield from _decompressed(instance)


def _copied(instance: OpenInstance) -> Iterator[bytes]:
    """Native little endian pixels are the same bytes in both encodings."""
    place = instance.pixels
    if place is None or place.length is None:
        raise AssertionError("only for native pixel data")
    yield _encoded(instance.header)
    yield _HEAD.pack(
        place.tag >> 16,
        place.tag & 0xFFFF,
        _VRS[place.tag] if instance.syntax.is_implicit_VR else place.vr.encode("ascii"),
        0,
        place.length,
    )
    yield from file_pieces(instance.file, place.start, place.length)


def _decompressed(instance: OpenInstance) -> Iterator[bytes]:
    frames = decoded_frames(instance)
    first = next(frames, None)
    if first is None or instance.pixels is None:
        raise ConflictError("The image has no frames to decode.")
    header, tag = instance.header, instance.pixels.tag
    one = frame_bytes(first, header)
    length = len(one) * instance.frames
    if number_of(header, "BitsAllocated") == 1 and first.size % 8:
        raise ConflictError("Single-bit frames that do not end at a byte are given only as they are stored.")
    if length > _LARGEST:
        raise ConflictError("The image is too large to be uncompressed (PS3.5 8.1.1).", "Ask for it as it is stored.")
    if number_of(header, "SamplesPerPixel", 1) > 1:
        header.PhotometricInterpretation, header.PlanarConfiguration = "RGB", 0
    for table in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if table in header:
            delattr(header, table)
    vr = b"OB" if keyword_for_tag(tag) == "PixelData" and number_of(header, "BitsAllocated") <= 8 else _VRS[tag]
    yield _encoded(header)
    yield _HEAD.pack(tag >> 16, tag & 0xFFFF, vr, 0, length + length % 2)
    yield one
    given = len(one)
    for pixels in frames:
        piece = frame_bytes(pixels, header)
        given += len(piece)
        yield piece
    if given != length:
        raise ConflictError("The image has another number of frames than its header says.")
    if length % 2:
        yield b"\0"


_VRS = {0x7FE00008: b"OF", 0x7FE00009: b"OD", 0x7FE00010: b"OW"}


def _encoded(header: Dataset) -> bytes:
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    try:
        dcmwrite(buffer, header, implicit_vr=False, little_endian=True, enforce_file_format=True)
    except Exception as wrong:
        # pydicom raises many kinds of errors for values that break the rules of their VR.
        raise ConflictError(f"The instance cannot be encoded anew ({wrong}).", "Ask for it as it is stored.") from wrong
    return buffer.getvalue()
