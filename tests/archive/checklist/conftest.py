"""Archives that are served on a real port, as ``pacs-sandbox archive serve`` serves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.archive.serve import Remote, RunningArchive, ServeOptions, serve_archive


@pytest.fixture
def served(tmp_path: Path, index_url: str | None) -> Iterator[RunningArchive]:
    """An archive that knows nobody."""
    options = ServeOptions(ae_title="ARCHIVE", directory=tmp_path / "archive", url=index_url, sync="normal")
    with serve_archive(options) as running:
        yield running


@pytest.fixture
def port(served: RunningArchive) -> int:
    return served.describe().port


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[RunningArchive]:
    """Another archive, WS1, to which a C-MOVE may go."""
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal")) as running:
        yield running


@pytest.fixture
def sender(tmp_path: Path, index_url: str | None, destination: RunningArchive) -> Iterator[RunningArchive]:
    """An archive that knows WS1."""
    at = destination.describe()
    options = ServeOptions(
        ae_title="ARCHIVE",
        directory=tmp_path / "archive",
        url=index_url,
        remotes=(Remote(ae_title="WS1", host=at.host, port=at.port),),
        sync="normal",
    )
    with serve_archive(options) as running:
        yield running
