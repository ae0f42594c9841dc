"""The console's database: made by migrations alone, as the tables say, and remembering attempts."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sandbox.model.errors import UnavailableError
from web.accounts import LOCAL, add_user
from web.attempts import Attempts
from web.db.database import Database
from web.db.tables import Base


@pytest.fixture
def database(tmp_path: Path):  # type: ignore[no-untyped-def]
    database = Database(f"sqlite:///{tmp_path / 'console.db'}")
    yield database
    database.close()


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_opening_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    add_user(database, "dana", "long enough one")
    again = Database(f"sqlite:///{tmp_path / 'console.db'}")
    assert Attempts(again).of(LOCAL) == ()
    again.close()


def test_an_attempt_is_remembered_with_its_moment_in_utc(database: Database) -> None:
    attempts = Attempts(database)
    attempts.add(lab="a", account=LOCAL, site="riverside", scenario="drill", title="T", seed=7)
    attempts.note("a", "solved", {"ct": "pass"})
    found = attempts.get("a")
    assert found is not None
    assert found.started.utcoffset() is not None
    assert (found.state, found.findings, found.closed) == ("solved", {"ct": "pass"}, None)
    attempts.close("a")
    assert [one.closed is not None for one in attempts.of(LOCAL)] == [True]


def test_a_database_that_cannot_be_opened_is_told_without_its_password() -> None:
    with pytest.raises(UnavailableError) as told:
        Database("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(told.value)
    assert "cannot be opened" in told.value.sentence
