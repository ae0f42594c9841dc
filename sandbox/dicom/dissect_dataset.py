"""Data sets and command sets read element by element (PS3.5 7), as far as they go: for people who look at a capture.

Unlike datasets.py it never refuses: what cannot be read is told at the element where reading ends. Long values are
shortened and pixel data only counted, so that a page stays a page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.datadict import dictionary_description, dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.uid import UID

from sandbox.dicom.explain import explain_status, uid_name
from sandbox.dicom.messages import NO_DATA_SET, RESPONSE, SERVICES
from sandbox.model.inspection import Element, Elements

MOST_ELEMENTS = 1500
LONGEST_VALUE = 160
MOST_BYTES = 2 << 20
"""How much of a data set is looked at. Pixel data come last, so the header is within it."""

_DEEPEST = 12
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_VRS = _LONG | frozenset(
    {
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
        *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    }
)
_NUMBERS: Mapping[str, str] = {
    "US": "H",
    "SS": "h",
    "UL": "L",
    "SL": "l",
    "FL": "f",
    "FD": "d",
    "UV": "Q",
    "SV": "q",
}
_IN_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
# Where a repertoire falls back to the first one (PS3.5 6.1.2.5.3).
_DELIMITERS = {ord(sign) for sign in "\\^=\r\n\t\f"}
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
PRIORITIES: Mapping[int, str] = {0: "medium", 1: "high", 2: "low"}


@dataclass
class _Frame:
    """What surrounds the present place: its end, and whether items (of a sequence) or elements are within."""

    end: int
    is_items: bool
    is_implicit: bool
    count: int = 0


def dissect_dataset(data: bytes, transfer_syntax: str, *, is_whole: bool = True, most: int = MOST_ELEMENTS) -> Elements:
    """The elements in ``data``. Without ``is_whole`` these are only its first bytes, and an end in the midst of a value
    is nothing bad."""
    syntax = UID(transfer_syntax or "1.2.840.10008.1.2")
    trouble = ""
    if syntax == "1.2.840.10008.1.2.1.99":
        data, is_whole, trouble = _inflated(data, is_whole)
    known = syntax.is_transfer_syntax
    walk = _Walk(
        data,
        is_implicit=known and syntax.is_implicit_VR,
        is_little=not known or syntax.is_little_endian,
        is_whole=is_whole,
        most=most,
    )
    walk.run()
    return Elements(elements=tuple(walk.found), more=walk.more, trouble=trouble or walk.trouble)


def dissect_command(data: bytes) -> Elements:
    """A command set, which is always implicit VR little endian (PS3.7 6.3.1), with its numbers in words."""
    found = dissect_dataset(data, "1.2.840.10008.1.2")
    values = {one.keyword: one.value for one in found.elements}
    field = int(values["CommandField"]) if values.get("CommandField", "").isdigit() else -1
    return found.model_copy(update={"elements": tuple(_command_words(one, field) for one in found.elements)})


def command_name(field: int) -> str:
    """ "C-STORE-RQ", "C-FIND-RSP"; the number where the standard knows none."""
    service = SERVICES.get(field & ~RESPONSE)
    return f"{service}-{'RSP' if field & RESPONSE else 'RQ'}" if service else f"command {field & 0xFFFF:04X}H"


def _command_words(one: Element, field: int) -> Element:
    """What a number of the command set means (PS3.7 annex E)."""
    if not one.value.isdigit():
        return one
    value = int(one.value)
    match one.keyword:
        case "CommandField":
            return one.model_copy(update={"value": f"{value:04X}H", "note": command_name(value)})
        case "Status":
            words = explain_status(SERVICES.get(field & ~RESPONSE, ""), value)
            return one.model_copy(update={"value": f"{value:04X}H", "note": f"{words.name}: {words.meaning}"})
        case "Priority":
            return one.model_copy(update={"note": PRIORITIES.get(value, "no such priority")})
        case "CommandDataSetType":
            note = "no data set follows" if value == NO_DATA_SET else "a data set follows"
            return one.model_copy(update={"value": f"{value:04X}H", "note": note})
    return one


def _inflated(data: bytes, is_whole: bool) -> tuple[bytes, bool, str]:
    """What a deflated data set (PS3.5 A.5) holds, at most as much as is looked at."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = stream.decompress(data, MOST_BYTES)
    except zlib.error as wrong:
        return b"", True, f"The data set cannot be inflated: {wrong}."
    return found, is_whole and stream.eof, ""


class _Walk:
    """Reads elements one after the other, keeping account of the sequences around them on a stack of its own."""

    def __init__(self, data: bytes, *, is_implicit: bool, is_little: bool, is_whole: bool, most: int) -> None:
        self.data = data
        self.found: list[Element] = []
        self.more = False
        self.trouble = ""
        self._order = "<" if is_little else ">"
        self._is_whole = is_whole
        self._most = most
        self._stack = [_Frame(len(data), False, is_implicit)]
        self._encodings = ["iso8859"]
        self._creators: dict[tuple[int, int, int], str] = {}
        self._at = 0

    def run(self) -> None:
        while self._stack and not self.trouble:
            frame = self._stack[-1]
            if self._at >= frame.end:
                self._stack.pop()
                continue
            if len(self.found) >= self._most:
                self.more = True
                return
            if self._at + 8 > len(self.data):
                self._end("the bytes end within an element's header")
                return
            group, element = struct.unpack_from(f"{self._order}HH", self.data, self._at)
            tag = group << 16 | element
            if group == 0xFFFE:
                self._delimiter(frame, tag)
            elif frame.is_items:
                self._end("there is an element where an item of the sequence should begin")
            else:
                self._element(frame, tag)

    @property
    def _depth(self) -> int:
        return sum(not frame.is_items for frame in self._stack) - 1

    def _end(self, why: str) -> None:
        """No further: because the data are cut for the page, which is nothing bad, or because they are wrong."""
        if not self._is_whole and self._at + 12 >= len(self.data):
            self.more = True
            self._stack.clear()
            return
        self.trouble = f"Reading ends at byte {self._at}: {why}."
        rest = self.data[self._at : self._at + 16].hex(" ").upper()
        self.found.append(
            Element(
                depth=max(self._depth, 0), tag="", name="Unreadable", value=rest, note=why, start=self._at, bad=True
            )
        )

    def _delimiter(self, frame: _Frame, tag: int) -> None:
        (length,) = struct.unpack_from(f"{self._order}L", self.data, self._at + 4)
        start, self._at = self._at, self._at + 8
        if tag == _ITEM and frame.is_items:
            frame.count += 1
            shown = None if length == _UNDEFINED else length
            self.found.append(
                Element(depth=self._depth + 1, tag="(FFFE,E000)", name=f"Item {frame.count}", length=shown, start=start)
            )
            end = frame.end if length == _UNDEFINED else min(self._at + length, frame.end)
            self._stack.append(_Frame(end, False, frame.is_implicit))
        elif tag == (_SEQUENCE_END if frame.is_items else _ITEM_END) and len(self._stack) > 1:
            self._stack.pop()
        else:
            self._at = start
            self._end("there is the end of an item or of a sequence that has not begun")

    def _element(self, frame: _Frame, tag: int) -> None:
        start = self._at
        read = self._implicit(tag) if frame.is_implicit else self._explicit(tag)
        if read is None:
            return
        vr, length, value_at = read
        is_sequence = vr == "SQ" or (vr == "UN" and length == _UNDEFINED)
        if tag in _PIXELS and length == _UNDEFINED:
            self._at = value_at
            self._encapsulated(tag, vr, start)
        elif is_sequence:
            self._note(tag, vr, start, None if length == _UNDEFINED else length, "", "")
            self._at = value_at
            if len(self._stack) >= 2 * _DEEPEST:
                self._end("sequences are nested too deeply to go on")
                return
            end = frame.end if length == _UNDEFINED else min(value_at + length, frame.end)
            # An unknown sequence of undefined length is in implicit VR (PS3.5 6.2.2).
            self._stack.append(_Frame(end, True, frame.is_implicit or vr == "UN"))
        elif length == _UNDEFINED:
            self._end(f"{vr} may not have an undefined length")
        else:
            self._value(frame, tag, vr, start, value_at, length)

    def _implicit(self, tag: int) -> tuple[str, int, int]:
        (length,) = struct.unpack_from(f"{self._order}L", self.data, self._at + 4)
        return _vr_of(tag), length, self._at + 8

    def _explicit(self, tag: int) -> tuple[str, int, int] | None:
        vr = self.data[self._at + 4 : self._at + 6].decode("latin-1")
        if vr not in _VRS:
            shown = vr if vr.isprintable() else vr.encode("latin-1").hex(" ").upper()
            self._end(f"{_written(tag)} has the VR {shown!r}, which there is not: is the transfer syntax another one?")
            return None
        if vr not in _LONG:
            (length,) = struct.unpack_from(f"{self._order}H", self.data, self._at + 6)
            return vr, length, self._at + 8
        if self._at + 12 > len(self.data):
            self._end("the bytes end within an element's header")
            return None
        (length,) = struct.unpack_from(f"{self._order}L", self.data, self._at + 8)
        return vr, length, self._at + 12

    def _value(self, frame: _Frame, tag: int, vr: str, start: int, value_at: int, length: int) -> None:
        value = self.data[value_at : value_at + length]
        self._at = value_at + length
        if len(value) == length and self._at <= frame.end:
            self._note(tag, vr, start, length, *self._words(tag, vr, value))
            return
        if not self._is_whole and len(value) < length:
            self._note(tag, vr, start, length, f"{length} bytes", "not shown: only the beginning is looked at")
            self.more = True
            self._stack.clear()
            return
        why = f"the value of {_written(tag)} runs past the end of what holds it"
        self._note(tag, vr, start, length, *self._words(tag, vr, value))
        self._at = start
        self._end(why)

    def _encapsulated(self, tag: int, vr: str, start: int) -> None:
        """Compressed pixel data: fragments up to the end of the sequence (PS3.5 A.4)."""
        fragments, size = 0, 0
        while self._at + 8 <= len(self.data):
            group, element, length = struct.unpack_from(f"{self._order}HHL", self.data, self._at)
            inner = group << 16 | element
            self._at += 8
            if inner == _SEQUENCE_END:
                break
            if inner != _ITEM or length == _UNDEFINED:
                self._at -= 8
                self._end("there is something else where a fragment of the pixel data should begin")
                return
            fragments, size = fragments + 1, size + length
            self._at += length
        else:
            if self._is_whole:
                self._at = min(self._at, len(self.data))
                self._end("the compressed pixel data do not end")
                return
            self.more = True
        told = f"{fragments} fragments, {size} bytes" if not self.more else "compressed, not counted to its end"
        self._note(tag, vr, start, None, told, "not shown")

    def _words(self, tag: int, vr: str, value: bytes) -> tuple[str, str]:
        """The value as text, and a remark on it."""
        if vr in _BINARY:
            return self._binary(tag, vr, value)
        if vr in _NUMBERS or vr == "AT":
            return self._numbers(vr, value)
        text = self._text(vr, value)
        if tag == 0x00080005:
            self._take_charset(text)
        group, element = tag >> 16, tag & 0xFFFF
        if group % 2 and 0x10 <= element <= 0xFF:
            self._creators[(len(self._stack), group, element)] = text
        name = uid_name(text) if vr == "UI" and text and "\\" not in text else ""
        return _shortened(text), name if name != text else ""

    def _binary(self, tag: int, vr: str, value: bytes) -> tuple[str, str]:
        if tag in _PIXELS:
            return f"{len(value)} bytes", "pixel data, not shown"
        if vr == "UN" and value and all(32 <= byte < 127 for byte in value.rstrip(b" \0")):
            return _shortened(value.decode("latin-1").strip(" \0")), "unknown VR, shown as text"
        shown = value[:16].hex(" ").upper()
        return shown + (" …" if len(value) > 16 else ""), ""

    def _numbers(self, vr: str, value: bytes) -> tuple[str, str]:
        if vr == "AT":
            size, code = 4, "HH"
        else:
            code = _NUMBERS[vr]
            size = struct.calcsize(f"={code}")
        wrong = f"{len(value)} bytes do not make whole values of {vr}" if len(value) % size else ""
        count = min(len(value) // size, 40)
        read = struct.unpack_from(f"{self._order}{code * count}", value)
        if vr == "AT":
            told = [f"({read[2 * i]:04X},{read[2 * i + 1]:04X})" for i in range(count)]
        else:
            told = [f"{one:.6g}" if isinstance(one, float) else str(one) for one in read]
        return _shortened("\\".join(told)), wrong

    def _text(self, vr: str, value: bytes) -> str:
        value = value[: 8 * LONGEST_VALUE]
        if vr in _IN_CHARSET:
            try:
                text = decode_bytes(value, self._encodings, _DELIMITERS)
            except Exception:  # pydicom raises what the codec raises; the bytes are shown as they are
                text = value.decode("latin-1")
        else:
            text = value.decode("latin-1")
        return "".join(sign if sign.isprintable() else "·" for sign in text.strip(" \0"))

    def _take_charset(self, text: str) -> None:
        """Unknown terms stand for the default repertoire, as pydicom has it, though without a warning for each."""
        terms = [term.strip() for term in text.split("\\")]
        self._encodings = list(convert_encodings([term if term in python_encoding else "" for term in terms[:8]]))

    def _note(self, tag: int, vr: str, start: int, length: int | None, value: str, note: str) -> None:
        keyword = keyword_for_tag(tag)
        self.found.append(
            Element(
                depth=max(self._depth, 0),
                tag=_written(tag),
                vr=vr,
                keyword=keyword,
                name=self._name(tag),
                length=length,
                value=value,
                note=note,
                start=start,
            )
        )

    def _name(self, tag: int) -> str:
        group, element = tag >> 16, tag & 0xFFFF
        if group % 2:
            if 0x10 <= element <= 0xFF:
                return "Private creator"
            creator = self._creators.get((len(self._stack), group, element >> 8), "")
            return f"Private, of {creator}" if creator else "Private"
        if element == 0:
            return "Group length"
        return dictionary_description(tag) if dictionary_has_tag(tag) else "Unknown"


def _vr_of(tag: int) -> str:
    """The VR that the dictionary gives; of several the one with the fewest demands."""
    group, element = tag >> 16, tag & 0xFFFF
    if group % 2:
        return "LO" if 0x10 <= element <= 0xFF else "UN"
    if element == 0:
        return "UL"
    if not dictionary_has_tag(tag):
        return "UN"
    found = dictionary_VR(tag)
    return "OW" if "OW" in found else found[:2]


def _written(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
