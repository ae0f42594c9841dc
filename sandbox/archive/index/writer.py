"""Writing an instance's rows quickly: the statements of C-STORE, compiled once and run on the driver's own cursor.

SQLAlchemy's handling of a statement costs several times what SQLite takes to run it, and a C-STORE needs four. They are
written here with SQLAlchemy Core for both databases, and only their text goes to the driver. What the driver raises is
raised as SQLAlchemy raises it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnClause,
    Connection,
    Dialect,
    Engine,
    Integer,
    PoolProxiedConnection,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

from sandbox.archive.attributes import AT_LEVEL, Attribute, Level
from sandbox.archive.header import Header
from sandbox.archive.index.schema import instances, series, studies
from sandbox.archive.names import folded_columns, groups

Values = dict[str, str | int | float]


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


_LONGEST_KEY = 600  # characters, of at most four bytes
_STORED = {level: tuple(a for a in AT_LEVEL[level] if not a.computed) for level in Level}
_ONE: ColumnClause[int] = literal_column("1", Integer)


def _columns(level: Level) -> tuple[str, ...]:
    return tuple(name for attribute in _STORED[level] for name in _columns_of(attribute))


def _columns_of(attribute: Attribute) -> tuple[str, ...]:
    column = attribute.column
    return (column, f"{column}_folded", f"{column}_other") if attribute.folded else (column,)


KNOWN = select(
    instances.c.id, instances.c.size, instances.c.available_transfer_syntax_uid, instances.c.series_row
).where(instances.c.sop_instance_uid == bindparam("sop_instance"))
COUNT_IN_STUDY = (
    update(studies)
    .where(studies.c.study_instance_uid == bindparam("study"))
    .values(
        number_of_study_related_instances=studies.c.number_of_study_related_instances + _ONE,
        size=studies.c.size + bindparam("grown"),
        received=bindparam("at"),
    )
    .returning(studies.c.id, studies.c.modalities_in_study, studies.c.sop_classes_in_study)
)
COUNT_IN_SERIES = (
    update(series)
    .where(series.c.study_row == bindparam("study"), series.c.series_instance_uid == bindparam("series"))
    .values(number_of_series_related_instances=series.c.number_of_series_related_instances + _ONE)
    .returning(series.c.id)
)
DESCRIBE_STUDY = (
    update(studies)
    .where(studies.c.id == bindparam("study"))
    .values(
        number_of_study_related_series=studies.c.number_of_study_related_series + bindparam("more"),
        modalities_in_study=bindparam("modalities"),
        sop_classes_in_study=bindparam("classes"),
    )
)
FOLLOW_FILE = (
    update(instances)
    .where(instances.c.id == bindparam("instance"))
    .values(available_transfer_syntax_uid=bindparam("syntax"), size=bindparam("new_size"), file=bindparam("new_file"))
)
GROW_STUDY = (
    update(studies)
    .where(studies.c.id == select(series.c.study_row).where(series.c.id == bindparam("series")).scalar_subquery())
    .values(size=studies.c.size + bindparam("grown"))
)
NEW_STUDY = insert(studies).returning(studies.c.id)
NEW_SERIES = insert(series).returning(series.c.id)
NEW_INSTANCE = insert(instances)

_STUDY_COLUMNS = (
    *("patient_key", *_columns(Level.PATIENT), *_columns(Level.STUDY), "size", "received"),
    *("number_of_study_related_series", "number_of_study_related_instances"),
    *("modalities_in_study", "sop_classes_in_study"),
)
_SERIES_COLUMNS = ("study_row", *_columns(Level.SERIES), "number_of_series_related_instances")
_INSTANCE_COLUMNS = (
    *("series_row", *_columns(Level.IMAGE), "available_transfer_syntax_uid", "file", "size", "received"),
)


class _Statement:
    """A Core statement as the driver takes it, compiled when it is first run. ``columns`` are those of an INSERT."""

    def __init__(self, statement: ClauseElement, dialect: Dialect, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._dialect = dialect
        self._columns = list(columns) or None
        self._text = ""
        self._arrange: Callable[[Mapping[str, Any]], Any] = dict

    def run(self, cursor: DBAPICursor, values: Mapping[str, Any]) -> None:
        if not self._text:
            self._compile()
        cursor.execute(self._text, self._arrange(values))

    def _compile(self) -> None:
        compiled = self._statement.compile(dialect=self._dialect, column_keys=self._columns)
        order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        if order is not None and len(order) == 1:
            only = order[0]
            self._arrange = lambda values: (values[only],)
        elif order is not None:
            # This driver takes values by place, the other by name.
            self._arrange = itemgetter(*order)
        self._text = str(compiled)


class InstanceWriter:
    """Writes instances into the tables of a database that speaks ``dialect``, in a transaction of the caller's."""

    def __init__(self, dialect: Dialect) -> None:
        self._known = _Statement(KNOWN, dialect)
        self._count_in_study = _Statement(COUNT_IN_STUDY, dialect)
        self._count_in_series = _Statement(COUNT_IN_SERIES, dialect)
        self._describe_study = _Statement(DESCRIBE_STUDY, dialect)
        self._follow = _Statement(FOLLOW_FILE, dialect)
        self._grow = _Statement(GROW_STUDY, dialect)
        self._new_study = _Statement(NEW_STUDY, dialect, _STUDY_COLUMNS)
        self._new_series = _Statement(NEW_SERIES, dialect, _SERIES_COLUMNS)
        self._new_instance = _Statement(NEW_INSTANCE, dialect, _INSTANCE_COLUMNS)

    def add(self, cursor: DBAPICursor, record: InstanceRecord) -> bool:
        """Write one instance and count it; False where it is indexed already, and counts nothing."""
        self._known.run(cursor, {"sop_instance": record.sop_instance})
        known = cursor.fetchone()
        if known is not None:
            self._follow_file(cursor, known, record)
            return False
        header = record.header
        self._count_in_study.run(
            cursor,
            {"study": header.get_keyword("StudyInstanceUID"), "grown": record.size, "at": record.received},
        )
        in_study = cursor.fetchone()
        if in_study is None:
            study_row = self._add_study(cursor, record)
            series_row = self._add_series(cursor, study_row, header)
        else:
            study_row, modalities, classes = in_study
            self._count_in_series.run(cursor, {"study": study_row, "series": header.get_keyword("SeriesInstanceUID")})
            in_series = cursor.fetchone()
            series_row = self._add_series(cursor, study_row, header) if in_series is None else in_series[0]
            if in_series is None or record.sop_class not in classes.split("\\"):
                described = {
                    "study": study_row,
                    "more": int(in_series is None),
                    "modalities": _with(modalities, header.get_keyword("Modality")),
                    "classes": _with(classes, record.sop_class),
                }
                self._describe_study.run(cursor, described)
        values = _values(Level.IMAGE, header)
        values["series_row"] = series_row
        # Those of the command, which the data set was compared with.
        values["sop_instance_uid"] = record.sop_instance
        values["sop_class_uid"] = record.sop_class
        values["available_transfer_syntax_uid"] = record.transfer_syntax
        values["file"], values["size"], values["received"] = record.file, record.size, record.received
        self._new_instance.run(cursor, values)
        return True

    def confirm(self, cursor: DBAPICursor, record: InstanceRecord) -> None:
        """Write again what the row of an indexed instance says of its file, so that a durable commit flushes it."""
        self._known.run(cursor, {"sop_instance": record.sop_instance})
        known = cursor.fetchone()
        if known is not None:
            self._follow.run(cursor, _followed(known[0], record))

    def _follow_file(self, cursor: DBAPICursor, known: Sequence[Any], record: InstanceRecord) -> None:
        """An indexed instance's file was lost and came again, encoded otherwise: the row says what the new file is."""
        instance, size, syntax, series_row = known
        if (size, syntax) == (record.size, record.transfer_syntax):
            return
        self._follow.run(cursor, _followed(instance, record))
        self._grow.run(cursor, {"series": series_row, "grown": record.size - size})

    def _add_study(self, cursor: DBAPICursor, record: InstanceRecord) -> int:
        header = record.header
        values = _values(Level.PATIENT, header) | _values(Level.STUDY, header)
        values["patient_key"] = patient_key(header)
        values["number_of_study_related_series"] = values["number_of_study_related_instances"] = 1
        values["modalities_in_study"] = header.get_keyword("Modality")
        values["sop_classes_in_study"] = record.sop_class
        values["size"], values["received"] = record.size, record.received
        self._new_study.run(cursor, values)
        return _only(cursor)

    def _add_series(self, cursor: DBAPICursor, study_row: int, header: Header) -> int:
        values = _values(Level.SERIES, header)
        values["study_row"], values["number_of_series_related_instances"] = study_row, 1
        self._new_series.run(cursor, values)
        return _only(cursor)


def _followed(instance: int, record: InstanceRecord) -> Values:
    return {
        "instance": instance,
        "syntax": record.transfer_syntax,
        "new_size": record.size,
        "new_file": record.file,
    }


def _only(cursor: DBAPICursor) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _values(level: Level, header: Header) -> Values:
    found = header.values.get
    values: Values = {}
    for attribute in _STORED[level]:
        text = found(attribute.tag, "")
        values[attribute.column] = text
        if attribute.folded:
            _, first, other = _columns_of(attribute)
            values[first], values[other] = folded_columns(text)
    return values


def patient_key(header: Header) -> str:
    """What makes two studies one patient's: ID and issuer, or name and birth date of those who have no ID. Values far
    beyond what DICOM allows are told apart by their hash: PostgreSQL indexes no more than 2704 bytes."""
    patient_id = header.get_keyword("PatientID")
    if patient_id:
        key = f"{header.get_keyword('IssuerOfPatientID')}\t{patient_id}"
    else:
        name = "=".join(groups(header.get_keyword("PatientName")))
        key = f"\t\t{name}\t{header.get_keyword('PatientBirthDate')}"
    if len(key) <= _LONGEST_KEY:
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _with(values: str, value: str) -> str:
    """A backslash list with one more value, if it is not there yet."""
    if not value or value in values.split("\\"):
        return values
    return f"{values}\\{value}" if values else value


@lru_cache(maxsize=4)
def writer_for(dialect: Dialect) -> InstanceWriter:
    """The writer of all databases that share a dialect: what it has compiled is good for each of them."""
    return InstanceWriter(dialect)


@contextmanager
def cursor_of(connection: Connection) -> Iterator[DBAPICursor]:
    """The driver's own cursor in the transaction of a SQLAlchemy connection."""
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except connection.dialect.loaded_dbapi.Error as wrong:
        raise _as_sqlalchemy(connection.dialect, wrong) from wrong
    finally:
        cursor.close()


class WritingConnection:
    """The one connection on which instances are written, kept open. One transaction at a time: the caller sees to it.

    An SQLite index that flushes every commit (sync=full) does so here only for transactions that are ``durable``; those
    that are not may be taken by a power cut, from the last one back, and by nothing else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = isinstance(engine.dialect, SQLiteDialect)
        self._connection: PoolProxiedConnection | None = None
        self._cursor: Any = None
        self._always = 0
        self._level = 0

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[DBAPICursor]:
        """A cursor in a transaction that is committed at the end of the block."""
        try:
            if self._connection is None:
                self._open()
            assert self._connection is not None
            if self._is_sqlite:
                self._flush(durable)
                self._cursor.execute("BEGIN IMMEDIATE")
            yield self._cursor
            self._connection.commit()
        except self._engine.dialect.loaded_dbapi.Error as wrong:
            lost = self._connection is not None and self._engine.dialect.is_disconnect(
                wrong,
                self._connection.dbapi_connection,
                self._cursor,
            )
            self.close()
            raise _as_sqlalchemy(self._engine.dialect, wrong, lost=lost) from wrong
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Roll back what is open and let go of the connection. The next transaction opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.rollback()
            with suppress(Exception):
                connection.close()

    def _open(self) -> None:
        connection = self._engine.raw_connection()
        # Its settings are its own: it must not go back to the pool.
        connection.detach()
        self._connection, self._cursor = connection, connection.cursor()
        if self._is_sqlite:
            self._level = self._always = self._cursor.execute("PRAGMA synchronous").fetchone()[0]
            # sandbox.archive.index.checkpoints does it, when nobody waits.
            self._cursor.execute("PRAGMA wal_autocheckpoint=0")

    def _flush(self, durable: bool) -> None:
        level = self._always if durable else min(self._always, _NORMAL)
        if level != self._level:
            self._cursor.execute(f"PRAGMA synchronous={level}")
            self._level = level


_NORMAL = 1
"""SQLite's number for synchronous=NORMAL."""


def _as_sqlalchemy(dialect: Dialect, wrong: Exception, *, lost: bool = False) -> Exception:
    return DBAPIError.instance(
        None,
        None,
        wrong,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
