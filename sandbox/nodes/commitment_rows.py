"""Which instances of a modality were sent and what is known of their storage commitment: one SQLite table.

It is there only once something was sent with commitment wanted. Times are in seconds since the epoch.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sandbox.events.event import SYSTEM


class CommitmentState(StrEnum):
    """``waiting`` is to be asked for, ``requested`` was, ``failed`` was refused for good."""

    WAITING = "waiting"
    REQUESTED = "requested"
    COMMITTED = "committed"
    FAILED = "failed"


@dataclass(frozen=True)
class CommitmentRow:
    """One instance, its fields in the order of the table's columns. ``due`` is when to ask (again), ``reason`` the
    last failure reason (0008,1197) or 0."""

    sop_instance: str
    sop_class: str
    state: CommitmentState
    transaction_uid: str
    attempts: int
    reason: int
    due: float
    cause: int | None
    actor: str


_TABLE = """
create table if not exists instances (
    sop_instance text primary key, sop_class text not null, state text not null, transaction_uid text not null,
    attempts integer not null, reason integer not null, due real not null, cause integer, actor text not null
);
create index if not exists by_transaction on instances (transaction_uid);
create index if not exists by_state on instances (state, due);
"""
_UNFINISHED = (CommitmentState.WAITING, CommitmentState.REQUESTED)


class CommitmentRows:
    """The table in ``path``. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._is_closed = False

    def sent(self, sop_instance: str, sop_class: str, due: float, cause: int | None, actor: str = SYSTEM) -> None:
        """An instance arrived at its destination. One that is known already stays as it is."""
        self._write(
            "insert or ignore into instances values (?, ?, ?, '', 0, 0, ?, ?, ?)",
            [(sop_instance, sop_class, CommitmentState.WAITING, due, cause, actor)],
        )

    def hurry(self, sop_instances: Iterable[str], due: float) -> None:
        """Ask for these no later than at ``due``."""
        self._write(
            "update instances set due = min(due, ?) where sop_instance = ? and state = ?",
            [(due, one, CommitmentState.WAITING) for one in sop_instances],
        )

    def due(self, at: float, limit: int) -> list[CommitmentRow]:
        """What is to be asked for by then, the longest due first."""
        return self._read(
            "select * from instances where state in (?, ?) and due <= ? order by due limit ?",
            (*_UNFINISHED, at, limit),
        )

    def next_due(self) -> float | None:
        """When the next is due."""
        with self._lock:
            if not self._exists():
                return None
            found = (
                self._connection()
                .execute("select min(due) from instances where state in (?, ?)", _UNFINISHED)
                .fetchone()
            )
        return None if found[0] is None else float(found[0])

    def of_transaction(self, transaction_uid: str) -> list[CommitmentRow]:
        """The instances that were last asked for under this UID."""
        return self._read("select * from instances where transaction_uid = ?", (transaction_uid,))

    def all(self) -> list[CommitmentRow]:
        """Every instance."""
        return self._read("select * from instances", ())

    def replace(self, rows: Sequence[CommitmentRow]) -> None:
        """Write new states of instances, in one transaction. One that was forgotten meanwhile stays forgotten."""
        self._write(
            "update instances set state = ?, transaction_uid = ?, attempts = ?, reason = ?, due = ? "
            "where sop_instance = ?",
            [(row.state, row.transaction_uid, row.attempts, row.reason, row.due, row.sop_instance) for row in rows],
        )

    def forget(self, sop_instances: Iterable[str]) -> None:
        """Nothing more is to be known of these."""
        with self._lock:
            if not self._exists():
                return
        self._write("delete from instances where sop_instance = ?", [(one,) for one in sop_instances])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._is_closed = True
            if self._open is not None:
                self._open.close()
                self._open = None

    def _exists(self) -> bool:
        return not self._is_closed and (self._open is not None or self._path.exists())

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = sqlite3.connect(self._path, check_same_thread=False)
            # It must survive the end of the process, not of the machine.
            self._open.execute("pragma journal_mode = wal")
            self._open.execute("pragma synchronous = normal")
            self._open.executescript(_TABLE)
        return self._open

    def _write(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        with self._lock:
            if self._is_closed or not values:
                return
            connection = self._connection()
            with connection:
                connection.executemany(statement, values)

    def _read(self, statement: str, values: Sequence[object]) -> list[CommitmentRow]:
        with self._lock:
            if not self._exists():
                return []
            with closing(self._connection().execute(statement, values)) as found:
                return [CommitmentRow(row[0], row[1], CommitmentState(row[2]), *row[3:]) for row in found]
