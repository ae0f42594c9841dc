"""The DICOM JSON Model (PS3.18 F): data sets and single values as JSON objects in UTF-8.

Large binary values become a BulkDataURI, small ones stand inline. A value that cannot be read as its VR says is given
as the bytes it is (UN), so that one odd element hides no instance.
"""

from __future__ import annotations

import base64
import contextlib
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

JsonObject = dict[str, Any]
BulkLink = Callable[[str], str]
"""From the path of an element within its instance ("00480200/0/7FE00010") to where its value is fetched."""

LARGEST_INLINE = 1024
"""Bytes of the largest binary value that stands in the JSON itself."""

BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_NUMBERS = frozenset({"FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"})
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def key(tag: int) -> str:
    """A tag as JSON names it: eight upper-case hexadecimal digits."""
    return f"{tag:08X}"


def element(vr: str, values: Iterable[Any] = ()) -> JsonObject:
    """An element with the given JSON values; none is an empty element (F.2.5)."""
    found = list(values)
    return {"vr": vr, "Value": found} if any(value is not None for value in found) else {"vr": vr}


def name(text: str) -> JsonObject | None:
    """A person name by its component groups, those that are not empty (F.2.2)."""
    groups = {group: part for group, part in zip(_NAME_GROUPS, text.split("="), strict=False) if part.strip("^ ")}
    return groups or None


def number(text: str) -> int | float | str:
    """A decimal or integer string as a JSON number; as a string if it is none."""
    try:
        return int(text)
    except ValueError:
        return _finite(text)


def _finite(value: Any) -> float | str:
    """JSON has no number for infinity or for what is no number; these are given as strings."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)
    return found if math.isfinite(found) else str(value)


def dataset_json(dataset: Dataset, link: BulkLink, path: str = "") -> JsonObject:
    """A data set in the order of its tags, without group lengths. ``path`` is where it is nested."""
    if path == "" and dataset.original_encoding[0]:
        _settle_representations(dataset)
    found: JsonObject = {}
    for tag in sorted(dataset.keys()):
        if tag.element and tag.group >= 0x0008:
            found[key(tag)] = _element_json(dataset, tag, link, f"{path}{key(tag)}")
    return found


def raw_bytes(dataset: Dataset, tag: BaseTag) -> bytes | None:
    """The bytes of an element's value as they were received, if they still are."""
    item = dataset.get_item(tag)
    return item.value if isinstance(item, RawDataElement | DataElement) and isinstance(item.value, bytes) else None


def _settle_representations(dataset: Dataset) -> None:
    """Implicit data sets leave it open whether some elements are signed (PS3.5 A.1)."""
    with contextlib.suppress(Exception):  # those that cannot be settled stay as bytes
        correct_ambiguous_vr(dataset, bool(dataset.original_encoding[1]))


def _element_json(dataset: Dataset, tag: BaseTag, link: BulkLink, path: str) -> JsonObject:
    raw = raw_bytes(dataset, tag)
    try:
        converted = dataset[tag]
        if converted.VR == "SQ":
            return element("SQ", (dataset_json(item, link, f"{path}/{n}/") for n, item in enumerate(converted.value)))
        vr = converted.VR if " or " not in converted.VR else _plain_vr(converted.VR)
        if vr in BINARY_VRS:
            return _binary(vr, converted.value, link, path)
        if isinstance(converted.value, bytes) and vr in ("US", "SS"):
            return element(vr, (each[0] for each in struct.iter_unpack("<H", converted.value)))
        return element(vr, _values(vr, converted))
    except Exception:
        # pydicom raises many kinds of errors for values that break the rules of their VR.
        return _binary("UN", raw or b"", link, path)


def _plain_vr(either: str) -> str:
    return "OW" if "OW" in either else "US"


def _binary(vr: str, value: Any, link: BulkLink, path: str) -> JsonObject:
    if not value:
        return {"vr": vr}
    if len(value) > LARGEST_INLINE:
        return {"vr": vr, "BulkDataURI": link(path)}
    return {"vr": vr, "InlineBinary": base64.b64encode(value).decode("ascii")}


def _values(vr: str, converted: DataElement) -> Iterable[Any]:
    value = converted.value
    many: Sequence[Any] = value if isinstance(value, MultiValue | list | tuple) else [value]
    return [None if each is None or each == "" else _value(vr, each) for each in many]


def _value(vr: str, value: Any) -> Any:
    if vr == "PN":
        return name(str(value))
    if vr == "AT":
        return key(int(value))
    if vr in ("IS", "DS"):
        return number(str(value).strip())
    if vr in _NUMBERS:
        return value if isinstance(value, int) else _finite(value)
    return str(value)


def vr_of(tag: int) -> str:
    """The VR of a standard element; UN for what the dictionary does not know."""
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "UN"
