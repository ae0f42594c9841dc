"""Data sets to and from the bytes of a transfer syntax, and the data set part of a Part 10 file as it lies on disk.

Identifiers are decoded; instances are not: they are cut out of their file and sent as they are. What cannot be decoded
raises ValueError.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID
from pynetdicom.dsutils import encode

from sandbox.dicom.bounded import BoundedReader

_PREAMBLE = 128
_MAGIC = b"DICM"
_MAPPED_ABOVE = 8 << 20
_MOST_INFLATED = 64 << 20
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


def decode_dataset(data: bytes | memoryview, transfer_syntax: str) -> Dataset:
    """The data set in ``data``, wholly read, so that a malformed one is found here and not later."""
    syntax = UID(transfer_syntax)
    try:
        encoded = _inflated(data) if syntax.is_deflated else bytes(data)
        dataset = read_dataset(BoundedReader(encoded), syntax.is_implicit_VR, syntax.is_little_endian)
        _check_whole(dataset)
        dataset.walk(lambda holder, element: None)
    except Exception as wrong:
        # pydicom raises many kinds of errors for bytes that are no data set; they all mean this.
        raise ValueError(f"the data set cannot be read: {wrong}") from wrong
    return dataset


def _check_whole(dataset: Dataset) -> None:
    """pydicom takes what is left for a value that should be longer."""
    for element in dataset.values():
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED:
            continue
        if len(element.value or b"") < element.length:
            raise ValueError(f"it ends inside {element.tag}")


def _inflated(data: bytes | memoryview) -> bytes:
    """What is deflated (PS3.5 A.5), up to what no honest identifier reaches: a few bytes can stand for gigabytes."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(data, _MOST_INFLATED)
    if not stream.eof:
        raise ValueError("it is cut off, or inflates to more than is read")
    return inflated


def encode_dataset(dataset: Dataset, transfer_syntax: str) -> bytes:
    """``dataset`` in the encoding of ``transfer_syntax``."""
    syntax = UID(transfer_syntax)
    encoded = encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    if encoded is None:
        raise ValueError(f"the data set cannot be encoded in {syntax.name}")
    return encoded


def dataset_offset(content: bytes | memoryview) -> int:
    """Where the data set begins in a Part 10 file: after preamble and file meta information (PS3.10 7.1)."""
    if bytes(content[_PREAMBLE : _PREAMBLE + 4]) != _MAGIC:
        raise ValueError("this is no DICOM Part 10 file")
    position = _PREAMBLE + 4
    while position + 8 <= len(content):
        group, _, vr, length = struct.unpack_from("<HH2sH", content, position)
        if group != 0x0002:
            break
        if vr in _LONG_VRS:
            (length,) = struct.unpack_from("<L", content, position + 8)
            position += 4
        position += 8 + length
    return min(position, len(content))


def read_encoded(path: Path, size: int | None = None) -> memoryview:
    """The encoded data set of a Part 10 file, byte for byte. A large one is mapped and not read into memory: files of
    instances are replaced and never changed. ValueError if the file is not of ``size`` bytes, or holds no data set."""
    found = path.stat().st_size
    if size not in (None, found):
        raise ValueError(f"its file has {found} bytes and should have {size}")
    if found > _MAPPED_ABOVE:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    else:
        content = memoryview(path.read_bytes())
    encoded = content[dataset_offset(content) :]
    if not encoded:
        raise ValueError("its file holds no data set")
    return encoded
