"""Schema, migrations, and how a database is opened, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from sandbox.archive.index import database, schema
from sandbox.archive.store import Sync
from sandbox.model.errors import BadInputError, UnavailableError


def _url(tmp_path: Path, index_url: str | None) -> str:
    return index_url or database.sqlite_url(tmp_path / "index.sqlite")


def test_the_models_are_the_migrated_schema(tmp_path: Path, index_url: str | None) -> None:
    """Made by migrations alone, the database is what the models say; and the stamp of a new one is their head."""
    engine = create_engine(_url(tmp_path, index_url))
    with engine.begin() as connection:
        database.migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_a_migrated_and_a_new_database_are_alike(tmp_path: Path) -> None:
    def layout(url: str) -> set[tuple[str, str]]:
        with create_engine(url).begin() as connection:
            columns = connection.execute(
                text(
                    'SELECT m.name, p.name, p.type, p.dflt_value, p."notnull", p.pk FROM sqlite_master m, '
                    "pragma_table_info(m.name) p WHERE m.type IN ('table', 'index')"
                )
            )
            return {(str(row[0]), str(tuple(row[1:]))) for row in columns if row[0] != "alembic_version"}

    migrated, new = (database.sqlite_url(tmp_path / name) for name in ("migrated.sqlite", "new.sqlite"))
    with create_engine(migrated).begin() as connection:
        database.migrate(connection)
    database.open_database(new, Sync.NORMAL).dispose()
    assert layout(migrated) == layout(new)


def test_opening_again_does_not_load_alembic(tmp_path: Path) -> None:
    """Only an index of another version is migrated: what migrating takes to load would hold up every start."""
    opening = (
        "import sys; from pathlib import Path; from sandbox.archive.archive import Archive; "
        f"Archive(Path({str(tmp_path)!r}), ae_title='A').close(); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    first, again = (
        set(subprocess.run([sys.executable, "-c", opening], capture_output=True, text=True, check=True).stdout.split())
        for _ in range(2)
    )
    assert "sqlalchemy" in again
    assert "alembic" not in again
    assert again <= first


def test_sqlite_is_durable_as_asked(tmp_path: Path) -> None:
    for sync, level in ((Sync.FULL, 2), (Sync.NORMAL, 1)):
        engine = database.open_database(database.sqlite_url(tmp_path / f"{sync}.sqlite"), sync)
        with engine.connect() as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA synchronous")) == level
            assert connection.scalar(text("PRAGMA busy_timeout")) == database.BUSY_TIMEOUT_S * 1000
        engine.dispose()


def test_urls_that_are_none(tmp_path: Path) -> None:
    for wrong in ("nonsense", "mysql://host/db"):
        with pytest.raises(BadInputError):
            database.open_database(wrong, Sync.FULL)
    with pytest.raises(UnavailableError):
        database.open_database("postgresql://nobody:secret@127.0.0.1:1/none", Sync.FULL)
    (tmp_path / "bad.sqlite").write_bytes(b"no database, but long enough to be looked at" * 100)
    with pytest.raises(UnavailableError, match="cannot be opened"):
        database.open_database(database.sqlite_url(tmp_path / "bad.sqlite"), Sync.FULL)
