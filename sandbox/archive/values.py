"""Which values of a header DICOM does not allow, as a strict archive looks at them (PS3.5 6.2): form, length, number.

Only the values that the index keeps, as they were received, one line of the table a value representation. What is
empty is not looked at: whether it may be is the SOP class's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from sandbox.archive.attributes import STORED, Attribute
from sandbox.archive.charset import TEXT_VRS, decode, defined_terms
from sandbox.archive.header import SPECIFIC_CHARACTER_SET, Buffer

_DATE = r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3])([0-5]\d([0-5]\d|60(?!\d))?(\.\d{1,6})?)?"


@dataclass(frozen=True)
class _Form:
    """What one value may be: at most so many characters (0: any number), of this shape, called so."""

    most: int
    shape: re.Pattern[str]
    called: str


_LOOKED_AT = 1 << 18
_ANY = re.compile(r"[^\\]*", re.DOTALL)
_FORMS: Mapping[str, _Form] = {
    "AE": _Form(16, re.compile(r"[ -\[\]-~]*"), "AE title"),
    "CS": _Form(16, re.compile(r"[A-Z0-9_ ]*"), "code string"),
    "DA": _Form(8, re.compile(_DATE), "date"),
    "DS": _Form(16, re.compile(r" *[+-]?(\d+(\.\d*)?|\.\d+)([Ee][+-]?\d+)? *"), "decimal number"),
    "IS": _Form(12, re.compile(r" *[+-]?\d+ *"), "whole number"),
    "LO": _Form(64, _ANY, "text"),
    "PN": _Form(0, re.compile(r"(?=[^=]{0,64}(=[^=]{0,64}){0,2}\Z)[^\\]*"), "person name"),
    "SH": _Form(16, _ANY, "short text"),
    "TM": _Form(16, re.compile(_TIME), "time"),
    "UI": _Form(64, re.compile(r"[0-9.]+"), "UID"),
}


_LOOKED_FOR: Mapping[BaseTag, Attribute] = {BaseTag(a.tag): a for a in STORED if a.vr in _FORMS}
_LAST = max(_LOOKED_FOR)


def invalid(dataset: Buffer, transfer_syntax: str) -> str:
    """What is wrong with the first value of an encoded data set that is not valid, in a few words; empty when there is
    none. What cannot be looked at (deflated, or beyond the first part of a very large header) is not judged."""
    syntax = UID(transfer_syntax)
    if syntax.is_deflated:
        return ""
    try:
        head = read_dataset(
            BytesIO(bytes(dataset[:_LOOKED_AT])),
            is_implicit_VR=syntax.is_implicit_VR,
            is_little_endian=syntax.is_little_endian,
            stop_when=lambda tag, vr, length: tag > _LAST,
            specific_tags=[*_LOOKED_FOR, BaseTag(SPECIFIC_CHARACTER_SET)],
        )
    except Exception:
        # Judged, too, by those who read all of it; here it is only about values.
        return ""
    charset = _raw(head, SPECIFIC_CHARACTER_SET) or b""
    terms = defined_terms(charset.decode("ascii", "replace").strip("\0 "))
    for tag, attribute in _LOOKED_FOR.items():
        value = _raw(head, tag)
        if value:
            text = decode(value, terms, attribute.vr) if attribute.vr in TEXT_VRS else value.decode("ascii", "replace")
            wrong = _wrong(attribute, text)
            if wrong:
                return wrong
    return ""


def _raw(dataset: Dataset, tag: int) -> bytes | None:
    """An element's value as it was received; None when it is not there."""
    element = dataset.get_item(tag) if tag in dataset else None
    value = getattr(element, "value", None)
    return value if isinstance(value, bytes) else None


def _wrong(attribute: Attribute, text: str) -> str:
    form = _FORMS[attribute.vr]
    values = [value.strip("\0 ") for value in text.split("\\")]
    if len(values) > 1 and not attribute.multiple:
        return f"{attribute.keyword} has {len(values)} values"
    for value in values:
        if form.most and len(value) > form.most:
            return f"{attribute.keyword} has {len(value)} characters, over {form.most}"
        if value and not form.shape.fullmatch(value):
            return f"{attribute.keyword} is no valid {form.called}"
    return ""
