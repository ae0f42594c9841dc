"""A stored instance with some attributes changed: every other element stays as it was, and what was there is kept in
the Original Attributes Sequence (0400,0561), PS3.3 C.12.1.1.9.

Only what stands before the pixel data is read and written again; pixel data and what follows are passed on as they lie
in the file. Text that the data set's Specific Character Set cannot hold makes it ISO_IR 192 (UTF-8).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from sandbox.archive.charset import UNICODE, choose
from sandbox.archive.header import Buffer
from sandbox.archive.part10 import NotPart10Error, file_head, opened
from sandbox.model.errors import ConflictError

MODIFYING_SYSTEM = "PACS Sandbox"
_PIXELS = 0x7FE00000


class Why(StrEnum):
    """Reason for the Attribute Modification (0400,0565)."""

    CORRECT = "CORRECT"
    COERCE = "COERCE"


@dataclass(frozen=True)
class Changes:
    """What is to be different: values by keyword ("" empties an element), UIDs to be exchanged wherever they stand, why
    and when. ``source`` is Source of Previous Values (0400,0564): who sent what was there, if that is known."""

    values: Mapping[str, str]
    at: datetime
    why: Why = Why.CORRECT
    uids: Mapping[str, str] | None = None
    source: str = ""


@contextmanager
def rewritten(path: Path, changes: Changes) -> Iterator[tuple[str, tuple[Buffer, ...]]]:
    """The SOP Instance UID and the parts of the new Part 10 file, for the length of the ``with``. Raises ConflictError
    for a file that cannot be read."""
    with _readable(path) as opened_file:
        dataset, rest, syntax = opened_file
        _apply(dataset, changes)
        buffer = BytesIO()
        target = DicomFileLike(buffer)
        target.is_little_endian, target.is_implicit_VR = _encoding(syntax)
        write_dataset(target, dataset)
        sop_instance = str(dataset.get("SOPInstanceUID", ""))
        head = file_head(str(dataset.get("SOPClassUID", "")), sop_instance, syntax)
        if syntax == DeflatedExplicitVRLittleEndian:
            packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            packed = packer.compress(buffer.getvalue()) + packer.compress(rest) + packer.flush()
            yield sop_instance, (head, packed + b"\0" * (len(packed) % 2))
        else:
            yield sop_instance, (head, buffer.getvalue(), rest)


def dataset_before_pixels(path: Path) -> Dataset:
    """An instance's elements before the pixel data. Raises ConflictError."""
    with _readable(path) as (dataset, _, _):
        return dataset


def _encoding(syntax: str) -> tuple[bool, bool]:
    """Whether it is little endian, and implicit."""
    return syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian


@contextmanager
def _readable(path: Path) -> Iterator[tuple[Dataset, memoryview, str]]:
    """The elements before the pixel data, the bytes from there on, and the transfer syntax."""
    try:
        with opened(path) as (meta, body), path.open("rb") as file:
            syntax = meta.transfer_syntax
            little, implicit = _encoding(syntax)
            source: BinaryIO = file
            offset, whole = meta.offset, body
            if syntax == DeflatedExplicitVRLittleEndian:
                inflated = zlib.decompress(body, -zlib.MAX_WBITS)
                source, offset, whole = BytesIO(inflated), 0, memoryview(inflated)
            source.seek(offset)
            dataset = read_dataset(source, implicit, little, stop_when=lambda tag, vr, length: tag >= _PIXELS)
            with whole[source.tell() - offset :] as rest:
                yield dataset, rest, syntax
    except (NotPart10Error, FileNotFoundError, zlib.error, EOFError) as wrong:
        raise ConflictError(
            f"The file of {path.stem} cannot be read: {wrong}.", "Look for orphans, and reindex the study."
        ) from wrong


def _apply(dataset: Dataset, changes: Changes) -> None:
    before = Dataset()
    charset = dataset.get("SpecificCharacterSet")
    if not _can_hold(charset, changes.values):
        _to_utf8(dataset)
        before.add(DataElement(0x00080005, "CS", charset or ""))
    for keyword, value in changes.values.items():
        _set(dataset, before, keyword, value)
    if changes.uids:
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            if str(dataset.get(keyword, "")) in changes.uids:
                before.add(deepcopy(dataset[keyword]))
        _exchange(dataset, changes.uids)
    item = Dataset()
    item.SourceOfPreviousValues = changes.source
    item.AttributeModificationDateTime = changes.at.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000")
    item.ModifyingSystem = MODIFYING_SYSTEM
    item.ReasonForTheAttributeModification = changes.why.value
    item.ModifiedAttributesSequence = Sequence([before])
    dataset.OriginalAttributesSequence = Sequence([*(dataset.get("OriginalAttributesSequence") or ()), item])


def _set(dataset: Dataset, before: Dataset, keyword: str, value: str) -> None:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ConflictError(f"{keyword} is no DICOM keyword.")
    if keyword in dataset:
        if str(dataset[keyword].value if dataset[keyword].value is not None else "") == value:
            return
        before.add(deepcopy(dataset[keyword]))
    elif not value:
        return
    else:
        # It was not there; an empty element says so.
        before.add(DataElement(tag, dictionary_VR(tag), None))
    shown: str | list[str] = value.split("\\") if "\\" in value else value
    dataset.add(DataElement(tag, dictionary_VR(tag), shown, validation_mode=config.IGNORE))


def _exchange(dataset: Dataset, uids: Mapping[str, str]) -> None:
    """Replace UIDs at every level, so that what is moved together still refers to each other."""

    def visit(within: Dataset, element: DataElement) -> None:  # noqa: ARG001
        if element.VR == "UI" and element.value and element.keyword != "FrameOfReferenceUID":
            if isinstance(element.value, str):
                element.value = uids.get(str(element.value), element.value)
            else:
                element.value = [uids.get(str(value), value) for value in element.value]

    _walk(dataset, visit)


def references(dataset: Dataset, uids: set[str]) -> bool:
    """Whether a data set refers to one of the given instances."""
    hits: list[str] = []

    def visit(within: Dataset, element: DataElement) -> None:  # noqa: ARG001
        if element.keyword == "ReferencedSOPInstanceUID" and str(element.value) in uids:
            hits.append(str(element.value))

    _walk(dataset, visit)
    return bool(hits)


def _walk(dataset: Dataset, visit: Callable[[Dataset, DataElement], None]) -> None:
    # What was modified before stays told as it was then.
    for element in dataset:
        if element.keyword == "OriginalAttributesSequence":
            continue
        visit(dataset, element)
        if element.VR == "SQ":
            for item in element.value:
                _walk(item, visit)


def _can_hold(charset: object, values: Mapping[str, str]) -> bool:
    """Whether all new values can be written in the data set's character set."""
    texts = [value for value in values.values() if not value.isascii()]
    if not texts:
        return True
    terms = (charset,) if isinstance(charset, str) else tuple(str(term) for term in charset or ())  # type: ignore[attr-defined]
    return any(terms) and choose(texts, terms) == "\\".join(terms)


def _to_utf8(dataset: Dataset) -> None:
    dataset.decode()
    for nested in _nested(dataset):
        if "SpecificCharacterSet" in nested:
            del nested.SpecificCharacterSet
    dataset.SpecificCharacterSet = UNICODE


def _nested(dataset: Dataset) -> Iterator[Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _nested(item)
