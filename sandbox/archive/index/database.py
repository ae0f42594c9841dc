"""Opening the index: SQLite in the archive's directory by default, any SQLAlchemy URL of SQLite or PostgreSQL instead.

A new database is made from the models and stamped; one at the newest migration is opened as it is; an older one is
migrated. So the usual start does not load Alembic.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, create_engine, event, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sandbox.archive.index import schema
from sandbox.archive.index.compiled import share_compiled
from sandbox.archive.store import Sync
from sandbox.model.errors import BadInputError, UnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 15

_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def open_database(url: str, sync: Sync) -> Engine:
    """An engine on an index that is at the newest schema."""
    engine = _engine(url, sync)
    try:
        with engine.begin() as connection:
            _bring_to_head(connection)
    except SQLAlchemyError as wrong:
        engine.dispose()
        shown = make_url(url).render_as_string(hide_password=True)
        raise UnavailableError(
            f"The archive's index {shown} cannot be opened: {wrong.__cause__ or wrong}.",
            "See that the database is there, running and not damaged.",
        ) from wrong
    return engine


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _engine(url: str, sync: Sync) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as wrong:
        raise BadInputError(
            f"{url!r} is no database URL.", "For example postgresql+psycopg://user@host/name."
        ) from wrong
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            pool_size=4,
            max_overflow=-1,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S, "cached_statements": 256},
        )
        _set_up_sqlite(engine, sync)
        return share_compiled(engine)
    if parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        try:
            engine = create_engine(parsed, pool_size=4, max_overflow=-1, pool_pre_ping=True)
        except ModuleNotFoundError as missing:
            raise UnavailableError(
                "The PostgreSQL driver is not installed.", "Install it: pip install 'pacs-sandbox[postgresql]'."
            ) from missing
        _set_up_postgresql(engine, sync)
        return engine
    raise BadInputError(f"The index cannot lie in {parsed.get_backend_name()}.", "Use SQLite or PostgreSQL.")


def _set_up_sqlite(engine: Engine, sync: Sync) -> None:
    """WAL, so that readers and the writer do not wait for each other; transactions begun by us (PEP 249 hides them)."""
    durability = "FULL" if sync is Sync.FULL else "NORMAL"

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:  # noqa: ARG001
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={durability}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def is_held(engine: Engine) -> bool:
    """Whether somebody else writes to a SQLite database at this moment. Never waits."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
        return False
    finally:
        connection.close()


def _set_up_postgresql(engine: Engine, sync: Sync) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:  # noqa: ARG001
        if sync is not Sync.FULL:
            connection.execute("SET synchronous_commit = off")
            connection.commit()


def _bring_to_head(connection: Connection) -> None:
    present = inspect(connection).has_table(_version.name)
    if not present:
        if inspect(connection).has_table(schema.studies.name):
            raise UnavailableError(
                "The index has tables of an unknown version.", "Delete it: it is made anew from the files."
            )
        schema.metadata.create_all(connection, checkfirst=False)
        _version.create(connection)
        connection.execute(_version.insert().values(version_num=schema.HEAD))
        return
    if connection.scalar(select(_version.c.version_num)) != schema.HEAD:
        migrate(connection)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to ``revision`` in the caller's transaction."""
    from alembic import command  # a tenth of a second to load, and seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
