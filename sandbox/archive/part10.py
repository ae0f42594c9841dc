"""Part 10 files (PS3.10 7): the preamble and meta information put before a received data set, and taken off again.

The data set itself is never decoded on the way: what was received is what is kept, byte for byte.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

IMPLEMENTATION_CLASS_UID = "2.25.104357064339435926528706149044554620106"
IMPLEMENTATION_VERSION = "PACS_SANDBOX_01"
"""Those of sandbox.dicom, written again so that a local disk does not load pynetdicom; a test compares them."""

_PREAMBLE = bytes(128) + b"DICM"
_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<HH2sHI")
_LENGTH = struct.Struct("<I")
_LONG_VRS = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ", b"OF", b"OD", b"OL", b"UC", b"UR"})


class NotPart10Error(Exception):
    """The file is not a DICOM file as PS3.10 has it."""


@dataclass(frozen=True)
class FileMeta:
    """The file meta information the archive uses. ``offset`` is where the data set begins, in bytes."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    offset: int


def _element(element: int, vr: bytes, value: str) -> bytes:
    data = value.encode("ascii")
    if len(data) % 2:
        data += b"\0" if vr == b"UI" else b" "
    return _SHORT.pack(2, element, vr, len(data)) + data


_WRITTEN_BY = _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID) + _element(0x0013, b"SH", IMPLEMENTATION_VERSION)


def file_head(sop_class: str, sop_instance: str, transfer_syntax: str, source_ae: str = "") -> bytes:
    """Preamble and meta information, to be followed by the data set. ``source_ae`` is who sent it (0002,0016)."""
    body = (
        _LONG.pack(2, 0x0001, b"OB", 0, 2)
        + b"\x00\x01"
        + _element(0x0002, b"UI", sop_class)
        + _element(0x0003, b"UI", sop_instance)
        + _element(0x0010, b"UI", transfer_syntax)
        + _WRITTEN_BY
    )
    if source_ae and source_ae.isascii():
        body += _element(0x0016, b"AE", source_ae[:16])
    return _PREAMBLE + _SHORT.pack(2, 0, b"UL", 4) + _LENGTH.pack(len(body)) + body


def read_meta(data: bytes | memoryview | mmap.mmap) -> FileMeta:
    """The meta information at the start of a file's bytes. Group 2 is always explicit little endian (PS3.10 7.1)."""
    if bytes(data[128:132]) != b"DICM":
        raise NotPart10Error("It has no DICM prefix.")
    position, values = 132, {}
    try:
        while data[position : position + 2] == b"\x02\x00":
            _, element, vr, length = _SHORT.unpack_from(data, position)
            position += 8
            if vr in _LONG_VRS:
                length = _LENGTH.unpack_from(data, position)[0]
                position += 4
            values[element] = bytes(data[position : position + length])
            position += length
    except struct.error as cut:
        raise NotPart10Error("Its meta information is cut off.") from cut
    text = {element: value.rstrip(b"\0 ").decode("ascii", "replace") for element, value in values.items()}
    if not text.get(0x0010):
        raise NotPart10Error("It names no transfer syntax.")
    return FileMeta(text.get(0x0002, ""), text.get(0x0003, ""), text[0x0010], position)


def part10_bytes(dataset: Dataset) -> bytes:
    """A data set as a Part 10 file: in the transfer syntax of its file meta, or else in explicit little endian."""
    buffer = BytesIO()
    if "TransferSyntaxUID" in getattr(dataset, "file_meta", ()):
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()
    target = DicomFileLike(buffer)
    target.is_little_endian, target.is_implicit_VR = True, False
    write_dataset(target, dataset)
    head = file_head(str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(ExplicitVRLittleEndian))
    return head + buffer.getvalue()


@contextmanager
def opened(path: Path) -> Iterator[tuple[FileMeta, memoryview]]:
    """A Part 10 file's meta information and its data set, mapped into memory for the length of the ``with``."""
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as empty:
            raise NotPart10Error("It is empty.") from empty
        with mapped:
            meta = read_meta(mapped)
            whole = memoryview(mapped)
            dataset = whole[meta.offset :]
            try:
                yield meta, dataset
            finally:
                dataset.release()
                whole.release()
