"""Moving SQLite's write-ahead log into the database beside the writing, so that no sender waits for it.

By itself SQLite does it within the commit that makes the log too long, and flushes twice: a hundred senders wait for
nothing and the next one for all of them. Here a thread does it now and then. What is committed is read from the log
until then; a log that was not moved when the process ended is taken up by the next one.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

EVERY = 500
"""After how many instances: their pages are some 16 MB of log."""

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """Of the database of ``engine``; nothing to do unless it is SQLite. ``turn`` is held by whoever writes."""

    def __init__(self, engine: Engine, turn: threading.Lock, *, every: int = EVERY) -> None:
        self._engine = engine
        self._turn = turn
        self._every = every if isinstance(engine.dialect, SQLiteDialect) else 0
        self._written = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def written(self, instances: int) -> None:
        """So many more are committed. To be called by whoever holds the turn."""
        self._written += instances
        if not self._every or self._written < self._every or self._closed:
            return
        if self._thread is None or not self._thread.is_alive():
            self._written = 0
            self._thread = threading.Thread(target=self._move, name="checkpoint", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for what is under way; nothing is begun any more. Not to be called by whoever holds the turn."""
        self._closed = True
        thread = self._thread
        if thread is not None:
            thread.join()

    def _move(self) -> None:
        """Nearly all of the log while others write, and the little that came meanwhile in a turn: only a log that was
        moved to its end is begun anew, and does not grow."""
        try:
            connection = self._engine.raw_connection()
        except (SQLAlchemyError, OSError) as wrong:
            log.warning("The index cannot be tidied at the moment: %s", wrong)
            return
        try:
            connection.detach()
            cursor = connection.cursor()
            cursor.execute(_MOVE)
            with self._turn:
                cursor.execute(_MOVE)
        except self._engine.dialect.loaded_dbapi.Error as wrong:
            # A full disk: what is committed stays in the log, and is moved later.
            log.warning("The index cannot be tidied at the moment: %s", wrong)
        finally:
            with suppress(Exception):
                connection.close()
