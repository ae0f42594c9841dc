"""What one SQLite database has compiled serves the next one, and is right for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, literal, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from sandbox.archive.index.compiled import KEPT, share_compiled
from sandbox.archive.index.database import open_database, sqlite_url
from sandbox.archive.index.schema import studies
from sandbox.archive.store import Sync


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The statements that are compiled from now on."""
    seen: list[object] = []
    real: Callable[..., None] = SQLiteCompiler.__init__

    def counting(self: SQLiteCompiler, dialect: Any, statement: Any, *rest: Any, **named: Any) -> None:
        seen.append(statement)
        real(self, dialect, statement, *rest, **named)

    monkeypatch.setattr(SQLiteCompiler, "__init__", counting)
    return seen


def _engine(path: Path) -> Engine:
    return open_database(sqlite_url(path), Sync.NORMAL)


def _add_and_read(engine: Engine, uid: str) -> list[str]:
    # A condition that no other test has, so that it is new to this process.
    wanted = select(studies.c.study_instance_uid).where(studies.c.size == -1, studies.c.received == 7.0)
    with engine.begin() as connection:
        connection.execute(insert(studies).values(study_instance_uid=uid, size=-1, received=7.0))
        return list(connection.execute(wanted).scalars())


def test_a_statement_is_compiled_once_for_all_databases(tmp_path: Path, compiled: list[object]) -> None:
    _engine(tmp_path / "a.sqlite").dispose()
    first, second = _engine(tmp_path / "a.sqlite"), _engine(tmp_path / "b.sqlite")
    compiled.clear()
    assert _add_and_read(first, "1.1") == ["1.1"]
    made = len(compiled)
    assert made
    assert _add_and_read(second, "1.2") == ["1.2"], "and each has its own rows"
    first.dispose()
    third = _engine(tmp_path / "a.sqlite")
    assert sorted(_add_and_read(third, "1.3")) == ["1.1", "1.3"], "also one that is opened anew"
    assert len(compiled) == made
    second.dispose()
    third.dispose()


def test_an_engine_of_its_own_compiles_for_itself(tmp_path: Path, compiled: list[object]) -> None:
    """What the sharing is compared with."""
    shared, own = _engine(tmp_path / "a.sqlite"), create_engine(sqlite_url(tmp_path / "a.sqlite"))
    _add_and_read(shared, "1.1")
    compiled.clear()
    _add_and_read(own, "1.2")
    assert len(compiled) == 2
    shared.dispose()
    own.dispose()


def test_what_is_kept_has_a_bound() -> None:
    engine = share_compiled(create_engine("sqlite://"))
    kept = engine.get_execution_options()["compiled_cache"]
    with engine.connect() as connection:
        for number in range(int(KEPT * 1.6)):
            connection.execute(select(literal(number).label(f"n{number}")))
    assert KEPT <= len(kept) <= KEPT * 1.5
    engine.dispose()
