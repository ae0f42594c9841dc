"""C-FIND answers as bytes, without a data set in between: most answers are plain ASCII, and pydicom takes longer over
one than everything else together.

``AnswerEncoder`` gives the same bytes as pydicom would, or None for whatever is not plain: other characters, sequences
with items, several person names, odd spaces and numbers. Those are answered as data sets. PS3.5 7.1; little endian.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"

_SHORT, _LONG, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HH2sxxL"), struct.Struct("<HHL")
_LONG_VRS = frozenset({"SQ", "UC", "UR", "UT"})
_LONGEST_SHORT = 0xFFFE
# pydicom trims or changes these: spaces beside a delimiter or at an end, NULs and escapes.
_ODD = re.compile(r"[\x00\x1b]|^\s|\s$|\s\\|\\\s")
_ODD_OF_VR = {
    "PN": re.compile(r".*[=\\]", re.DOTALL),
    "IS": re.compile(r"(?!-?\d{1,9}$)"),
    "DS": re.compile(r"(?!-?\d{1,8}(\.\d{1,6})?$)"),
    "US": re.compile(r"(?!\d{1,5}$)"),
    "SQ": re.compile(""),
}


class _NotPlainError(Exception):
    """pydicom has to encode this one."""


class AnswerEncoder:
    """Encodes answers that share their keys. ``keys`` are the tag and value representation of each value of a row,
    ``fixed`` those that are the same in every answer, as tag to value representation and text."""

    def __init__(
        self, transfer_syntax: str, keys: Sequence[tuple[int, str]], fixed: Mapping[int, tuple[str, str]]
    ) -> None:
        self._element = _implicit if transfer_syntax == IMPLICIT else _explicit
        self._usable = transfer_syntax in (IMPLICIT, EXPLICIT)
        of_keys = {tag: (vr, place) for place, (tag, vr) in enumerate(keys)}
        self._parts: list[bytes | tuple[int, str, int]] = []
        try:
            for tag in sorted({*of_keys, *fixed}):
                if tag in of_keys:
                    self._parts.append((tag, *of_keys[tag]))
                else:
                    self._parts.append(self._encoded(tag, *fixed[tag]))
        except _NotPlainError:
            self._usable = False

    def encode(self, values: Sequence[str]) -> bytes | None:
        """One answer, or None if it is not plain."""
        if not self._usable:
            return None
        try:
            return b"".join(
                [
                    part if isinstance(part, bytes) else self._encoded(part[0], part[1], values[part[2]])
                    for part in self._parts
                ]
            )
        except _NotPlainError:
            return None

    def _encoded(self, tag: int, vr: str, text: str) -> bytes:
        if not text:
            return self._element(tag, vr, b"")
        odd = _ODD_OF_VR.get(vr)
        if not text.isascii() or _ODD.search(text) or (odd is not None and odd.match(text)):
            raise _NotPlainError
        if vr == "US":
            if int(text) > 0xFFFF:
                raise _NotPlainError
            return self._element(tag, vr, int(text).to_bytes(2, "little"))
        value = text.encode("ascii")
        if len(value) % 2:
            value += b"\0" if vr == "UI" else b" "
        return self._element(tag, vr, value)


def _explicit(tag: int, vr: str, value: bytes) -> bytes:
    if vr in _LONG_VRS:
        return _LONG.pack(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), len(value)) + value
    if len(value) > _LONGEST_SHORT:
        raise _NotPlainError
    return _SHORT.pack(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), len(value)) + value


def _implicit(tag: int, vr: str, value: bytes) -> bytes:  # noqa: ARG001
    return _IMPLICIT.pack(tag >> 16, tag & 0xFFFF, len(value)) + value
