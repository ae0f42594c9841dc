"""Query keys as dcmtk takes them on the command line, and the identifiers made of them (PS3.4 C.2.2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from sandbox.dicom import syntaxes
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from sandbox.lab.terminal.options import Arguments, Option, UsageError

PATIENT_STUDY_ONLY = "1.2.840.10008.5.1.4.1.2.3"


class InformationModel(NamedTuple):
    """The SOP classes by which an information model is asked; "" for what it does not have."""

    find: str
    move: str = ""
    get: str = ""


MODELS: Mapping[str, InformationModel] = {
    "-W": InformationModel(syntaxes.WORKLIST_FIND),
    "-P": InformationModel(syntaxes.PATIENT_ROOT_FIND, syntaxes.PATIENT_ROOT_MOVE, syntaxes.PATIENT_ROOT_GET),
    "-S": InformationModel(syntaxes.STUDY_ROOT_FIND, syntaxes.STUDY_ROOT_MOVE, syntaxes.STUDY_ROOT_GET),
    "-O": InformationModel(f"{PATIENT_STUDY_ONLY}.1", f"{PATIENT_STUDY_ONLY}.2", f"{PATIENT_STUDY_ONLY}.3"),
}

OPTIONS: Mapping[str, Option] = {
    "-W": Option(("-W", "--worklist"), "use modality worklist information model (findscu's default)"),
    "-P": Option(("-P", "--patient"), "use patient root information model (the others' default)"),
    "-S": Option(("-S", "--study"), "use study root information model"),
    "-O": Option(("-O", "--psonly"), "use patient/study only information model"),
}

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)?\Z")
_NUMBERS = frozenset({"US", "UL", "SS", "SL", "SV", "UV"})


class KeyFormatError(ValueError):
    """A key that dcmtk cannot read; the text is dcmtk's."""


def tag_of(name: str) -> int:
    """The tag of a dictionary name or of "gggg,eeee"; KeyFormatError for neither."""
    written = _TAG.match(name)
    if written:
        return int(written[1], 16) << 16 | int(written[2], 16)
    tag = tag_for_keyword(name) if name.isascii() and name.isalnum() else None
    if tag is None:
        raise KeyFormatError(f"Unable to parse tag/dictionary name at beginning of path: {name[:80]}")
    return tag


def model_of(given: Arguments, default: str) -> InformationModel:
    """The information model that was asked for."""
    return MODELS[next((key for key in ("-S", "-P", "-O") if key in given), default)]


def override_keys(given: Arguments) -> tuple[str, ...]:
    """The keys of a query (-k); UsageError for none."""
    keys = given.values("-k")
    if not keys:
        raise UsageError("either query file or override keys (or both) must be specified")
    return keys


def query(keys: Sequence[str]) -> Dataset:
    """The identifier of these keys. A later key of the same attribute takes the place of an earlier one."""
    made = Dataset()
    for key in keys:
        name, _, value = key.partition("=")
        made.add(element(tag_of(name.strip()), value))
    if any(not key.isascii() for key in keys) and "SpecificCharacterSet" not in made:
        made.SpecificCharacterSet = "ISO_IR 192"
    return made


def element(tag: int, text: str) -> DataElement:
    """An element with a value as it was typed; KeyFormatError for one that it cannot have."""
    try:
        vr = dictionary_VR(tag).partition(" ")[0]
    except KeyError:
        vr = "LO" if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    if vr == "SQ":
        return DataElement(tag, "SQ", [])
    try:
        parts: list[object] = [int(part) if vr in _NUMBERS else part for part in text.split("\\")] if text else []
        value: object = parts[0] if len(parts) == 1 else parts or None
        if vr in ("UN", "OB", "OW"):
            value = text.encode()
        found = DataElement(tag, vr, value, validation_mode=config.IGNORE)
        alone = Dataset()
        alone.SpecificCharacterSet = "ISO_IR 192"
        alone.add(found)
        encode_dataset(alone, EXPLICIT_VR_LITTLE_ENDIAN)
    except (ValueError, TypeError, OverflowError, AttributeError) as wrong:
        raise KeyFormatError(f"Illegal or unsupported value for {tag >> 16:04x},{tag & 0xFFFF:04x}") from wrong
    return found
