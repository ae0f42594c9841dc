"""Reading the index quickly: connections that stay open, and statements that were compiled before.

A query by SQLAlchemy's own way costs more for the making of its statement than for the rows. Here a ``Prepared`` is
made once for each kind of query and run on the database's own driver. Rows come as they are read, in both databases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection, Select
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.index.conditions import parameter_name
from sandbox.model.errors import UnavailableError

Rows = Iterator[tuple[Any, ...]]

_MOST_IDLE = 4
_MOST_PREPARED = 512


@dataclass(frozen=True)
class Prepared:
    """A statement as the driver takes it. ``order`` says which value goes where, for a driver that takes them by place;
    one that takes them by name gets ``names``."""

    text: str
    order: tuple[int, ...] | None
    names: tuple[str, ...]

    def parameters(self, values: Sequence[str]) -> Any:
        """The driver's own form of the values."""
        if self.order is None:
            return dict(zip(self.names, values, strict=True))
        return [values[place] for place in self.order]


class Reader:
    """Runs statements on connections of ``engine`` that are kept. Safe to be used from all threads.

    What the database raises becomes UnavailableError.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = isinstance(engine.dialect, SQLiteDialect)
        self._idle: deque[PoolProxiedConnection] = deque()
        self._closed = False
        self.prepared = lru_cache(_MOST_PREPARED)(self._prepare)

    def rows(
        self, make: Callable[..., Select[*tuple[Any, ...]]], shape: tuple[Any, ...], values: Sequence[str]
    ) -> Rows:
        """The rows of the statement that ``make`` makes of ``shape`` (which is its arguments, all hashable), with these
        values for its parameters. To be read to the end or closed."""
        try:
            prepared = self.prepared(make, shape)
            parameters = prepared.parameters(values)
            connection, cursor, rows = self._begin(prepared.text, parameters)
        except (SQLAlchemyError, self._error) as wrong:
            raise _unavailable() from wrong
        try:
            yield from rows
        except self._error as wrong:
            self._discard(connection)
            raise _unavailable() from wrong
        except BaseException:
            # Left early, by whoever asked: what PostgreSQL is still sending is in the way of the next query.
            if self._is_sqlite:
                self._end(connection, cursor)
            else:
                self._discard(connection)
            raise
        self._end(connection, cursor)

    def close(self) -> None:
        """Let go of the connections. What is still being read ends with its own."""
        self._closed = True
        while self._idle:
            self._discard(self._idle.popleft())

    @property
    def _error(self) -> type[Exception]:
        error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return error

    def _prepare(self, make: Callable[..., Select[*tuple[Any, ...]]], shape: tuple[Any, ...]) -> Prepared:
        compiled = make(*shape).compile(dialect=self._engine.dialect, compile_kwargs={"render_postcompile": True})
        names = tuple(parameter_name(number) for number in range(len(compiled.params)))
        positions = getattr(compiled, "positiontup", None)
        order = None if positions is None else tuple(names.index(name) for name in positions)
        return Prepared(str(compiled), order, names)

    def _begin(self, text: str, parameters: Any) -> tuple[PoolProxiedConnection, Any, Rows]:
        """The first row is read here: a server that was restarted shows itself then, and a connection that was kept
        since before is not the last chance."""
        while True:
            connection, kept = self._connection()
            cursor = connection.cursor()
            try:
                if self._is_sqlite:
                    cursor.execute(text, parameters)
                    return connection, cursor, iter(cursor)  # type: ignore[call-overload]
                streamed = cursor.stream(text, parameters)
                first = next(streamed, None)
                return connection, cursor, iter(()) if first is None else chain((first,), streamed)
            except self._error as wrong:
                lost = self._engine.dialect.is_disconnect(wrong, connection.dbapi_connection, cursor)  # type: ignore[arg-type]
                self._discard(connection)
                if not (kept and lost):
                    raise

    def _connection(self) -> tuple[PoolProxiedConnection, bool]:
        with suppress(IndexError):
            return self._idle.pop(), True
        connection = self._engine.raw_connection()
        if not self._is_sqlite:
            # One statement needs no transaction around it.
            connection.dbapi_connection.autocommit = True  # type: ignore[union-attr]
        return connection, False

    def _end(self, connection: PoolProxiedConnection, cursor: Any) -> None:
        cursor.close()
        if self._closed or len(self._idle) >= _MOST_IDLE:
            self._discard(connection)
        else:
            self._idle.append(connection)

    @staticmethod
    def _discard(connection: PoolProxiedConnection) -> None:
        with suppress(Exception):
            connection.detach()
            connection.close()


def _unavailable() -> UnavailableError:
    return UnavailableError("The index cannot be read at the moment.", "Try again in a moment.")
