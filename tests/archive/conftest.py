"""Archives for tests: on SQLite always, and on PostgreSQL where PACS_SANDBOX_TEST_PG_URL names a database to use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from sandbox.archive.archive import Archive

PG_URL = os.environ.get("PACS_SANDBOX_TEST_PG_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def index_url(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty index; None is the archive's own SQLite. Each test worker has a schema of its own."""
    if request.param == "sqlite":
        return None
    if not PG_URL:
        pytest.skip("PACS_SANDBOX_TEST_PG_URL is not set")
    schema = f"sandbox_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    engine = create_engine(PG_URL)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine.dispose()
    url = make_url(PG_URL).update_query_dict({"options": f"-csearch_path={schema}"})
    return url.render_as_string(hide_password=False)


@pytest.fixture
def archive(tmp_path: Path, index_url: str | None) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE", url=index_url, sync="normal") as opened:
        yield opened
