"""A host for tests, with the cache that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.host.local import LocalHost
from tests.lab.support import shared_cache


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = shared_cache(tmp_path_factory)
    cache.mkdir(exist_ok=True)
    (tmp_path / "cache").symlink_to(cache)
    return tmp_path


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    cache = shared_cache(tmp_path_factory)
    cache.mkdir(exist_ok=True)
    (home / "cache").symlink_to(cache)
    return home


@pytest.fixture(scope="module")
def host(shared_home: Path) -> Iterator[LocalHost]:
    with LocalHost(shared_home, warm=False) as host:
        yield host
