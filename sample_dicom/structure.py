"""Is a DICOM file whole? A walk over its element headers that seeks past every value and checks that it is there.

It reads no values, so a file of gigabytes costs a few hundred small reads. Lengths follow PS3.5 chapter 7, fragments
annex A.4, the file meta information PS3.10 chapter 7.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
VRS = LONG_VRS | frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
PIXEL_TAGS = frozenset({(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)})
ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
DEEPEST = 40
"""Sequences nested deeper than this are an attack or an accident."""

EXPLICIT_BIG = "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

Tag = tuple[int, int]


class Start(StrEnum):
    """How a file begins."""

    PART_10 = "preamble and DICM"
    BARE = "no preamble"
    OTHER = "not DICOM"


class BrokenFileError(Exception):
    """The file cannot be walked to its end. ``args[0]`` says why, in a sentence; it never leaves the import."""


@dataclass(frozen=True)
class Layout:
    """Where the parts of a file lie: the byte at which the data set begins, and whether it has pixels."""

    data_set_at: int
    has_meta: bool
    has_pixels: bool


def how_it_starts(head: bytes) -> Start:
    """Judge a file by its first 132 bytes or more.

    Without a preamble it must begin with an element of group 2 or 8 that makes sense, explicit or implicit: a text
    or a picture never does.
    """
    if head[128:132] == b"DICM":
        return Start.PART_10
    if len(head) < 16:
        return Start.OTHER
    group, element = struct.unpack("<HH", head[:4])
    if (group, element & 0xFF00) not in ((0x0002, 0x0000), (0x0008, 0x0000)) or element > 0x00FF:
        return Start.OTHER
    if head[4:6] in VRS:
        return Start.BARE
    (length,) = struct.unpack("<I", head[4:8])
    return Start.BARE if group == 0x0008 and length % 2 == 0 and length <= 256 else Start.OTHER


def walk(file: BinaryIO, size: int, *, start: int, syntax: str, implicit: bool) -> Layout:
    """Walk a file from ``start`` (132 after a preamble, else 0) to its end.

    ``syntax`` and ``implicit`` are those of the data set; file meta is always explicit little endian.
    """
    walker = _Walker(file, size)
    file.seek(start)
    has_meta = False
    while True:
        here = file.tell()
        if here >= size:
            return Layout(here, has_meta, False)
        if file.read(2) != b"\x02\x00":
            file.seek(here)
            break
        file.seek(here)
        has_meta = True
        walker.element(0)
    data_set_at = file.tell()
    if syntax == DEFLATED:
        _inflate(file)
        return Layout(data_set_at, has_meta, True)
    walker.order = ">" if syntax == EXPLICIT_BIG else "<"
    walker.implicit = implicit
    pixels = False
    while file.tell() < size:
        pixels |= walker.element(0) in PIXEL_TAGS
    return Layout(data_set_at, has_meta, pixels)


def _inflate(file: BinaryIO) -> None:
    """Deflated data sets end where the stream says so; whatever it holds is judged by the reader."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while not stream.eof:
            chunk = file.read(1 << 16)
            if not chunk:
                raise BrokenFileError("It is cut off: its compressed data set has no end.")
            rest = chunk
            while rest and not stream.eof:
                # Bounded output: a small file may inflate to terabytes.
                stream.decompress(rest, 1 << 20)
                rest = stream.unconsumed_tail
    except zlib.error as error:
        raise BrokenFileError("Its compressed data set cannot be decompressed.") from error


class _Walker:
    """Element by element through an open file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.order, self.implicit = "<", False

    def element(self, depth: int) -> Tag:
        """Step over one element, whatever it holds."""
        tag = self._tag()
        if tag in (ITEM, ITEM_END, SEQUENCE_END):
            self._length()
            return tag
        if self.implicit:
            length, vr = self._length(), b""
        else:
            vr = self._take(2)
            if vr not in VRS:
                raise BrokenFileError(f"It is damaged: at byte {self.file.tell() - 6} there is no data element.")
            if vr in LONG_VRS:
                self._take(2)
                length = self._length()
            else:
                length = int(struct.unpack(self.order + "H", self._take(2))[0])
        if length == UNDEFINED:
            # UN of undefined length is implicit inside, whatever surrounds it (PS3.5 6.2.2).
            self._items(depth, implicit=self.implicit or vr == b"UN", fragments=tag in PIXEL_TAGS)
        else:
            self._skip(length)
        return tag

    def _items(self, depth: int, *, implicit: bool, fragments: bool) -> None:
        """Items, or pixel fragments, up to the sequence delimiter."""
        if depth >= DEEPEST:
            raise BrokenFileError("Its sequences are nested too deeply to be meant.")
        before, self.implicit = self.implicit, implicit
        while True:
            tag, length = self._tag(), self._length()
            if tag == SEQUENCE_END:
                break
            if tag != ITEM:
                raise BrokenFileError(f"It is damaged: at byte {self.file.tell() - 8} a sequence item was expected.")
            if length != UNDEFINED:
                self._skip(length)
                continue
            if fragments:
                raise BrokenFileError("It is damaged: a pixel fragment has no length.")
            while self.element(depth + 1) != ITEM_END:
                pass
        self.implicit = before

    def _tag(self) -> Tag:
        group, element = struct.unpack(self.order + "HH", self._take(4))
        return group, element

    def _length(self) -> int:
        return int(struct.unpack(self.order + "I", self._take(4))[0])

    def _take(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise BrokenFileError("It is cut off in the middle of a data element.")
        return data

    def _skip(self, length: int) -> None:
        at = self.file.tell()
        if at + length > self.size:
            raise BrokenFileError(
                f"It is cut off: {at + length - self.size} of the {length} bytes of a value are missing."
            )
        self.file.seek(at + length)
