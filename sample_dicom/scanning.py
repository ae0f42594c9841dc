"""Real DICOM files as the department's patients: look through a folder, say what is in it and what is left out.

The folder is only read. Links are never followed, special files never opened, pixel data never loaded; a file that is
left out is named with its reason in words. sample_dicom.collection copies what was found.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sample_dicom.structure import IMPLICIT, BrokenFileError, Start, how_it_starts, walk
from sandbox.model.base import Model
from sandbox.model.errors import NotFoundError

__all__ = [
    "FoundInstance",
    "FoundStudy",
    "ImportProgress",
    "ImportReport",
    "LeftOut",
    "scan_folder",
    "studies_in",
]

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
TELL_EVERY = 20
"""Files between two progress reports."""

TAGS = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "AccessionNumber",
    "Modality",
    "StudyDescription",
    "SeriesDescription",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
)
REQUIRED = (
    ("SOPClassUID", "SOP Class UID"),
    ("SOPInstanceUID", "SOP Instance UID"),
    ("StudyInstanceUID", "Study Instance UID"),
    ("SeriesInstanceUID", "Series Instance UID"),
)


class LeftOut(Model):
    """A file that is not imported: its path below the folder, and why, in a sentence."""

    path: str
    reason: str


class ImportProgress(Model):
    """How far the scan has come. ``total`` counts all files of the folder, images or not."""

    examined: int
    total: int
    readable: int
    left_out: int
    bytes: int
    current: str


@dataclass(frozen=True, slots=True)
class FoundInstance:
    """A readable image file: where it is, what it says it is, and what its file lacks."""

    path: str
    bytes: int
    data_set_at: int
    complete_meta: bool
    transfer_syntax: str
    sop_class_uid: str
    sop_uid: str
    series_uid: str
    study_uid: str
    patient_id: str
    issuer: str
    patient_name: str
    birth_date: str
    sex: str
    study_date: str
    accession_number: str
    study_description: str
    modality: str
    series_number: str
    series_description: str

    @property
    def patient_key(self) -> tuple[str, str, str]:
        """What tells patients apart: issuer and ID, or the name where there is no ID."""
        return self.issuer, self.patient_id, "" if self.patient_id else self.patient_name


@dataclass(frozen=True)
class FoundStudy:
    """The files of one study, by series and path."""

    study_uid: str
    patient_key: tuple[str, str, str]
    instances: tuple[FoundInstance, ...]


@dataclass(frozen=True)
class ImportReport:
    """What a folder holds. ``found`` is sorted by patient, study, series and path."""

    folder: Path
    patients: int
    studies: int
    series: int
    instances: int
    bytes: int
    left_out: tuple[LeftOut, ...]
    found: tuple[FoundInstance, ...]


def scan_folder(path: Path, progress: Callable[[ImportProgress], None] | None = None) -> ImportReport:
    """Look at every file below ``path`` and report what can be imported. Headers only; nothing is copied."""
    root = path.expanduser()
    if not root.is_dir():
        raise NotFoundError(f"There is no folder {path}.", "Name a folder that holds DICOM files.")
    root = root.resolve()
    total = sum(1 for _ in _files(root))
    found: dict[str, FoundInstance] = {}
    left_out: list[LeftOut] = []
    size = 0
    for examined, (relative, entry) in enumerate(_files(root), 1):
        outcome = _examine(root, relative, entry)
        if isinstance(outcome, FoundInstance):
            twin = found.get(outcome.sop_uid)
            if twin is None:
                found[outcome.sop_uid] = outcome
                size += outcome.bytes
            else:
                left_out.append(LeftOut(path=relative, reason=_duplicate(twin, outcome)))
        elif outcome is not None:
            left_out.append(LeftOut(path=relative, reason=outcome))
        if progress is not None and (examined % TELL_EVERY == 0 or examined == total):
            progress(
                ImportProgress(
                    examined=examined,
                    total=max(total, examined),
                    readable=len(found),
                    left_out=len(left_out),
                    bytes=size,
                    current=relative,
                )
            )
    ordered = sorted(found.values(), key=lambda one: (one.patient_key, one.study_uid, one.series_uid, one.path))
    return ImportReport(
        folder=root,
        patients=len({one.patient_key for one in ordered}),
        studies=len({one.study_uid for one in ordered}),
        series=len({(one.study_uid, one.series_uid) for one in ordered}),
        instances=len(ordered),
        bytes=size,
        left_out=tuple(left_out),
        found=tuple(ordered),
    )


def studies_in(report: ImportReport) -> Iterator[FoundStudy]:
    """The readable files, study by study. A study that two patients share appears once for each of them."""
    for (patient, study), instances in groupby(report.found, key=lambda one: (one.patient_key, one.study_uid)):
        yield FoundStudy(study, patient, tuple(instances))


def _files(root: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """Every entry that is no directory, with its own status (None where there is none), in the order of its path.

    Directories are walked with an own stack: a folder may be deeper than Python's recursion.
    """
    stack = [root]
    while stack:
        here = stack.pop()
        try:
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield here.relative_to(root).as_posix(), None
            continue
        for entry in listed:
            if not entry.is_dir(follow_symlinks=False):
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    status = None
                yield Path(entry.path).relative_to(root).as_posix(), status
        stack.extend(Path(entry.path) for entry in reversed(listed) if entry.is_dir(follow_symlinks=False))


def _examine(root: Path, relative: str, status: os.stat_result | None) -> FoundInstance | str | None:
    """An instance, the reason why it is none, or None for what goes without saying."""
    path = root / relative
    if status is None:
        return "It may not be read."
    if stat.S_ISLNK(status.st_mode):
        target = path.resolve()
        # What a link inside the folder points to is met on its own.
        return None if target.exists() and target.is_relative_to(root) else "It is a link that leads out of the folder."
    if not stat.S_ISREG(status.st_mode):
        return "It is no ordinary file."
    if path.name.upper() == "DICOMDIR":
        return None
    if status.st_size == 0:
        return "It is empty."
    try:
        with open_plainly(path) as file:
            return _read(file, relative, status.st_size)
    except OSError as error:
        return f"It cannot be read: {error.strerror or error}."


def open_plainly(path: Path) -> BinaryIO:
    """Open a file for reading, never through a link that was put in its place meanwhile."""
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def _read(file: BinaryIO, relative: str, size: int) -> FoundInstance | str | None:
    start = how_it_starts(file.read(160))
    if start is Start.OTHER:
        return "It is not a DICOM file."
    file.seek(0)
    try:
        ds = _header(file, force=start is Start.BARE)
        syntax = _syntax(ds)
        if str(ds.get("SOPClassUID", "")) == MEDIA_DIRECTORY or _media_directory(ds):
            return None
        layout = walk(
            file, size, start=132 if start is Start.PART_10 else 0, syntax=syntax, implicit=syntax == IMPLICIT
        )
    except BrokenFileError as error:
        return str(error)
    except Exception as error:
        # pydicom raises whatever its parts raise when bytes make no sense: KeyError, struct.error, ValueError…
        return f"It cannot be understood ({type(error).__name__})."
    for keyword, name in REQUIRED:
        value = _text(ds, keyword)
        if not value:
            return f"It has no {name}."
        if not UID(value).is_valid:
            return f"Its {name} is not a valid UID."
    if not layout.has_pixels:
        return f"It holds no image ({UID(_text(ds, 'SOPClassUID')).name})."
    meta = ds.file_meta
    complete = (
        start is Start.PART_10
        and layout.has_meta
        and all(
            keyword in meta and meta[keyword].value
            for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
        )
    )
    return FoundInstance(
        path=relative,
        bytes=size,
        data_set_at=layout.data_set_at,
        complete_meta=complete,
        transfer_syntax=syntax,
        sop_class_uid=_text(ds, "SOPClassUID"),
        sop_uid=_text(ds, "SOPInstanceUID"),
        series_uid=_text(ds, "SeriesInstanceUID"),
        study_uid=_text(ds, "StudyInstanceUID"),
        patient_id=_text(ds, "PatientID"),
        issuer=_text(ds, "IssuerOfPatientID"),
        patient_name=_text(ds, "PatientName"),
        birth_date=_text(ds, "PatientBirthDate"),
        sex=_text(ds, "PatientSex"),
        study_date=_text(ds, "StudyDate"),
        accession_number=_text(ds, "AccessionNumber"),
        study_description=_text(ds, "StudyDescription"),
        modality=_text(ds, "Modality"),
        series_number=_text(ds, "SeriesNumber"),
        series_description=_text(ds, "SeriesDescription"),
    )


def _header(file: BinaryIO, *, force: bool) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(file, stop_before_pixels=True, force=force, specific_tags=list(TAGS))


def _syntax(ds: Dataset) -> str:
    """The transfer syntax that the file names, else the one that pydicom found by looking."""
    named = ds.file_meta.get("TransferSyntaxUID")
    if named:
        return str(named)
    implicit, little = ds.original_encoding
    if little is False:
        raise BrokenFileError("It names no transfer syntax, and is big endian.")
    return str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)


def _media_directory(ds: Dataset) -> bool:
    return str(ds.file_meta.get("MediaStorageSOPClassUID", "")) == MEDIA_DIRECTORY


def _text(ds: Dataset, keyword: str) -> str:
    """A value as text without padding; empty where it is absent or broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ds.get(keyword)
            return "" if value is None else str(value).strip(" \0")
    except Exception:
        return ""


def _duplicate(first: FoundInstance, second: FoundInstance) -> str:
    if (first.study_uid, first.series_uid, first.bytes) == (second.study_uid, second.series_uid, second.bytes):
        return f"It is the same instance as {first.path}."
    return f"It claims the SOP Instance UID of {first.path}, but is another object."
