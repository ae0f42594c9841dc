"""What the index needs to know of an instance, read from its encoded data set without decoding the rest.

One walk over the top-level elements picks the wanted values and proves that the data set ends where it should; nested
and pixel data are stepped over by their lengths. Explicit and implicit little endian and explicit big endian are walked
(deflated ones after inflating); a data set the walk cannot follow is given to pydicom before it is refused. Units:
offsets and lengths in bytes (PS3.5 7).
"""

from __future__ import annotations

import json
import mmap
import re
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from pydicom.charset import convert_encodings
from pydicom.filereader import read_dataset, read_sequence
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from sandbox.archive.attributes import STORED, Attribute
from sandbox.archive.charset import TEXT_VRS, decode, defined_terms
from sandbox.dicom.bounded import BoundedReader, TooManyElementsError

Buffer = bytes | bytearray | memoryview

SPECIFIC_CHARACTER_SET = 0x00080005
_WANTED_VR: dict[int, str] = {a.tag: a.vr for a in STORED} | {SPECIFIC_CHARACTER_SET: "CS"}
_TAGS = {a.keyword: a.tag for a in STORED}
_LAST_WANTED = max(_WANTED_VR)

_DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_NUMBERS = {"US": "H", "UL": "I", "SS": "h", "SL": "i"}

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_MAX_INFLATED = 1 << 30
_INFLATED_IN_MEMORY = 32 << 20
# Deflated bytes at a time: they stand for a thousand times as many at most.
_INFLATED_AT_ONCE = 16 << 10
_MOST_ELEMENTS = 4_000_000  # of one data set, items and frames among them: what a few seconds can be spent on
_MOST_FOR_PYDICOM = 16 << 20
_LONGEST_VALUE = 1 << 16
_MAX_SEQUENCE_TEXT = 16_384
_MAX_TEXT = 600  # characters: above any legal value but a long list, below what a database index page holds


class UnreadableError(Exception):
    """The data set cannot be understood: it is cut off, or is not in the transfer syntax it claims. Becomes C000."""


class _OddError(Exception):
    """Legal or not, this data set is beyond the walk; let pydicom look."""


@dataclass(frozen=True)
class Header:
    """The wanted values as text by tag, decoded and trimmed; several values joined by backslashes, sequences as DICOM
    JSON. What the data set lacks is absent."""

    values: Mapping[int, str]

    def get(self, attribute: Attribute) -> str:
        return self.values.get(attribute.tag, "")

    def get_keyword(self, keyword: str) -> str:
        return self.values.get(_TAGS[keyword], "")


@dataclass(frozen=True)
class _Encoding:
    implicit: bool
    little: bool
    explicit_head: Callable[[Buffer, int], tuple[int, int, bytes, int]]
    implicit_head: Callable[[Buffer, int], tuple[int, int, int]]
    length: Callable[[Buffer, int], tuple[int]]


def _encoding(implicit: bool, little: bool) -> _Encoding:
    order = "<" if little else ">"
    return _Encoding(
        implicit,
        little,
        struct.Struct(order + "HH2sH").unpack_from,
        struct.Struct(order + "HHI").unpack_from,
        struct.Struct(order + "I").unpack_from,
    )


_EXPLICIT, _IMPLICIT, _BIG = _encoding(False, True), _encoding(True, True), _encoding(False, False)
_ENCODINGS = {str(ImplicitVRLittleEndian): _IMPLICIT, str(ExplicitVRBigEndian): _BIG}


def read_header(dataset: Buffer, transfer_syntax: str) -> Header:
    """The header of an encoded ``dataset`` (without file meta). Raises UnreadableError if it cannot be understood."""
    encoding = _ENCODINGS.get(transfer_syntax, _EXPLICIT)
    if transfer_syntax in _DEFLATED:
        dataset = _inflate(dataset)
    try:
        found = _walk(dataset, encoding)
    except _OddError:
        found = _by_pydicom(dataset, encoding)
    except (struct.error, IndexError) as cut:
        raise UnreadableError("Data set ends inside an element header") from cut
    _, charset = found.pop(SPECIFIC_CHARACTER_SET, (False, b""))
    terms = defined_terms(charset.decode("ascii", "replace").strip("\0 "))
    values: dict[int, str] = {}
    for tag, (undefined, value) in found.items():
        text = plain_text(tag, value) if len(value) <= _REMEMBERED else None
        values[tag] = _text(tag, undefined, value, terms, encoding) if text is None else text
    return Header(values)


def _inflate(dataset: Buffer) -> Buffer:
    """Inflate at most 1 GiB, a large data set into a file that nobody else sees: a few kilobytes must not become the
    machine's memory. May raise OSError."""
    size = 0
    with tempfile.SpooledTemporaryFile(_INFLATED_IN_MEMORY) as file:
        for piece in inflated(memoryview(dataset)):
            size += len(piece)
            if size > _MAX_INFLATED:
                raise UnreadableError("Deflated data set is larger than 1 GiB")
            file.write(piece)
        if size <= _INFLATED_IN_MEMORY:
            file.seek(0)
            return file.read()
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def inflated(dataset: memoryview) -> Iterator[bytes]:
    """A deflated data set piece by piece, none of which is larger than 16 MiB or so."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for start in range(0, len(dataset), _INFLATED_AT_ONCE):
            if stream.eof:
                return
            yield stream.decompress(dataset[start : start + _INFLATED_AT_ONCE])
    except zlib.error as wrong:
        raise UnreadableError("Deflated data set is damaged") from wrong
    if not stream.eof:
        raise UnreadableError("Deflated data set is cut off")


def _walk(data: Buffer, encoding: _Encoding) -> dict[int, tuple[bool, bytes]]:
    """Tag → (is it a sequence of undefined length, its value bytes), for the wanted tags."""
    found: dict[int, tuple[bool, bytes]] = {}
    position, end, previous, elements = 0, len(data), 0, 0
    wanted, implicit = _WANTED_VR, encoding.implicit
    explicit_head, implicit_head, long_length = encoding.explicit_head, encoding.implicit_head, encoding.length
    while position < end:
        if implicit:
            group, element, length = implicit_head(data, position)
            position += 8
        else:
            group, element, vr, length = explicit_head(data, position)
            if vr in _SHORT_VRS:
                position += 8
            elif vr in _LONG_VRS:
                length = long_length(data, position + 8)[0]
                position += 12
            else:
                raise _OddError
        tag = group << 16 | element
        if tag <= previous and position > 12:
            raise _OddError
        elements += 1
        if elements > _MOST_ELEMENTS:
            raise UnreadableError("Data set has more elements than are read")
        previous = tag
        start = position
        if length == _UNDEFINED:
            position = _skip_undefined(data, position, encoding, implicit or vr == b"UN")
        else:
            position += length
        if position > end:
            raise UnreadableError(f"Data set ends inside ({group:04X},{element:04X})")
        if tag <= _LAST_WANTED and tag in wanted:
            end_of_value = position if position - start <= _LONGEST_VALUE else start + _LONGEST_VALUE
            found[tag] = (length == _UNDEFINED, bytes(data[start:end_of_value]))
    return found


def _skip_undefined(data: Buffer, position: int, encoding: _Encoding, implicit: bool) -> int:
    """The position after the Sequence Delimitation Item that ends what starts at ``position``.

    Sequences, items and encapsulated pixel data nest in one loop; ``implicit`` also holds inside UN of undefined length
    (PS3.5 6.2.2 note 2).
    """
    depth, end, elements = 1, len(data), 0
    if position + 8 > end:
        raise UnreadableError("Data set ends inside a sequence")
    while depth:
        elements += 1
        if elements > _MOST_ELEMENTS:
            raise UnreadableError("Data set has more elements than are read")
        group, element, length = encoding.implicit_head(data, position)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            depth -= 1
            position += 8
        elif tag == _ITEM_END:
            position += 8
        elif tag == _ITEM:
            position += 8 if length == _UNDEFINED else 8 + length
        else:
            if implicit:
                position += 8
            else:
                vr = bytes(data[position + 4 : position + 6])
                if vr in _SHORT_VRS:
                    length = encoding.explicit_head(data, position)[3]
                    position += 8
                elif vr in _LONG_VRS:
                    length = encoding.length(data, position + 8)[0]
                    position += 12
                else:
                    raise _OddError
                if vr == b"UN" and length == _UNDEFINED:
                    position = _skip_undefined(data, position, encoding, True)
                    continue
            if length == _UNDEFINED:
                depth += 1
            else:
                position += length
        if position > end:
            raise UnreadableError("Data set ends inside a sequence")
    return position


def _by_pydicom(data: Buffer, encoding: _Encoding) -> dict[int, tuple[bool, bytes]]:
    """The same for data sets with unknown or wrong value representations or elements out of order. Of a large one the
    beginning is read, which must hold all that stands before the pixels."""
    source = BoundedReader(bytes(data[:_MOST_FOR_PYDICOM]))
    at_pixels = False

    def stop(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001
        nonlocal at_pixels
        at_pixels = tag == _PIXEL_DATA
        return at_pixels

    try:
        parsed = read_dataset(
            source, encoding.implicit, encoding.little, stop_when=stop, specific_tags=[Tag(tag) for tag in _WANTED_VR]
        )
        found: dict[int, tuple[bool, bytes]] = {}
        for tag in _WANTED_VR:
            if tag in parsed:
                raw = parsed.get_item(tag)
                value = getattr(raw, "value", None)
                if isinstance(value, bytes):
                    found[tag] = (False, value[:_LONGEST_VALUE])
        ended = source.tell()
    except TooManyElementsError as wrong:
        raise UnreadableError("Data set has more elements than are read") from wrong
    except Exception as wrong:
        raise UnreadableError("Data set is not in its transfer syntax") from wrong
    if not found:
        raise UnreadableError("Data set is not in its transfer syntax")
    if ended > len(data):
        raise UnreadableError("Data set is cut off")
    if len(data) > _MOST_FOR_PYDICOM and not at_pixels:
        raise UnreadableError("Data set is neither in order nor small enough")
    return found


_ZERO = ord("0")
_INTEGER = re.compile(r"[+-]?\d{1,12}\Z")
_WITH_FORMS = frozenset({"DA", "TM", "IS", "DS"})
_DATE_DOTTED = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})\Z")


# Single values of these are kept as they are, but for their padding, unless they hold one of the odd bytes.
_AS_IT_IS = frozenset({"AE", "AS", "CS", "DT", "LO", "PN", "SH", "UC", "UI", "UR"})
_ODD_BYTES: Mapping[int, tuple[bytes, ...]] = {
    tag: (b"\\", b"\0", b"\x1b", *{"DA": (b".",), "TM": (b":",)}.get(vr, ()))
    for tag, vr in _WANTED_VR.items()
    if vr in _AS_IT_IS or vr in ("DA", "TM")
}
_INTEGER_TAGS = frozenset(tag for tag, vr in _WANTED_VR.items() if vr == "IS")


# The instances of a series differ in a few values only: short ones are remembered.
_REMEMBERED = 64


@lru_cache(maxsize=4096)
def plain_text(tag: int, value: bytes) -> str | None:
    """What ``_text`` makes of nearly every value there is, without taking it apart; None where that must be done."""
    bare = value.strip(b" \0")
    odd = _ODD_BYTES.get(tag)
    if odd is not None:
        if not bare.isascii():
            return None
        for byte in odd:
            if byte in bare:
                return None
        return bare.decode("ascii")
    if tag in _INTEGER_TAGS and bare.isdigit() and bare[0] != _ZERO and len(bare) <= 12:
        return bare.decode("ascii")
    return None


def _text(tag: int, undefined: bool, value: bytes, terms: tuple[str, ...], encoding: _Encoding) -> str:
    vr = _WANTED_VR[tag]
    if vr == "SQ":
        return _sequence_text(value, undefined, terms, encoding)
    if vr in _NUMBERS:
        return _number_text(value, vr, encoding)
    text = decode(value, terms, vr) if vr in TEXT_VRS else value.decode("ascii", "replace")
    if "\0" in text:
        text = text.replace("\0", "")
    if vr in ("LT", "ST", "UT"):
        return text.rstrip()
    if vr not in _WITH_FORMS and "\\" not in text:
        return text.strip(" ")[:_MAX_TEXT]
    return "\\".join(normal_value(vr, part) for part in text.split("\\"))[:_MAX_TEXT]


def normal_value(vr: str, text: str) -> str:
    """One value in the form in which it is kept and compared: without padding, retired forms of date and time brought
    to today's ("1997.04.21", "10:30"), integers without leading zeros. An integer that is none becomes empty."""
    text = text.strip(" \0")
    if vr == "DA":
        return _DATE_DOTTED.sub(r"\1\2\3", text)
    if vr == "TM":
        return text.replace(":", "")
    if vr == "IS":
        return str(int(text)) if _INTEGER.match(text) else ""
    if vr == "DS":
        return text if _is_decimal(text) else ""
    return text


def _is_decimal(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 16


@lru_cache(maxsize=16)
def _number_reader(vr: str, little: bool) -> struct.Struct:
    return struct.Struct(("<" if little else ">") + _NUMBERS[vr])


def _number_text(value: bytes, vr: str, encoding: _Encoding) -> str:
    reader = _number_reader(vr, encoding.little)
    return str(reader.unpack_from(value)[0]) if len(value) >= reader.size else ""


def _sequence_text(value: bytes, undefined: bool, terms: tuple[str, ...], encoding: _Encoding) -> str:
    """A sequence as DICOM JSON (PS3.18 F), or nothing if it is empty, unreadable or too long to be a key."""
    try:
        items = read_sequence(
            BytesIO(value),
            encoding.implicit,
            encoding.little,
            _UNDEFINED if undefined else len(value),
            list(_python_encodings(terms)),
            0,
        )
        text = sequence_to_text(items)
    except Exception:
        return ""
    return text if len(text) <= _MAX_SEQUENCE_TEXT else ""


@lru_cache(maxsize=64)
def _python_encodings(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(convert_encodings(list(terms) or ""))


def sequence_to_text(items: Sequence) -> str:
    """Items of a sequence as the text in which the index keeps them."""
    return json.dumps([item.to_json_dict() for item in items], ensure_ascii=False) if len(items) else ""
