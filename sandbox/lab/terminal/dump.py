"""Data sets as dcmdump prints them: one element a line, in the very columns, from the bytes as they lie in the file.

The bytes are walked here and not by pydicom, since what dcmdump shows (lengths, undefined or not, padding, where a file
breaks off) is what a library hides. Explicit and implicit VR (PS3.5 7.1), little and big endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_keyword, dictionary_VR
from pydicom.uid import UID

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END, PIXEL_DATA = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x7FE00010
LINE_LENGTH = 70
"""Characters of a value that are printed unless all are asked for."""
MOST_DEPTH = 40
MOST_INFLATED = 64 << 20

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_NUMBERS: Mapping[str, tuple[str, int]] = {
    "US": ("H", 2),
    "SS": ("h", 2),
    "UL": ("L", 4),
    "SL": ("l", 4),
    "FL": ("f", 4),
    "FD": ("d", 8),
    "UV": ("Q", 8),
    "SV": ("q", 8),
    "OF": ("f", 4),
    "OD": ("d", 8),
    "OL": ("L", 4),
}
_TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_DELIMITERS = set(b"\r\n\t\f\\^=")
_ONE_VALUE = frozenset({"LT", "ST", "UT", "UR", "OB", "OW", "OF", "OD", "OL", "OV", "UN"})
SYNTAXES: Mapping[str, tuple[str, str]] = {
    "1.2.840.10008.1.2": ("LittleEndianImplicit", "Little Endian Implicit"),
    "1.2.840.10008.1.2.1": ("LittleEndianExplicit", "Little Endian Explicit"),
    "1.2.840.10008.1.2.1.99": ("DeflatedLittleEndianExplicit", "Deflated Explicit VR Little Endian"),
    "1.2.840.10008.1.2.2": ("BigEndianExplicit", "Big Endian Explicit"),
    "1.2.840.10008.1.2.4.50": ("JPEGProcess1", "JPEG Baseline"),
    "1.2.840.10008.1.2.4.51": ("JPEGProcess2_4", "JPEG Extended, Process 2+4"),
    "1.2.840.10008.1.2.4.57": ("JPEGProcess14", "JPEG Lossless, Non-hierarchical, Process 14"),
    "1.2.840.10008.1.2.4.70": (
        "JPEGProcess14SV1",
        "JPEG Lossless, Non-hierarchical, 1st Order Prediction",
    ),
    "1.2.840.10008.1.2.4.80": ("JPEGLSLossless", "JPEG-LS Lossless"),
    "1.2.840.10008.1.2.4.81": ("JPEGLSLossy", "JPEG-LS Lossy (Near-lossless)"),
    "1.2.840.10008.1.2.4.90": ("JPEG2000LosslessOnly", "JPEG 2000 (Lossless only)"),
    "1.2.840.10008.1.2.4.91": ("JPEG2000", "JPEG 2000 (Lossless or Lossy)"),
    "1.2.840.10008.1.2.5": ("RLELossless", "RLE Lossless"),
}
"""dcmtk's names of transfer syntaxes: in the place of a UID, and in the heading."""


class DumpError(Exception):
    """The bytes are no data set from some place on; the text is dcmtk's."""


@dataclass(frozen=True)
class Element:
    """An element (or the beginning or end of an item) at ``depth``. ``count`` is of items, for what holds some."""

    depth: int
    tag: int
    vr: str
    length: int
    value: memoryview
    count: int = 0

    @property
    def name(self) -> str:
        return _name(self.tag)


@dataclass
class _Reader:
    data: memoryview
    implicit: bool
    big: bool

    def header(self, at: int) -> tuple[int, str, int, int]:
        """Tag, VR, length and where the value begins."""
        order = ">" if self.big else "<"
        if at + 8 > len(self.data):
            raise DumpError("I/O suspension or premature end of stream")
        group, element = struct.unpack_from(f"{order}HH", self.data, at)
        tag = group << 16 | element
        if tag in (ITEM, ITEM_END, SEQUENCE_END):
            return tag, "na", struct.unpack_from(f"{order}L", self.data, at + 4)[0], at + 8
        if self.implicit:
            return tag, _vr_of(tag), struct.unpack_from(f"{order}L", self.data, at + 4)[0], at + 8
        vr = bytes(self.data[at + 4 : at + 6]).decode("latin-1")
        if vr in _LONG:
            if at + 12 > len(self.data):
                raise DumpError("I/O suspension or premature end of stream")
            return tag, vr, struct.unpack_from(f"{order}L", self.data, at + 8)[0], at + 12
        return tag, vr, struct.unpack_from(f"{order}H", self.data, at + 6)[0], at + 8

    def elements(self, at: int, end: int, depth: int) -> Iterator[Element]:
        """Every element of a data set in data[at:end], with those inside of it."""
        while at < end:
            tag, vr, length, begin = self.header(at)
            if tag in (ITEM_END, SEQUENCE_END):
                return
            if vr == "SQ" or (length == UNDEFINED and tag != PIXEL_DATA):
                at = yield from self._sequence(tag, length, begin, end, depth)
            elif length == UNDEFINED:
                at = yield from self._fragments(tag, vr, begin, depth)
            else:
                if begin + length > end:
                    raise DumpError(
                        f"DcmElement: {_name(tag)} ({tag >> 16:04x},{tag & 0xFFFF:04x}) larger ({length}) than "
                        "remaining bytes in file"
                    )
                yield Element(depth, tag, vr, length, self.data[begin : begin + length])
                at = begin + length

    def _sequence(self, tag: int, length: int, begin: int, end: int, depth: int) -> Generator[Element, None, int]:
        """A sequence with its items; where it ends."""
        if depth > MOST_DEPTH:
            raise DumpError("Sequences are nested too deep")
        within: list[Element] = []
        at, count = begin, 0
        stop = end if length == UNDEFINED else begin + length
        while at < stop:
            part, _, size, inner = self.header(at)
            if part == SEQUENCE_END:
                at = inner
                break
            if part != ITEM:
                raise DumpError("Sequence contains invalid tag")
            edge = stop if size == UNDEFINED else inner + size
            if edge > len(self.data):
                raise DumpError("I/O suspension or premature end of stream")
            inside = list(self.elements(inner, edge, depth + 2))
            own = sum(element.depth == depth + 2 and element.tag < ITEM for element in inside)
            within.append(Element(depth + 1, ITEM, "na", size, self.data[:0], own))
            within += inside
            within.append(Element(depth + 1, ITEM_END, "na", size, self.data[:0]))
            at = edge if size != UNDEFINED else self._after_item(inner, edge)
            count += 1
        yield Element(depth, tag, "SQ", length, self.data[:0], count)
        yield from within
        yield Element(depth, SEQUENCE_END, "na", length, self.data[:0])
        return at

    def _after_item(self, at: int, end: int) -> int:
        """Where the item delimiter of an item of undefined length ends."""
        while at < end:
            tag, _, length, begin = self.header(at)
            if tag == ITEM_END:
                return begin
            if length == UNDEFINED:
                begin = self._after_sequence(begin, end)
                at = begin
            else:
                at = begin + length
        raise DumpError("I/O suspension or premature end of stream")

    def _after_sequence(self, at: int, end: int) -> int:
        while at < end:
            tag, _, length, begin = self.header(at)
            if tag == SEQUENCE_END:
                return begin
            at = self._after_item(begin, end) if length == UNDEFINED else begin + length
        raise DumpError("I/O suspension or premature end of stream")

    def _fragments(self, tag: int, vr: str, begin: int, depth: int) -> Generator[Element, None, int]:
        """Encapsulated pixel data (PS3.5 A.4); where it ends."""
        parts: list[Element] = []
        at = begin
        while True:
            part, _, size, inner = self.header(at)
            if part == SEQUENCE_END:
                break
            if part != ITEM or inner + size > len(self.data):
                raise DumpError("I/O suspension or premature end of stream")
            parts.append(Element(depth + 1, ITEM, "pi", size, self.data[inner : inner + size]))
            at = inner + size
        yield Element(depth, tag, "PX" if vr != "OW" else vr, UNDEFINED, self.data[:0], len(parts))
        yield from parts
        yield Element(depth, SEQUENCE_END, "na", UNDEFINED, self.data[:0])
        return inner


def inflate(data: bytes | memoryview) -> bytes:
    """A deflated data set (PS3.5 A.5), up to a bound: a few bytes can stand for gigabytes."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(bytes(data), MOST_INFLATED)
    except zlib.error as wrong:
        raise DumpError("Compressed data cannot be inflated") from wrong


def walk(data: bytes | memoryview, transfer_syntax: str) -> Iterator[Element]:
    """Every element of an encoded data set in its order. Raises DumpError where it cannot be read on."""
    syntax = UID(transfer_syntax)
    implicit = transfer_syntax == "1.2.840.10008.1.2"
    big = syntax.is_transfer_syntax and not syntax.is_private and not syntax.is_little_endian
    view = memoryview(inflate(data) if syntax.is_transfer_syntax and syntax.is_deflated else data)
    yield from _Reader(view, implicit, big).elements(0, len(view), 0)


@dataclass(frozen=True)
class Printer:
    """How elements are printed. ``whole`` prints values to their end; ``map_uids`` known UIDs by name."""

    whole: bool = False
    map_uids: bool = True
    big: bool = False

    def lines(self, elements: Iterator[Element]) -> Iterator[str]:
        """One line an element."""
        encodings = ["iso8859"]
        for element in elements:
            if element.tag == 0x00080005 and element.depth == 0:
                encodings = encodings_of(bytes(element.value))
            yield self.line(element, encodings)

    def line(self, element: Element, encodings: list[str]) -> str:
        """dcmdump's line of an element."""
        value, length = self._value(element, encodings), _length(element)
        vm = _multiplicity(element)
        tag = f"({element.tag >> 16:04x},{element.tag & 0xFFFF:04x})"
        # dcmdump pads by bytes, so that a line with letters beyond ASCII is shorter there, too.
        padding = " " * (40 - len(value.encode()))
        vr = "OB" if element.vr == "PX" else element.vr
        return f"{'  ' * element.depth}{tag} {vr} {value}{padding} # {length:>3}, {vm} {element.name}"

    def _value(self, element: Element, encodings: list[str]) -> str:
        how = "undefined" if element.length == UNDEFINED else "explicit"
        if element.vr == "PX":
            return f"(PixelSequence #={element.count})"
        if element.vr == "SQ":
            return f"(Sequence with {how} length #={element.count})"
        if element.tag == ITEM and element.vr == "na":
            return f"(Item with {how} length #={element.count})"
        if element.tag in (ITEM_END, SEQUENCE_END):
            name = _name(element.tag)
            if element.length == UNDEFINED:
                return f"({name})"
            return f"({name} for re-encod{'ing' if element.tag == ITEM_END else '.'})"
        if not element.length:
            return "(no value available)"
        if element.vr in _NUMBERS:
            return self._cut(_numbers(element, self.big))
        if element.vr in ("OB", "OW", "UN", "OV", "AT", "pi", "ox", "xs"):
            return self._cut(_hexadecimal(element, self.big))
        return self._text(element, encodings)

    def _text(self, element: Element, encodings: list[str]) -> str:
        raw = bytes(element.value[: 1 << 20])
        text = decode_bytes(raw, encodings, _DELIMITERS) if element.vr in _TEXT else raw.decode("latin-1")
        text = text.rstrip("\0 ")
        if element.vr == "UI" and self.map_uids:
            named = _uid_name(text)
            if named:
                return f"={named}"
        shown = f"[{text}]"
        return shown if self.whole or len(shown) <= LINE_LENGTH else f"{shown[: LINE_LENGTH - 3]}..."

    def _cut(self, text: str) -> str:
        """As many whole numbers as there is room for."""
        if self.whole or len(text) <= LINE_LENGTH:
            return text
        return f"{text[: text.rindex(chr(92), 0, LINE_LENGTH - 2)]}..."


def _length(element: Element) -> str:
    if element.tag in (ITEM_END, SEQUENCE_END):
        return "0"
    return "u/l" if element.length == UNDEFINED else str(element.length)


def _multiplicity(element: Element) -> int:
    if element.tag in (ITEM_END, SEQUENCE_END):
        return 0
    if element.vr in ("SQ", "PX", "pi", "na"):
        return 1
    if not element.length:
        return 0
    if element.vr in _NUMBERS and element.vr not in _ONE_VALUE:
        return element.length // _NUMBERS[element.vr][1]
    if element.vr == "AT":
        return element.length // 4
    if element.vr in _ONE_VALUE:
        return 1
    return bytes(element.value).count(b"\\") + 1


def _numbers(element: Element, big: bool) -> str:
    letter, size = _NUMBERS[element.vr]
    number = min(len(element.value) // size, 200_000)
    digits = 17 if size == 8 else 9
    values = struct.unpack_from(f"{'>' if big else '<'}{number}{letter}", element.value)
    return "\\".join(f"{value:.{digits}g}" if isinstance(value, float) else str(value) for value in values)


def _hexadecimal(element: Element, big: bool) -> str:
    raw = bytes(element.value[:20_000])
    if element.vr in ("OW", "ox", "xs"):
        words = struct.unpack(f"{'>' if big else '<'}{len(raw) // 2}H", raw[: len(raw) // 2 * 2])
        return "\\".join(f"{word:04x}" for word in words)
    if element.vr == "AT":
        pairs = struct.iter_unpack(f"{'>' if big else '<'}HH", raw[: len(raw) // 4 * 4])
        return "\\".join(f"({group:04x},{number:04x})" for group, number in pairs)
    return "\\".join(f"{byte:02x}" for byte in raw)


def encodings_of(value: bytes) -> list[str]:
    """The codecs behind a Specific Character Set, as its bytes stand in the file."""
    terms = [term.strip() for term in value.decode("ascii", "replace").rstrip("\0 ").split("\\")]
    try:
        return convert_encodings(terms) or ["iso8859"]
    except LookupError:
        return ["iso8859"]


def _name(tag: int) -> str:
    fixed = {ITEM: "Item", ITEM_END: "ItemDelimitationItem", SEQUENCE_END: "SequenceDelimitationItem"}
    if tag in fixed:
        return fixed[tag]
    if tag >> 16 & 1:
        return "PrivateCreator" if 0x10 <= tag & 0xFFFF <= 0xFF else "Unknown Tag & Data"
    if not tag & 0xFFFF:
        return "FileMetaInformationGroupLength" if tag >> 16 == 2 else "GenericGroupLength"
    try:
        return dictionary_keyword(tag) or "Unknown Tag & Data"
    except KeyError:
        return "Unknown Tag & Data"


def _vr_of(tag: int) -> str:
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    if not tag & 0xFFFF:
        return "UL"
    try:
        return dictionary_VR(tag).partition(" ")[0]
    except KeyError:
        return "UN"


def _uid_name(text: str) -> str:
    if text in SYNTAXES:
        return SYNTAXES[text][0]
    uid = UID(text)
    return uid.keyword if uid.name != uid else ""
