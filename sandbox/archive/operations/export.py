"""Exporting a study or a patient: Part 10 files with a DICOMDIR (PS3.10 8, PS3.3 F) in a directory, or a zip of it.

Everything is written beside its final name and renamed when it is whole. An instance that a DICOMDIR cannot list, since
it lacks what the directory record needs, is exported all the same and told.
"""

from __future__ import annotations

import re
import shutil
import uuid
import zipfile
from pathlib import Path
from typing import ClassVar

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.selection import chosen, of_patient
from sandbox.model.errors import BadInputError, ConflictError, SandboxError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_UNLISTED = "UNLISTED"
_SHOWN = 5


class Export(Operation):
    """Write study ``study_uid``, or all studies of ``patient_id``, as ``name`` under ``directory``."""

    kind: ClassVar[Kind] = Kind.EXPORT

    directory: Path
    name: str
    study_uid: str = ""
    patient_id: str = ""
    issuer: str = ""
    zipped: bool = False

    def run(self, bench: Bench, by: str) -> Outcome:
        if bool(self.study_uid) == bool(self.patient_id):
            raise BadInputError("It is not clear what is to be exported.", "Give either a study or a patient ID.")
        if not _NAME.match(self.name):
            raise BadInputError(
                f"{self.name[:80]!r} is no name for an export.", "Use up to 64 letters, digits, dots and hyphens."
            )
        rows = chosen(bench, self.study_uid) if self.study_uid else of_patient(bench, self.patient_id, self.issuer)
        target = self.directory / (f"{self.name}.zip" if self.zipped else self.name)
        if target.exists():
            raise ConflictError(f"There is an export {target.name} already.", "Choose another name.")
        self.directory.mkdir(parents=True, exist_ok=True)
        bench.files.make_room(sum(row.size for row in rows) * (2 if self.zipped else 1))
        working = self.directory / f".{uuid.uuid4().hex[:16]}.part"
        try:
            unlisted = _write(bench, rows, working)
            if self.zipped:
                _zip(working, packed := working.with_suffix(".zip.part"))
                packed.rename(target)
            else:
                working.rename(target)
        except (OSError, SandboxError) as wrong:
            working.with_suffix(".zip.part").unlink(missing_ok=True)
            if isinstance(wrong, SandboxError):
                raise
            raise ConflictError(
                f"The export could not be written: {wrong.strerror or wrong}.", "Free space."
            ) from wrong
        finally:
            shutil.rmtree(working, ignore_errors=True)
        what = f"study {self.study_uid}" if self.study_uid else f"patient {self.patient_id}"
        sentence = f"Exported {what} to {target.name}: {counted(len(rows), 'instance')}."
        number = bench.note(Entry(by, self.kind, self.reason, what, sentence))
        facts = [f"Written to {target}"]
        facts += [f"{uid} is not in the DICOMDIR: {why}" for uid, why in unlisted[:_SHOWN]]
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=tuple(facts),
            entry=number,
            instances=len(rows),
            studies=tuple(dict.fromkeys(row.study_uid for row in rows)),
        )


def _write(bench: Bench, rows: list[InstanceRow], directory: Path) -> list[tuple[str, str]]:
    """Write the file-set; the instances that a DICOMDIR cannot list, each with the reason."""
    fileset = FileSet()
    unlisted: list[tuple[str, str]] = []
    aside: list[InstanceRow] = []
    for row in rows:
        path = bench.files.path(row.file)
        if not path.exists():
            raise ConflictError(f"The file of {row.sop_instance} is missing.", "Find orphans and mend them first.")
        try:
            # Without its pixels: the file-set copies the file itself when it is written.
            fileset.add(_header(path))
        except (ValueError, AttributeError, KeyError, TypeError) as wrong:
            unlisted.append((row.sop_instance, str(wrong).splitlines()[0][:200]))
            aside.append(row)
    directory.mkdir(parents=True)
    if len(fileset):
        fileset.write(directory)
        lying = {row.sop_instance: row.file for row in rows}
        for listed in fileset:
            shutil.copyfile(bench.files.path(lying[str(listed.SOPInstanceUID)]), listed.path)
    for number, row in enumerate(aside, start=1):
        place = directory / _UNLISTED / f"{number:08d}"
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(bench.files.path(row.file), place)
    return unlisted


def _header(path: Path) -> Dataset:
    return dcmread(path, stop_before_pixels=True)


def _zip(directory: Path, target: Path) -> None:
    # Compressing pixel data again gains little and takes long.
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(directory))
