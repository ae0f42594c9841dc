"""Objects that are wrong in one way, made on purpose to see what a peer does with them.

A damaged object is never a patient's: it is a copy with names and UIDs of its own, so that what a careless archive
keeps of it is nobody's image. Rule: one line of ``DAMAGES`` a damage, with what it is in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydicom import config, dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from sandbox.archive.part10 import file_head
from sandbox.dicom.contract import StoredObject
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from sandbox.nodes.acquired import put_raw

TEST_NAME = "ZZTEST^DAMAGED OBJECT"
TEST_ID = "ZZTEST"
PRIVATE_CLASS = "1.2.826.0.1.3680043.8.498.1.1"
"""A SOP class that no standard knows, as vendors have them for raw data."""
RETIRED_SYNTAX = "1.2.840.10008.1.2.4.52"
"""JPEG Extended (Process 3 & 5), retired, which hardly anything takes."""


class Damage(StrEnum):
    """In which way an object is wrong."""

    NONE = "none"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    WRONG_UID = "wrong-uid"
    NO_STUDY = "no-study"
    BAD_VALUE = "bad-value"
    UNKNOWN_CLASS = "unknown-class"
    UNKNOWN_SYNTAX = "unknown-syntax"


@dataclass(frozen=True)
class Making:
    """How a damage is made. ``text`` is a sentence. ``change`` alters the data set, ``cut`` its bytes; ``class_`` and
    ``syntax`` are said instead of the object's own."""

    title: str
    text: str
    change: Callable[[Dataset], None] = lambda ds: None
    cut: Callable[[bytes], bytes] = lambda data: data
    says_other_uid: bool = False
    sop_class: str = ""
    syntax: str = ""


def _without_study(ds: Dataset) -> None:
    del ds.StudyInstanceUID


def _bad_values(ds: Dataset) -> None:
    put_raw(ds, "StudyDate", "23 NOV 2026")
    put_raw(ds, "PatientSex", "UNKNOWN GENDER OF PATIENT")


def _class_in_data(ds: Dataset) -> None:
    put_raw(ds, "SOPClassUID", PRIVATE_CLASS)


DAMAGES: Mapping[Damage, Making] = {
    Damage.NONE: Making("As it is", "the image as it lies on the disk."),
    Damage.TRUNCATED: Making(
        "Broken off",
        "a data set that breaks off in the middle.",
        cut=lambda data: data[: max(200, len(data) * 6 // 10)],
    ),
    Damage.EMPTY: Making(
        "Nearly empty",
        "a data set with nothing in it but its group length.",
        cut=lambda data: b"\x08\x00\x00\x00UL\x04\x00\x00\x00\x00\x00",
    ),
    Damage.WRONG_UID: Making(
        "Two SOP Instance UIDs",
        "a data set with another SOP Instance UID than the C-STORE request names.",
        says_other_uid=True,
    ),
    Damage.NO_STUDY: Making("No Study Instance UID", "a data set without Study Instance UID.", change=_without_study),
    Damage.BAD_VALUE: Making(
        "Values that are not allowed",
        "a date that is none, and a code string of 25 characters where 16 are allowed.",
        change=_bad_values,
    ),
    Damage.UNKNOWN_CLASS: Making(
        "Unsupported SOP class",
        "an object of a private SOP class, which is all that was proposed.",
        change=_class_in_data,
        sop_class=PRIVATE_CLASS,
    ),
    Damage.UNKNOWN_SYNTAX: Making(
        "Unsupported transfer syntax",
        "an object in a retired transfer syntax (JPEG process 3 & 5), which is all that was proposed.",
        syntax=RETIRED_SYNTAX,
    ),
}


def damaged(item: StoredObject, damage: Damage, place: Path) -> StoredObject:
    """``item`` as it is, or a test object made of it with ``damage``, whose file is written in ``place``. ValueError or
    OSError when the file of ``item`` cannot be read."""
    making = DAMAGES[damage]
    if damage is Damage.NONE:
        return item
    with config.disable_value_validation():
        read = dcmread(item.path)
        ds = Dataset()
        ds.update(read)
        _anonymous(ds)
        if making.syntax or ("PixelData" in ds and read.file_meta.TransferSyntaxUID.is_compressed):
            # Pixels would have to be decoded to be sent otherwise; what is tried here does not need them.
            ds.pop("PixelData", None)
        making.change(ds)
        data = making.cut(encode_dataset(ds, EXPLICIT_VR_LITTLE_ENDIAN))
    sop_class = making.sop_class or item.sop_class
    uid = str(generate_uid(prefix=None)) if making.says_other_uid else str(ds.SOPInstanceUID)
    syntax = making.syntax or EXPLICIT_VR_LITTLE_ENDIAN
    path = place / "object.dcm"
    path.write_bytes(file_head(sop_class, uid, syntax) + data)
    return StoredObject(path, sop_class, uid, syntax)


def _anonymous(ds: Dataset) -> None:
    """Names and UIDs of its own: what is damaged on purpose is nobody's image."""
    put_raw(ds, "PatientName", TEST_NAME)
    put_raw(ds, "PatientID", TEST_ID)
    put_raw(ds, "AccessionNumber", "")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(ds, keyword, generate_uid(prefix=None))
