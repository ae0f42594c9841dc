"""Query identifiers from keywords and values, and answers as text for a table (PS3.4 C.2.2.1, C.6)."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from sandbox.model.errors import BadInputError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "PATIENT": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "STUDY": (
        "PatientName",
        "PatientID",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "ModalitiesInStudy",
        "StudyDescription",
        "NumberOfStudyRelatedInstances",
        "StudyInstanceUID",
    ),
    "SERIES": ("SeriesNumber", "Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances", "SeriesInstanceUID"),
    "IMAGE": ("InstanceNumber", "SOPClassUID", "SOPInstanceUID"),
}
"""What is asked for at each level beside the given keys, in the order in which it is shown."""

_WHOLE_NUMBERS = frozenset({"US", "UL", "SS", "SL", "SV", "UV"})
_KINDS = dict.fromkeys((*_WHOLE_NUMBERS, "IS"), "whole numbers") | {"DS": "decimal numbers"}


def identifier(level: str, keys: Mapping[str, str], *, with_columns: bool = False) -> Dataset:
    """A query identifier. Values are as a person enters them; several are separated by backslashes.

    BadInputError for a level or a keyword that does not exist, and for a number that is none.
    """
    if level not in COLUMNS:
        raise BadInputError(f"There is no query level {level!r}.", f"Use one of {', '.join(COLUMNS)}.")
    query = Dataset()
    if any(not value.isascii() for value in keys.values()):
        query.SpecificCharacterSet = "ISO_IR 192"
    query.QueryRetrieveLevel = level
    for keyword in COLUMNS[level] if with_columns else ():
        setattr(query, keyword, None)
    for keyword, value in keys.items():
        query.add(_element(keyword, value))
    return query


def cell(answer: Dataset, keyword: str) -> str:
    """One value of an answer as text; empty when it is not there."""
    value = answer.get(keyword)
    if value is None:
        return ""
    if isinstance(value, MultiValue | list):
        return ", ".join(str(part) for part in value)
    return str(value)


def _element(keyword: str, text: str) -> DataElement:
    """A key as it goes into the query, tried out: what no data set can hold must not be found out half way through."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise BadInputError(f"DICOM has no attribute {keyword!r}.", "Use a keyword such as PatientID.")
    vr = dictionary_VR(tag)
    if vr == "SQ":
        raise BadInputError(f"{keyword} is a sequence and cannot be entered as a key.", "Use its attributes.")
    try:
        # Not validated: a wildcard, or a wrong value that somebody wants to see refused, may be asked for.
        element = DataElement(tag, vr, _value(vr, text), validation_mode=config.IGNORE)
        alone = Dataset()
        alone.SpecificCharacterSet = "ISO_IR 192"
        alone.add(element)
        encode_dataset(alone, IMPLICIT_VR_LITTLE_ENDIAN)
    except (ValueError, TypeError, OverflowError) as wrong:
        raise BadInputError(
            f"{keyword} cannot be {text!r}.", f"Its values are {_KINDS.get(vr, 'of another kind')}."
        ) from wrong
    return element


def _value(vr: str, text: str) -> object:
    if not text:
        return None
    parts: list[object] = [int(part) if vr in _WHOLE_NUMBERS else part for part in text.split("\\")]
    return parts if len(parts) > 1 else parts[0]
