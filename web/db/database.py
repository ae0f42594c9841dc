"""Opening the console's database: engine, migrations to the newest version, sessions that commit or roll back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask_babel import gettext as _
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from sandbox.model.errors import UnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """The console's database at ``url``, migrated when opened."""

    def __init__(self, url: str) -> None:
        try:
            self.engine = _engine(url)
            _migrate(self.engine)
        except (SQLAlchemyError, ModuleNotFoundError) as wrong:
            where = make_url(url).render_as_string(hide_password=True)
            raise UnavailableError(
                _(
                    "The console's database at %(where)s cannot be opened: %(wrong)s.",
                    where=where,
                    wrong=wrong.args[0] if wrong.args else wrong,
                ),
                _(
                    "Check the address and that the server runs; PostgreSQL needs %(command)s.",
                    command="pip install 'pacs-sandbox[postgresql]'",
                ),
            ) from wrong
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """One unit of work: committed when the block ends, rolled back when it raises."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
