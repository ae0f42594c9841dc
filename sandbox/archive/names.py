"""Person names for matching (PS3.5 6.2.1.2, PS3.4 C.2.2.2.1): without case, without accents, group by group.

The archive declares: names match whatever their case and accents, and a query with one component group matches any of
the stored name's groups (alphabetic, ideographic, phonetic).
"""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "æ": "ae", "Æ": "AE"}
    | {"œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ı": "i", "ħ": "h", "Ħ": "H"}
)
_FIRST_ACCENT, _LAST_ACCENT = "\u0300", "\u036f"


def fold(text: str) -> str:
    """``text`` in upper case without accents. Kana marks and hangul stay, since they are letters and no accents."""
    if text.isascii():
        return text.upper()
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.translate(_LETTERS))
        if not _FIRST_ACCENT <= letter <= _LAST_ACCENT
    )
    return unicodedata.normalize("NFC", bare).upper()


def groups(name: str) -> tuple[str, ...]:
    """The folded component groups of one name, without trailing empty components: "SMITH^JOHN^^" is "SMITH^JOHN"."""
    if "=" not in name and " " not in name and name.isascii() and name.isprintable():
        return (name.upper().rstrip("^"),)
    return tuple(
        "^".join(component.strip() for component in group.split("^")).rstrip("^") for group in fold(name).split("=")
    )


def folded_columns(name: str) -> tuple[str, str]:
    """What the index keeps: the first group, and the others joined (empty for most names)."""
    first, *others = groups(name)
    return first, "=".join(others)
