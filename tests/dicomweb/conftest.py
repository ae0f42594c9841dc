"""An archive and a client of its DICOMweb, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sandbox.archive.archive import Archive
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.options import WebOptions


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE", sync="normal") as opened:
        yield opened


@pytest.fixture
def web(archive: Archive) -> FlaskClient:
    return create_app(archive, WebOptions(prefix="")).test_client()
