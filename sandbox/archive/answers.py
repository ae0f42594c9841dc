"""C-FIND answers as bytes, without a data set in between: most answers are plain ASCII, and pydicom takes longer over
one than everything else together.

``AnswerEncoder`` gives the same bytes as pydicom would, or None for whatever is not plain: other characters, sequences
with items, several person names, odd spaces and numbers. Those are answered as data sets. PS3.5 7.1; little endian.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"

_LONG_VRS = frozenset({"SQ", "UC", "UR", "UT"})
_NAME, _INTEGER, _DECIMAL = r"[^=\\]*", r"-?\d{1,9}", r"-?\d{1,8}(\.\d{1,6})?"
# Elements are put together as text, each character a byte, and become bytes in one go.
_BYTES = "latin-1"
_LONGEST = 1024
_LENGTHS = {size: tuple(n.to_bytes(size, "little").decode(_BYTES) for n in range(_LONGEST + 1)) for size in (2, 4)}

_Form = Callable[[str], str | None]


def _if_it_is(pattern: str) -> _Form:
    plain = re.compile(pattern).fullmatch
    return lambda text: text if plain(text) else None


def _unsigned(text: str) -> str | None:
    return int(text).to_bytes(2, "little").decode(_BYTES) if text.isdecimal() and int(text) <= 0xFFFF else None


# What a value is written as, None if it is not plain. Of all other VRs printable text is written as it is.
_FORMS: Mapping[str, _Form] = {
    "PN": _if_it_is(_NAME),
    "IS": _if_it_is(_INTEGER),
    "DS": _if_it_is(_DECIMAL),
    "US": _unsigned,
    "SQ": lambda text: None,
}


class AnswerEncoder:
    """Encodes answers that share their keys. ``keys`` are the tag and value representation of each value of a row,
    ``fixed`` those that are the same in every answer, as tag to value representation and text."""

    def __init__(
        self, transfer_syntax: str, keys: Sequence[tuple[int, str]], fixed: Mapping[int, tuple[str, str]]
    ) -> None:
        self._implicit = transfer_syntax == IMPLICIT
        self._usable = transfer_syntax in (IMPLICIT, EXPLICIT)
        of_keys = {tag: (vr, place) for place, (tag, vr) in enumerate(keys)}
        self._parts: list[str | tuple[str, Sequence[str], str, _Form | None, int]] = []
        for tag in sorted({*of_keys, *fixed}):
            if tag in of_keys:
                vr, place = of_keys[tag]
                self._parts.append((*self._element(tag, vr), _FORMS.get(vr), place))
            else:
                vr, text = fixed[tag]
                self._usable = self._usable and _is_plain((text,))
                self._parts.append(self._fixed(*self._element(tag, vr), text))

    def encode(self, values: Sequence[str]) -> bytes | None:
        """One answer, or None if it is not plain."""
        if not self._usable or not _is_plain(values):
            return None
        pieces: list[str] = []
        for part in self._parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            head, lengths, padding, form, place = part
            text = values[place]
            if text and form is not None:
                formed = form(text)
                if formed is None:
                    return None
                text = formed
            length = len(text)
            if length >= _LONGEST:
                return None
            if length % 2:
                pieces += (head, lengths[length + 1], text, padding)
            else:
                pieces += (head, lengths[length], text)
        return "".join(pieces).encode(_BYTES)

    def _element(self, tag: int, vr: str) -> tuple[str, Sequence[str], str]:
        """What stands before an element's length, the lengths in its form, and what pads its value."""
        head, size = struct.pack("<HH", tag >> 16, tag & 0xFFFF), 4
        if not self._implicit:
            head, size = head + vr.encode("ascii"), 2
            if vr in _LONG_VRS:
                head, size = head + bytes(2), 4
        return head.decode(_BYTES), _LENGTHS[size], "\0" if vr == "UI" else " "

    @staticmethod
    def _fixed(head: str, lengths: Sequence[str], padding: str, text: str) -> str:
        padded = text + padding * (len(text) % 2)
        return head + lengths[len(padded)] + padded


def _is_plain(values: Sequence[str]) -> bool:
    """Whether pydicom would leave them as they are: it trims spaces at the ends and beside a delimiter."""
    whole = "".join(values)
    if not (whole.isascii() and whole.isprintable()):
        return False
    return " " not in whole or not any(
        " " in text and (text[0] == " " or text[-1] == " " or " \\" in text or "\\ " in text) for text in values
    )
