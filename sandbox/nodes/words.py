"""Small pieces of sentences that nodes share: counts, queries, statuses."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from sandbox.dicom.explain import explain_status

_NOT_KEYS = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet"})


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 match", "3 matches". Without ``many`` an s is added."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def query_in_words(identifier: Dataset) -> str:
    """A query's level and the keys that have a value: "STUDY PatientName=SM*"."""
    level = str(identifier.get("QueryRetrieveLevel", "") or "no level")
    keys = [
        f"{element.keyword or element.tag}={_short(_value(element.value))}"
        for element in identifier
        if element.keyword not in _NOT_KEYS and element.VR != "SQ" and element.value not in (None, "", [])
    ]
    return " ".join([level, *keys])


def _value(value: object) -> str:
    """Several values with the backslash between them, as they stand in the data set (PS3.5 6.2)."""
    return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)


def status_in_words(service: str, status: int, comment: str = "") -> str:
    """A status as a log has it: "A900 data set does not match SOP class (StudyInstanceUID is missing)"."""
    return f"{status:04X} {_named(service, status, comment)}"


def refusal(service: str, status: int, comment: str = "") -> str:
    """The same inside a sentence: "status A900, data set does not match SOP class"."""
    return f"status {status:04X}, {_named(service, status, comment)}"


def _named(service: str, status: int, comment: str) -> str:
    return explain_status(service, status).name + (f" ({comment})" if comment else "")


def sentence(text: str) -> str:
    """``text`` with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _short(text: str) -> str:
    return text if len(text) <= 70 else f"{text[:67]}..."
