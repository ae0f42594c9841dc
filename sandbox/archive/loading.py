"""Taking instances in by the hundred, from files and data sets: files first, synced together, then rows in large
transactions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset

from sandbox.archive.header import UnreadableError, read_header
from sandbox.archive.index.index import Index, InstanceRecord
from sandbox.archive.part10 import NotPart10Error, part10_bytes, read_meta
from sandbox.archive.recovery import record_of
from sandbox.archive.sound import unsound
from sandbox.archive.store import ImageStore
from sandbox.archive.uids import is_uid
from sandbox.model.errors import BadInputError

_LOADED_AT_A_TIME = 500


class Loader:
    """Loads into one archive's index and files."""

    def __init__(self, index: Index, files: ImageStore) -> None:
        self._index = index
        self._files = files

    def add_files(self, paths: Iterable[Path]) -> int:
        """Take Part 10 files in, by hard link where possible; how many were new. Raises BadInputError for a file that
        is no sound instance; those before it are in."""
        return self._load(self._adopted(path) for path in paths)

    def add_datasets(self, datasets: Iterable[Dataset]) -> int:
        """Write and index data sets (with file meta, or else in explicit little endian); how many were new."""
        return self._load(self._written(dataset) for dataset in datasets)

    def _adopted(self, path: Path) -> InstanceRecord | None:
        try:
            record = record_of(path, "")
        except (UnreadableError, NotPart10Error, OSError) as wrong:
            raise BadInputError(f"{path} is no DICOM instance: {wrong}", "Leave it out.") from wrong
        _check(record, str(path))
        if self._index.file_of(record.sop_instance) is not None:
            return None
        file, size = self._files.adopt(record.sop_instance, path)
        return replace(record, file=file, size=size)

    def _written(self, dataset: Dataset) -> InstanceRecord | None:
        data = part10_bytes(dataset)
        meta = read_meta(data)
        record = InstanceRecord(
            header=read_header(memoryview(data)[meta.offset :], meta.transfer_syntax),
            sop_class=meta.sop_class,
            sop_instance=meta.sop_instance,
            transfer_syntax=meta.transfer_syntax,
            file="",
            size=len(data),
            received=time.time(),
        )
        _check(record, meta.sop_instance)
        if self._index.file_of(record.sop_instance) is not None:
            return None
        file, size = self._files.place(record.sop_instance, data)
        return replace(record, file=file, size=size)

    def _load(self, records: Iterable[InstanceRecord | None]) -> int:
        """Index records in large transactions. Files are synced together before the rows that name them."""
        added, waiting = 0, list[InstanceRecord]()
        try:
            for record in records:
                if record is not None:
                    waiting.append(record)
                if len(waiting) >= _LOADED_AT_A_TIME:
                    added += self._commit(waiting)
                    waiting = []
        finally:
            added += self._commit(waiting)
        return added

    def _commit(self, records: list[InstanceRecord]) -> int:
        if not records:
            return 0
        self._files.sync_all()
        return sum(self._index.add_many(records))


def _check(record: InstanceRecord, name: str) -> None:
    reason = unsound(record.header)
    if not is_uid(record.sop_instance):
        reason = "SOPInstanceUID is missing or not a valid UID"
    if reason:
        raise BadInputError(f"{name} cannot be taken in: {reason}.", "Leave it out.")
