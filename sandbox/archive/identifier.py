"""Reading the identifier of a C-FIND, C-MOVE or C-GET: which model, which level, which keys, and what is wrong with it.

The archive answers hierarchical queries (PS3.4 C.4.1.2.1): the unique key of every level above the asked one must be
there with one value. Relational queries are not negotiated, so an identifier that lacks one is refused with A900.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import PersonName

from sandbox.archive.attributes import LEVELS, UNIQUE_KEY, Level
from sandbox.archive.charset import TEXT_VRS, decode, defined_terms
from sandbox.archive.header import sequence_to_text
from sandbox.archive.matching import has_wildcard, is_universal

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


def read_target(sop_class: str, identifier: Dataset) -> Target | Refusal:
    """Check level and unique keys."""
    levels = LEVELS_OF.get(sop_class)
    if levels is None:
        return Refusal(0x0122, "SOP class not supported")
    terms = character_set(identifier)
    named = value_text(identifier, QUERY_RETRIEVE_LEVEL, "CS", terms).strip()
    if not named:
        return Refusal(MISMATCH, "Query/Retrieve Level is missing")
    if named not in levels:
        return Refusal(MISMATCH, f"Query/Retrieve Level {named[:16]} is not in this model")
    level = Level(named)
    unique: dict[Level, tuple[str, ...]] = {}
    for upper in levels[: levels.index(level) + 1]:
        key = UNIQUE_KEY[upper]
        text = value_text(identifier, key.tag, key.vr, terms)
        values = tuple(value for part in text.split("\\") if (value := part.strip(" \0")))
        if upper is not level:
            if len(values) != 1 or is_universal(values[0]):
                return Refusal(MISMATCH, f"{key.keyword} must have one value at level {level}")
            if has_wildcard(values[0]):
                return Refusal(MISMATCH, f"{key.keyword} must not hold a wildcard at level {level}")
        unique[upper] = values
    return Target(level, levels, unique, terms)


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
