"""Text in and out of DICOM character sets (PS3.5 6.1, PS3.3 C.12.1.1.2), through pydicom's codecs.

A value is decoded whole before it is split at "\\\\", "^" and "=", because the bytes of kanji and GB18030 text may hold
the same bytes as those delimiters. Inside the archive all text is ``str``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydicom.charset import convert_encodings, decode_bytes, encode_string, python_encoding

TEXT_VRS = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
"""The value representations that Specific Character Set (0008,0005) governs."""

UNICODE = "ISO_IR 192"
LATIN_1 = "ISO_IR 100"

_BACKSLASH, _CARET, _EQUALS = 0x5C, 0x5E, 0x3D
_RESETS = {"PN": {_BACKSLASH, _CARET, _EQUALS}}
_RESETS_IN_TEXT = {_BACKSLASH, 0x09, 0x0A, 0x0C, 0x0D}
_ESCAPE = 0x1B


def defined_terms(value: str) -> tuple[str, ...]:
    """The terms of a Specific Character Set value, e.g. ``"\\\\ISO 2022 IR 87"`` → ``("", "ISO 2022 IR 87")``."""
    return tuple(term.strip() for term in value.split("\\")) if value.strip() else ()


def decode(value: bytes, terms: Sequence[str], vr: str) -> str:
    """``value`` as text. What cannot be decoded becomes U+FFFD rather than an error: the instance is still good."""
    if value.isascii() and _ESCAPE not in value:
        return value.decode("ascii")
    try:
        return decode_bytes(value, _encodings(terms), _RESETS.get(vr, _RESETS_IN_TEXT))
    except (UnicodeError, LookupError, ValueError):
        return value.decode("ascii", errors="replace")


def choose(texts: Iterable[str], asked: Sequence[str]) -> str:
    """The Specific Character Set in which all ``texts`` can be answered so that the asker can read them.

    Empty (no element needed) when all is ASCII; else the asker's own set if it can carry them; else Latin-1 for one who
    named none, and UTF-8 as the last resort.
    """
    special = [text for text in texts if not text.isascii()]
    if not special:
        return ""
    if asked and all(_carries(text, asked) for text in special):
        return "\\".join(asked)
    if not asked and all(_carries(text, (LATIN_1,)) for text in special):
        return LATIN_1
    return UNICODE


def _encodings(terms: Sequence[str]) -> list[str]:
    known = [term for term in terms if term in python_encoding]
    return convert_encodings(known or "")


def _carries(text: str, terms: Sequence[str]) -> bool:
    """Whether ``text`` survives the way to bytes and back. Encoders that replace characters are found out by that."""
    if any(term not in python_encoding for term in terms):
        return False
    if all(term in ("", "ISO_IR 6", "ISO 2022 IR 6") for term in terms):
        return False  # pydicom would write Latin-1 here; the default repertoire is ASCII alone
    encodings = convert_encodings(list(terms))
    parts = [part for part in re.split(r"[\\^=]", text) if not part.isascii()]
    if not all(_encodes(letter, encodings) for part in parts for letter in part):
        return False  # told apart first, since pydicom warns of what it replaces
    return all(decode(encode_string(part, encodings), terms, "PN") == part for part in parts)


def _encodes(character: str, encodings: Sequence[str]) -> bool:
    for encoding in encodings:
        try:
            character.encode(encoding)
        except (UnicodeError, LookupError):
            continue
        return True
    return False
