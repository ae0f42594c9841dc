"""Attributes of a stored object as text, for rules: decoded by the object's own character set, nothing else read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.multival import MultiValue

from sandbox.dicom.contract import StoredObject

_FROM_META = "TransferSyntaxUID"


def attributes_of(item: StoredObject, wanted: Collection[str]) -> dict[str, str]:
    """The wanted keywords that the object has, with their values; several values are joined by backslashes.

    A keyword that DICOM does not know, a sequence and an unreadable value are as if absent.
    """
    found = {_FROM_META: item.transfer_syntax}
    tags = {keyword: tag for keyword in wanted if (tag := tag_for_keyword(keyword)) is not None}
    if not tags:
        return found
    dataset = dcmread(item.path, stop_before_pixels=True, specific_tags=list(tags.values()))
    for keyword, tag in tags.items():
        if tag in dataset:
            try:
                element = dataset[tag]
            except Exception:  # noqa: S112 - pydicom raises many kinds of errors for values that are none
                continue
            if element.VR != "SQ" and element.value is not None:
                found[keyword] = _text(element.value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(str(part) for part in value)
    return str(value)
