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

from sqlalchemy import Column, Connection, Engine, bindparam, delete, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from sandbox.archive.index.checkpoints import Checkpoints
from sandbox.archive.index.database import is_held
from sandbox.archive.index.reader import Reader
from sandbox.archive.index.schema import instances, removals, series, studies
from sandbox.archive.index.writer import InstanceRecord as InstanceRecord
from sandbox.archive.index.writer import WritingConnection, cursor_of, writer_for
from sandbox.archive.index.writer import patient_key as patient_key
from sandbox.model.errors import UnavailableError

SET_BACK_S = 60.0
"""How much older than the newest an instance may be and still count as newer: less than recovery looks back."""


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
    durable: bool
    done: bool = False
    new: bool = False
    error: Exception | None = field(default=None)


_VALUES_AT_A_TIME = 500  # in one SQL statement

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
        self._instances = writer_for(engine.dialect)
        self._connection = WritingConnection(engine)
        self._checkpoints = Checkpoints(engine, self._turn)
        self._newest: float | None = None
        self.locked_by = ""
        """Who holds the write lock; nobody else writes until it is empty again."""

    def connect(self) -> Connection:
        """A connection for reading; close it soon."""
        return self._engine.connect()

    def _writing(self) -> AbstractContextManager[Connection]:
        """A transaction that writes."""
        self._check_open()
        return self._writer.begin()

    def _check_open(self) -> None:
        """An engine would open a closed database again for whoever comes late."""
        if self._closed:
            raise UnavailableError("The archive is closed.", "Open it again.")
        if self.locked_by:
            raise IndexLockedError(f"The index is locked by {self.locked_by}.", "End that job, or wait for it.")

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
        """Commit one instance whose file is durable and is the newest there is; whether it was new.

        A power cut may take the row: it is made again from the file (sandbox.archive.recovery), which looks at those
        that are newer than the newest row left, or a little older."""
        newest = self._newest_received()
        self._newest = max(newest, record.received)
        return self._add([_Job(record, durable=record.received < newest - SET_BACK_S)])[0]

    def add_many(self, records: Iterable[InstanceRecord]) -> list[bool]:
        """Commit instances together, for good; which of them were new. Raises what the database raised for any."""
        return self._add([_Job(record, durable=True) for record in records])

    def _newest_received(self) -> float:
        if self._newest is None:
            self._newest = self.last_received()
        return self._newest

    def _add(self, jobs: list[_Job]) -> list[bool]:
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
        self._checkpoints.close()
        with self._turn:
            self._closed = True
            self._connection.close()
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
        try:
            self._write_once(batch)
        except DBAPIError as wrong:
            if not wrong.connection_invalidated:
                raise
            # The database was restarted since the last instance came.
            self._write_once(batch)

    def _write_once(self, batch: list[_Job]) -> None:
        self._check_open()
        with self._connection.transaction(durable=any(job.durable for job in batch)) as cursor:
            for job in batch:
                # Once new, always new: a row that is found at another try is that of a first one whose commit went
                # through unheard.
                job.new = self._instances.add(cursor, job.record) or job.new
        # A row that was there would not be made again from its file: what it says of a file that came anew must last.
        healed = [job.record for job in batch if not (job.new or job.durable)]
        if healed:
            with self._connection.transaction(durable=True) as cursor:
                for record in healed:
                    self._instances.confirm(cursor, record)
        # What could be written is not locked: a look from beside it might meet our own next transaction.
        self._was_locked = False
        for job in batch:
            job.done = True
        self._checkpoints.written(len(batch))


def add_record(connection: Connection, record: InstanceRecord) -> bool:
    """Write one instance and count it, in the transaction of an operation; whether it was new."""
    with cursor_of(connection) as cursor:
        return writer_for(connection.dialect).add(cursor, record)


def _is_locked(wrong: Exception) -> bool:
    """Whether somebody else's lock on a SQLite file outlasted the busy timeout."""
    cause = wrong.orig if isinstance(wrong, OperationalError) else None
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
