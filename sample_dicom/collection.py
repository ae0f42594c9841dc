"""A collection: imported images laid out as <study>/<series>/<instance>.dcm, and a manifest that says who they are.

Data sets are copied byte for byte; only file meta information that is missing is added (PS3.10 7.1). A collection
appears whole or not at all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby
from pathlib import Path

from pydantic import ValidationError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_file_meta_info
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from sample_dicom.instances.common import file_meta
from sample_dicom.scanning import FoundInstance, ImportProgress, ImportReport, LeftOut, open_plainly
from sandbox.model.base import Model, explain_validation
from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.model.patient import Patient

MANIFEST = "manifest.json"
MIXED_SEX = {"M": "M", "F": "F"}


class CollectedSeries(Model):
    """A series of a collection, with the number of its instances."""

    series_uid: str
    number: str
    modality: str
    description: str
    instances: int


class CollectedStudy(Model):
    """A study of a collection."""

    study_uid: str
    date: str
    accession_number: str
    description: str
    modalities: tuple[str, ...]
    series: tuple[CollectedSeries, ...]

    @property
    def instances(self) -> int:
        """Images in all series."""
        return sum(series.instances for series in self.series)


class CollectedPatient(Model):
    """A patient as the files name them; any of it may be empty, as in real life."""

    patient_id: str
    issuer: str
    name: str
    birth_date: str
    sex: str
    studies: tuple[CollectedStudy, ...]

    def as_patient(self) -> Patient:
        """The department's view of this person, with stand-ins for what the files do not say."""
        try:
            born = date.fromisoformat(self.birth_date)
        except ValueError:
            born = date(1900, 1, 1)
        return Patient(
            patient_id=self.patient_id[:64] or "UNKNOWN",
            issuer=self.issuer,
            name=self.name[:64] or "UNKNOWN",
            birth_date=born,
            sex=MIXED_SEX.get(self.sex, "O"),
        )


class ImportManifest(Model):
    """What a collection holds, and what was left out on the way."""

    version: int = 1
    instances: int
    bytes: int
    patients: tuple[CollectedPatient, ...]
    left_out: tuple[LeftOut, ...]


def stage(
    report: ImportReport, destination: Path, progress: Callable[[ImportProgress], None] | None = None
) -> ImportManifest:
    """Copy what a scan found to a new collection at ``destination`` and write its manifest."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ConflictError(f"{destination} is already there.", "Name a folder that does not exist yet.")
    work = destination.with_name(f".{destination.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        copied: list[FoundInstance] = []
        left_out = list(report.left_out)
        size = 0
        for index, instance in enumerate(report.found, 1):
            try:
                size += _copy(report.folder / instance.path, work / place(instance), instance)
                copied.append(instance)
            except OSError as error:
                left_out.append(
                    LeftOut(path=instance.path, reason=f"It could not be copied: {error.strerror or error}.")
                )
            if progress is not None:
                progress(
                    ImportProgress(
                        examined=index,
                        total=len(report.found),
                        readable=len(copied),
                        left_out=len(left_out),
                        bytes=size,
                        current=instance.path,
                    )
                )
        manifest = ImportManifest(
            instances=len(copied), bytes=size, patients=tuple(_patients(copied)), left_out=tuple(left_out)
        )
        (work / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if destination.exists():
            destination.rmdir()
        work.rename(destination)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return manifest


def load_manifest(collection: Path) -> ImportManifest:
    """The manifest of a collection."""
    path = collection / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFoundError(
            f"{collection} is no collection: it has no {MANIFEST}.", "Import a folder first."
        ) from error
    try:
        return ImportManifest.model_validate_json(text)
    except ValidationError as error:
        raise explain_validation(error, str(path)) from error


def collected_files(collection: Path, study_uid: str | None = None) -> Iterator[Path]:
    """The files of a collection, or of one study in it, in the order of the manifest's series."""
    for patient in load_manifest(collection).patients:
        for study in patient.studies:
            if study_uid in (None, study.study_uid):
                for series in study.series:
                    yield from sorted((collection / study.study_uid / series.series_uid).glob("*.dcm"))


def place(instance: FoundInstance) -> Path:
    """Where an instance goes: UIDs only, which hold nothing but digits and dots."""
    parts = (instance.study_uid, instance.series_uid, instance.sop_uid)
    for part in parts:
        if not UID(part).is_valid:
            raise ValueError(f"{part!r} is not a UID")
    return Path(parts[0], parts[1], f"{parts[2]}.dcm")


def _copy(source: Path, target: Path, instance: FoundInstance) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_plainly(source) as file, target.open("xb") as out:
        if os.fstat(file.fileno()).st_size != instance.bytes:
            target.unlink()
            raise OSError("it changed after it was looked at")
        if not instance.complete_meta:
            out.write(_head(source, instance))
            file.seek(instance.data_set_at)
        shutil.copyfileobj(file, out, 1 << 20)
        return out.tell()


def _head(source: Path, instance: FoundInstance) -> bytes:
    """Preamble and file meta for a file that lacks them: what it has is kept, what is missing is added."""
    meta = file_meta(UID(instance.sop_class_uid), UID(instance.sop_uid))
    meta.TransferSyntaxUID = UID(instance.transfer_syntax)
    with open_plainly(source) as file:
        file.seek(128)
        if file.read(4) == b"DICM":
            for element in read_file_meta_info(source):
                if element.value not in (None, "", b"") and element.tag != 0x00020000:
                    meta[element.tag] = element
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta, enforce_standard=True)
    return buffer.getvalue()


def _patients(instances: list[FoundInstance]) -> Iterator[CollectedPatient]:
    for _, of_patient in groupby(instances, key=lambda one: one.patient_key):
        files = list(of_patient)
        first = files[0]
        born = first.birth_date
        yield CollectedPatient(
            patient_id=first.patient_id,
            issuer=first.issuer,
            name=first.patient_name,
            birth_date=f"{born[:4]}-{born[4:6]}-{born[6:8]}" if len(born) == 8 and born.isdigit() else "",
            sex=first.sex,
            studies=tuple(_study(list(group)) for _, group in groupby(files, key=lambda one: one.study_uid)),
        )


def _study(files: list[FoundInstance]) -> CollectedStudy:
    first = files[0]
    series = []
    for uid, group in groupby(files, key=lambda one: one.series_uid):
        members = list(group)
        series.append(
            CollectedSeries(
                series_uid=uid,
                number=members[0].series_number,
                modality=members[0].modality,
                description=members[0].series_description,
                instances=len(members),
            )
        )
    return CollectedStudy(
        study_uid=first.study_uid,
        date=first.study_date,
        accession_number=first.accession_number,
        description=first.study_description,
        modalities=tuple(sorted({one.modality for one in files if one.modality})),
        series=tuple(series),
    )
