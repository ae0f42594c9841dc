"""Reading the identifier of a C-FIND, C-MOVE or C-GET: which model, which level, which keys, and what is wrong with it.

The archive answers hierarchical queries (PS3.4 C.4.1.2.1): the unique key of every level above the asked one must be
there with one value. Relational queries are not negotiated, so an identifier that lacks one is refused with A900.

Most identifiers are short, flat and ASCII. Those are read from their bytes (``plain_keys``), which takes a fiftieth of
the time that pydicom takes; all others through pydicom (``keys_of``). Both give the same ``Keys``, or the first gives
none.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import PersonName

from sandbox.archive.attributes import ATTRIBUTES, LEVELS, UNIQUE_KEY, Level
from sandbox.archive.charset import TEXT_VRS, decode, defined_terms
from sandbox.archive.header import sequence_to_text
from sandbox.archive.matching import has_wildcard, is_universal
from sandbox.dicom.contract import Query

MISMATCH = 0xA900
"""Identifier (or data set) does not match SOP class."""

_PATIENT_ROOT = LEVELS
_STUDY_ROOT = LEVELS[1:]
_PATIENT_STUDY_ONLY = LEVELS[:2]
_MODEL = "1.2.840.10008.5.1.4.1.2."

LEVELS_OF: dict[str, tuple[Level, ...]] = {
    f"{_MODEL}{root}.{service}": levels
    for root, levels in ((1, _PATIENT_ROOT), (2, _STUDY_ROOT), (3, _PATIENT_STUDY_ONLY))
    for service in (1, 2, 3)
}
"""The levels of each information model's FIND, MOVE and GET SOP class."""

SPECIFIC_CHARACTER_SET = 0x00080005
QUERY_RETRIEVE_LEVEL = 0x00080052


@dataclass(frozen=True)
class Refusal:
    """Why an identifier is not served: a status and a comment of at most 64 characters."""

    status: int
    comment: str


@dataclass(frozen=True)
class Target:
    """A sound identifier's level, and the values of the unique keys from the top of its model down to that level.

    Keys above the level hold one value; the level's own may be empty or a list.
    """

    level: Level
    levels: tuple[Level, ...]
    unique: dict[Level, tuple[str, ...]]
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Keys:
    """An identifier's elements as text by tag, in its order: values joined by backslashes, sequences as DICOM JSON,
    empty where they have no value or the archive does not know the attribute. ``terms`` is its Specific Character Set.
    """

    texts: Mapping[int, str]
    terms: tuple[str, ...]


_VR = {a.tag: a.vr for a in ATTRIBUTES} | {SPECIFIC_CHARACTER_SET: "CS", QUERY_RETRIEVE_LEVEL: "CS"}


def keys_of(identifier: Dataset) -> Keys:
    """The keys of a decoded identifier."""
    terms = character_set(identifier)
    tags = [int(tag) for tag in identifier.keys()]  # noqa: SIM118 - iterating a Dataset converts every element
    return Keys({tag: value_text(identifier, tag, _VR[tag], terms) if tag in _VR else "" for tag in tags}, terms)


def keys_in(query: Query) -> Keys:
    """The keys of a query, from its bytes where they are plain. Raises UnreadableIdentifierError."""
    encoded = query.encoded
    plain = None if encoded is None else plain_keys(encoded, query.transfer_syntax)
    return keys_of(query.identifier) if plain is None else plain


def read_target(sop_class: str, keys: Keys) -> Target | Refusal:
    """Check level and unique keys."""
    levels = LEVELS_OF.get(sop_class)
    if levels is None:
        return Refusal(0x0122, "SOP class not supported")
    texts = keys.texts
    named = texts.get(QUERY_RETRIEVE_LEVEL, "").strip()
    if not named:
        return Refusal(MISMATCH, "Query/Retrieve Level is missing")
    if named not in levels:
        return Refusal(MISMATCH, f"Query/Retrieve Level {named[:16]} is not in this model")
    level = Level(named)
    unique: dict[Level, tuple[str, ...]] = {}
    for upper in levels:
        key = UNIQUE_KEY[upper]
        values = tuple([value for part in texts.get(key.tag, "").split("\\") if (value := part.strip(" \0"))])
        if upper is level:
            unique[upper] = values
            break
        if len(values) != 1 or is_universal(values[0]):
            return Refusal(MISMATCH, f"{key.keyword} must have one value at level {level}")
        if has_wildcard(values[0]):
            return Refusal(MISMATCH, f"{key.keyword} must not hold a wildcard at level {level}")
        unique[upper] = values
    return Target(level, levels, unique, keys.terms)


def character_set(identifier: Dataset) -> tuple[str, ...]:
    """The terms of the identifier's Specific Character Set."""
    return defined_terms(value_text(identifier, SPECIFIC_CHARACTER_SET, "CS", ()))


def value_text(dataset: Dataset, tag: int, vr: str, terms: Sequence[str]) -> str:
    """An element as text with backslashes between values, sequences as DICOM JSON; empty if it is absent or empty."""
    if tag not in dataset:
        return ""
    item = dataset.get_item(tag)
    if vr == "SQ" or isinstance(item, DataElement):
        return _converted_text(dataset[tag].value, terms)
    if isinstance(item, RawDataElement) and isinstance(item.value, bytes):
        text = decode(item.value, terms, vr) if vr in TEXT_VRS else item.value.decode("ascii", "replace")
        if vr == "US":
            return _converted_text(dataset[tag].value, terms)
        return text.replace("\0", "").rstrip(" ")
    return ""


def _converted_text(value: object, terms: Sequence[str]) -> str:
    if value is None:
        return ""
    if isinstance(value, Items):
        return sequence_to_text(value)
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(_converted_text(part, terms) for part in value)
    if isinstance(value, PersonName):
        original = value.original_string
        return decode(original, terms, "PN") if isinstance(original, bytes) else str(value)
    if isinstance(value, bytes):
        return decode(value, terms, "UN")
    return str(value).replace("\0", "").rstrip(" ")


# -- Plain identifiers, from their bytes ------------------------------------------------------------------------------

_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_IMPLICIT_HEAD = struct.Struct("<HHL").unpack_from
_EXPLICIT_HEAD = struct.Struct("<HH2sH").unpack_from
_EXPLICIT_VR = {tag: vr.encode("ascii") for tag, vr in _VR.items()}
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"SQ UC UR UT".split())
# Of these any text stays the text that it is; others have a form of their own, or several.
_TEXT_AS_IT_IS = frozenset({"AE", "CS", "DA", "LO", "PN", "SH", "TM", "UI"})
# Sets in which ASCII bytes are ASCII characters whatever stands beside them.
_ASCII_SETS = frozenset({"ISO_IR 6", "ISO_IR 100", "ISO_IR 101", "ISO_IR 144", "ISO_IR 192"})


def plain_keys(encoded: bytes | memoryview, transfer_syntax: str) -> Keys | None:
    """The keys of an identifier whose elements are in order, flat, and either empty or printable ASCII text without odd
    spaces; None for every other, and in other transfer syntaxes than the little endian ones."""
    implicit = transfer_syntax == _IMPLICIT
    if not implicit and transfer_syntax != _EXPLICIT:
        return None
    data = bytes(encoded)
    texts: dict[int, str] = {}
    position, end, previous = 0, len(data), 0
    while position + 8 <= end:
        start = position + 8
        if implicit:
            group, element, length = _IMPLICIT_HEAD(data, position)
            explicit_vr = b""
        else:
            group, element, explicit_vr, length = _EXPLICIT_HEAD(data, position)
            if explicit_vr not in _SHORT_VRS:
                # An empty sequence, or text of any length, asks for an attribute as well.
                if explicit_vr not in _LONG_VRS or data[position + 6 : position + 12] != bytes(6):
                    return None
                start += 4
        position = start + length
        tag = group << 16 | element
        if tag <= previous or position > end or group <= 2:
            return None
        previous = tag
        vr = _VR.get(tag)
        if vr is not None and not implicit and explicit_vr != _EXPLICIT_VR[tag]:
            return None
        if not length:
            texts[tag] = ""
        elif vr in _TEXT_AS_IT_IS:
            text = _plain_text(data[start:position])
            if text is None or (vr == "PN" and "=" in text):
                return None
            texts[tag] = text
        elif not element and length == 4 and explicit_vr in (b"", b"UL"):
            # A group length (PS3.5 7.2), which old requestors send.
            texts[tag] = ""
        else:
            return None
    if position != end:
        return None
    charset = texts.get(SPECIFIC_CHARACTER_SET, "")
    if charset and charset not in _ASCII_SETS:
        return None
    return Keys(texts, (charset,) if charset else ())


def _plain_text(value: bytes) -> str | None:
    if not value.isascii():
        return None
    text = value.decode("ascii").rstrip(" \0")
    if not text.isprintable():
        return None
    if " " in text and (text[0] == " " or " \\" in text or "\\ " in text):
        return None
    return text
