"""Archives for tests: on SQLite always, on PostgreSQL where PACS_SANDBOX_TEST_PG_URL names a database to empty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sandbox.archive.archive import Archive

PG_URL = os.environ.get("PACS_SANDBOX_TEST_PG_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def index_url(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty index; None is the archive's own SQLite."""
    if request.param == "sqlite":
        return None
    if not PG_URL:
        pytest.skip("PACS_SANDBOX_TEST_PG_URL is not set")
    engine = create_engine(PG_URL)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return PG_URL


@pytest.fixture
def archive(tmp_path: Path, index_url: str | None) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE", url=index_url, sync="normal") as opened:
        yield opened
