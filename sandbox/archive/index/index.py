"""The one way into the index: instances in, counts kept right, studies out.

Writing is serialised in this process. Whoever gets the turn commits everything that has come in meanwhile in one
transaction (group commit), and nobody returns before the own instance is committed. Adding an instance that is there
already counts nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from sandbox.archive.attributes import AT_LEVEL, Attribute, Level
from sandbox.archive.header import Header
from sandbox.archive.index.database import is_held
from sandbox.archive.index.reader import Reader
from sandbox.archive.index.schema import instances, removals, series, studies
from sandbox.archive.names import folded_columns, groups
from sandbox.model.errors import UnavailableError


@dataclass(frozen=True)
class InstanceRecord:
    """An instance whose file is in place: what the index writes. ``size`` of the file in bytes, ``received`` in seconds
    since the epoch, ``file`` relative to the store."""

    header: Header
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    file: str
    size: int
    received: float


@dataclass(frozen=True)
class IndexedFile:
    """Where an indexed instance lies, and how it is encoded."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    file: str
    size: int


class IndexLockedError(UnavailableError):
    """Another program holds the index's write lock. A C-STORE is answered A700."""


@dataclass
class _Job:
    """One instance on its way into the index, and what became of it."""

    record: InstanceRecord
    done: bool = False
    new: bool = False
    error: Exception | None = field(default=None)


_STORED = {level: tuple(a for a in AT_LEVEL[level] if not a.computed) for level in Level}
_VALUES_AT_A_TIME = 500  # in one SQL statement
_NUMBER_OF_INSTANCES = "number_of_study_related_instances"

_INSTANCE_KNOWN = select(
    instances.c.id, instances.c.size, instances.c.available_transfer_syntax_uid, instances.c.series_row
).where(instances.c.sop_instance_uid == bindparam("uid"))
_COUNT_IN_STUDY = (
    update(studies)
    .where(studies.c.study_instance_uid == bindparam("uid"))
    .values(
        number_of_study_related_instances=studies.c.number_of_study_related_instances + 1,
        size=studies.c.size + bindparam("grown"),
        received=bindparam("at"),
    )
    .returning(studies.c.id, studies.c.modalities_in_study, studies.c.sop_classes_in_study)
)
_COUNT_IN_SERIES = (
    update(series)
    .where(series.c.study_row == bindparam("study"), series.c.series_instance_uid == bindparam("uid"))
    .values(number_of_series_related_instances=series.c.number_of_series_related_instances + 1)
    .returning(series.c.id)
)
_DESCRIBE_STUDY = (
    update(studies)
    .where(studies.c.id == bindparam("study"))
    .values(
        number_of_study_related_series=studies.c.number_of_study_related_series + bindparam("more"),
        modalities_in_study=bindparam("modalities"),
        sop_classes_in_study=bindparam("classes"),
    )
)
_NEW_STUDY = insert(studies).returning(studies.c.id)
_NEW_SERIES = insert(series).returning(series.c.id)
_NEW_INSTANCE = insert(instances)

_FILE = select(
    instances.c.sop_class_uid,
    instances.c.sop_instance_uid,
    instances.c.available_transfer_syntax_uid,
    instances.c.file,
    instances.c.size,
)
_FILE_OF = _FILE.where(instances.c.sop_instance_uid == bindparam("uid"))


class Index:
    """The index behind one engine. Safe to be used from all threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writing=True)
        self.reader = Reader(engine)
        self._turn = threading.Lock()
        self._waiting: list[_Job] = []
        self._waiting_guard = threading.Lock()
        self._closed = False
        self._was_locked = False
        self.locked_by = ""
        """Who holds the write lock; nobody else writes until it is empty again."""

    def connect(self) -> Connection:
        """A connection for reading; close it soon."""
        return self._engine.connect()

    def _writing(self) -> AbstractContextManager[Connection]:
        """A transaction that writes. An engine would open a closed database again for whoever comes late."""
        if self._closed:
            raise UnavailableError("The archive is closed.", "Open it again.")
        if self.locked_by:
            raise IndexLockedError(f"The index is locked by {self.locked_by}.", "End that job, or wait for it.")
        return self._writer.begin()

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """One transaction in which an operation changes what is indexed; nobody else writes meanwhile."""
        with self._turn, self._writing() as connection:
            yield connection

    def is_locked(self) -> bool:
        """Whether the last write failed because another process held the database (SQLite), and it still does."""
        if self._was_locked:
            self._was_locked = is_held(self._engine)
        return self._was_locked

    def add(self, record: InstanceRecord) -> bool:
        """Commit one instance; whether it was new."""
        return self.add_many((record,))[0]

    def add_many(self, records: Iterable[InstanceRecord]) -> list[bool]:
        """Commit instances together; which of them were new. Raises what the database raised for any of them."""
        jobs = [_Job(record) for record in records]
        with self._waiting_guard:
            self._waiting += jobs
        with self._turn:
            if not all(job.done for job in jobs):
                with self._waiting_guard:
                    batch, self._waiting = self._waiting, []
                self._commit(batch)
        for job in jobs:
            if job.error is not None:
                raise job.error
        return [job.new for job in jobs]

    def file_of(self, sop_instance: str) -> IndexedFile | None:
        """Where an instance lies, or None."""
        with self.connect() as connection:
            row = connection.execute(_FILE_OF, {"uid": sop_instance}).first()
        return None if row is None else IndexedFile(*row)

    def known(self, sop_instances: Sequence[str]) -> set[str]:
        """Those of the given SOP Instance UIDs that are indexed."""
        return self._present(instances.c.sop_instance_uid, sop_instances)

    def _present(self, column: Column[str], values: Sequence[str]) -> set[str]:
        found: set[str] = set()
        with self.connect() as connection:
            for start in range(0, len(values), _VALUES_AT_A_TIME):
                some = values[start : start + _VALUES_AT_A_TIME]
                found.update(connection.execute(select(column).where(column.in_(some))).scalars())
        return found

    def last_received(self) -> float:
        """When the newest instance came, in seconds since the epoch; 0 for an empty index."""
        with self.connect() as connection:
            return connection.scalar(select(func.max(instances.c.received))) or 0.0

    def newest_files(self, limit: int) -> list[IndexedFile]:
        """The instances that came last."""
        with self.connect() as connection:
            rows = connection.execute(_FILE.order_by(instances.c.received.desc()).limit(limit)).all()
        return [IndexedFile(*row) for row in rows]

    def all_files(self) -> list[IndexedFile]:
        """Every indexed instance, for an audit."""
        with self.connect() as connection:
            return [IndexedFile(*row) for row in connection.execute(_FILE)]

    def forget_study(self, study_uid: str) -> list[str]:
        """Delete a study's rows and note its files for removal, in one transaction; the files, empty if unknown."""
        if self.locked_by and not self._present(studies.c.study_instance_uid, [study_uid]):
            return []
        with self._turn, self._writing() as connection:
            study = connection.scalar(select(studies.c.id).where(studies.c.study_instance_uid == study_uid))
            if study is None:
                return []
            in_study = select(series.c.id).where(series.c.study_row == study).scalar_subquery()
            of_study = select(instances.c.file).where(instances.c.series_row.in_(in_study))
            files = list(connection.execute(of_study).scalars())
            # One that could not be crossed off after an earlier removal may be noted already.
            connection.execute(delete(removals).where(removals.c.file.in_(of_study)))
            connection.execute(insert(removals), [{"file": file} for file in files])
            connection.execute(delete(instances).where(instances.c.series_row.in_(in_study)))
            connection.execute(delete(series).where(series.c.study_row == study))
            connection.execute(delete(studies).where(studies.c.id == study))
        return files

    def removals(self) -> list[str]:
        """Files noted for removal, which may still be there."""
        with self.connect() as connection:
            return list(connection.execute(select(removals.c.file)).scalars())

    def in_use(self, files: Sequence[str]) -> set[str]:
        """Those of the given files that an instance has."""
        return self._present(instances.c.file, files)

    def removed(self, files: Sequence[str]) -> None:
        """The given files are unlinked."""
        with self._turn, self._writing() as connection:
            for start in range(0, len(files), _VALUES_AT_A_TIME):
                some = files[start : start + _VALUES_AT_A_TIME]
                connection.execute(delete(removals).where(removals.c.file.in_(some)))

    def close(self) -> None:
        """Let go of the database. Nothing is written any more."""
        with self._turn:
            self._closed = True
            self.reader.close()
            self._engine.dispose()

    def _commit(self, batch: list[_Job]) -> None:
        """One transaction for all; if it fails, one for each, so that a bad instance fails alone."""
        try:
            self._write(batch)
        except Exception as wrong:
            if _is_locked(wrong):
                self._was_locked = True
                # Whoever came while it was tried has waited as well. To try again for each, one after the other, would
                # keep all their senders waiting until they give up.
                with self._waiting_guard:
                    batch, self._waiting = batch + self._waiting, []
                for job in batch:
                    job.done, job.error = True, wrong
                return
            if len(batch) == 1 and not isinstance(wrong, IntegrityError):
                batch[0].done, batch[0].error = True, wrong
                return
            for job in batch:
                try:
                    self._write([job])
                except Exception as again:
                    job.done, job.error = True, again

    def _write(self, batch: list[_Job]) -> None:
        with self._writing() as connection:
            for job in batch:
                job.new = _add(connection, job.record)
        for job in batch:
            job.done = True


def add_record(connection: Connection, record: InstanceRecord) -> bool:
    """Write one instance and count it, in the transaction of an operation; whether it was new."""
    return _add(connection, record)


def _is_locked(wrong: Exception) -> bool:
    """Whether somebody else's lock on a SQLite file outlasted the busy timeout."""
    cause = wrong.orig if isinstance(wrong, OperationalError) else None
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _add(connection: Connection, record: InstanceRecord) -> bool:
    """Write one instance and count it, in the caller's transaction."""
    known = connection.execute(_INSTANCE_KNOWN, {"uid": record.sop_instance}).first()
    if known is not None:
        if (known.size, known.available_transfer_syntax_uid) != (record.size, record.transfer_syntax):
            _follow_file(connection, known, record)
        return False
    header = record.header
    study_row, modalities, classes = _count_in_study(connection, record)
    series_row = connection.scalar(
        _COUNT_IN_SERIES, {"study": study_row, "uid": header.get_keyword("SeriesInstanceUID")}
    )
    is_new_series = series_row is None
    if is_new_series:
        series_row = connection.scalar(
            _NEW_SERIES,
            _values(Level.SERIES, header) | {"study_row": study_row, "number_of_series_related_instances": 1},
        )
    modality = header.get_keyword("Modality")
    if is_new_series or record.sop_class not in classes.split("\\"):
        connection.execute(
            _DESCRIBE_STUDY,
            {
                "study": study_row,
                "more": int(is_new_series),
                "modalities": _with(modalities, modality),
                "classes": _with(classes, record.sop_class),
            },
        )
    connection.execute(
        _NEW_INSTANCE,
        _values(Level.IMAGE, header)
        | {
            "series_row": series_row,
            "sop_instance_uid": record.sop_instance,
            "sop_class_uid": record.sop_class,
            "available_transfer_syntax_uid": record.transfer_syntax,
            "file": record.file,
            "size": record.size,
            "received": record.received,
        },
    )
    return True


def _follow_file(connection: Connection, known: Row[*tuple[Any, ...]], record: InstanceRecord) -> None:
    """An indexed instance's file was lost and came again, encoded otherwise: the row says what the new file is."""
    connection.execute(
        update(instances)
        .where(instances.c.id == known.id)
        .values(available_transfer_syntax_uid=record.transfer_syntax, size=record.size, file=record.file)
    )
    of_series = select(series.c.study_row).where(series.c.id == known.series_row).scalar_subquery()
    connection.execute(
        update(studies).where(studies.c.id == of_series).values(size=studies.c.size + (record.size - known.size))
    )


def _count_in_study(connection: Connection, record: InstanceRecord) -> tuple[int, str, str]:
    """The study's row, modalities and SOP classes, with this instance counted."""
    header = record.header
    uid = header.get_keyword("StudyInstanceUID")
    row = connection.execute(_COUNT_IN_STUDY, {"uid": uid, "grown": record.size, "at": record.received}).first()
    if row is not None:
        return row.id, row.modalities_in_study, row.sop_classes_in_study
    values = (
        _values(Level.PATIENT, header)
        | _values(Level.STUDY, header)
        | {"patient_key": patient_key(header), _NUMBER_OF_INSTANCES: 1, "size": record.size}
        | {"received": record.received}
    )
    return int(connection.execute(_NEW_STUDY, values).scalar_one()), "", ""


def _values(level: Level, header: Header) -> dict[str, str | int | float]:
    values: dict[str, str | int | float] = {}
    for attribute in _STORED[level]:
        text = header.get(attribute)
        values[attribute.column] = text
        if attribute.folded:
            values |= _folded(attribute, text)
    return values


def _folded(attribute: Attribute, name: str) -> dict[str, str]:
    first, other = folded_columns(name)
    return {f"{attribute.column}_folded": first, f"{attribute.column}_other": other}


def patient_key(header: Header) -> str:
    """What makes two studies one patient's: ID and issuer, or name and birth date of those who have no ID."""
    patient_id = header.get_keyword("PatientID")
    if patient_id:
        return f"{header.get_keyword('IssuerOfPatientID')}\t{patient_id}"
    name = "=".join(groups(header.get_keyword("PatientName")))
    return f"\t\t{name}\t{header.get_keyword('PatientBirthDate')}"


def _with(values: str, value: str) -> str:
    """A backslash list with one more value, if it is not there yet."""
    if not value or value in values.split("\\"):
        return values
    return f"{values}\\{value}" if values else value
