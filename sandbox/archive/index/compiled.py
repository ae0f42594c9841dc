"""What SQLAlchemy has compiled for SQLite, kept for all databases of this process.

A department has a dozen databases with the same tables and opens them anew at every reset; compiling each statement for
each of them took more of a processor than running it. A compiled statement is found by its dialect and its structure,
so the engines share one dialect. PostgreSQL's are left as they are: there is one of them, and it stays open.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.util import LRUCache

KEPT = 1000
"""How many statements are kept, the least used going first. Keys of a query in new combinations make new ones."""


def share_compiled(engine: Engine) -> Engine:
    """Let a new engine on SQLite, not yet connected, use what others have compiled. Returns the engine."""
    engine.dialect = _dialect()
    engine.update_execution_options(compiled_cache=_compiled())
    return engine


@cache
def _dialect() -> Dialect:
    """A dialect that has met its database and knows what it can do."""
    engine = create_engine("sqlite://")
    engine.connect().close()
    engine.dispose()
    return engine.dialect


@cache
def _compiled() -> LRUCache[Any, Any]:
    return LRUCache(KEPT)
