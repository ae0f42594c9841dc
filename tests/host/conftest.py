"""A host for tests, with the cache that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.host.local import LocalHost
from tests.lab.support import home_in


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_in(tmp_path, tmp_path_factory)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_in(tmp_path_factory.mktemp("home"), tmp_path_factory)


@pytest.fixture(scope="module")
def host(shared_home: Path) -> Iterator[LocalHost]:
    with LocalHost(shared_home, warm=False) as host:
        yield host
