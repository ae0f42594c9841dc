"""For all tests: the long files begin first, so that no worker is left alone with one of them at the end."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

LONG = {
    "tests/scenarios": 600,
    "tests/browser/test_access.py": 90,
    "tests/browser/test_drills.py": 80,
    "tests/browser/test_structure.py": 60,
    "tests/e2e": 60,
    "tests/unbreakable": 60,
    "tests/drill/test_verify.py": 60,
    "tests/peers": 50,
    "tests/host": 50,
    "tests/archive/operations/test_crash.py": 45,
    "tests/drill": 35,
    "tests/checks": 35,
    "tests/browser": 30,
    "tests/faults": 30,
    "tests/nodes": 20,
    "tests/lab": 15,
    "tests/cli": 15,
    "tests/web": 10,
}
"""About how many seconds a file takes, by its path or the nearest folder that is named; no others take more than 5."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files by how long they take; the order within a file, and of files that take as long, stays. `make test`
    tells pytest-xdist (--no-loadscope-reorder) not to begin with the files of most tests instead."""
    items.sort(key=lambda item: -_seconds(PurePosixPath(item.nodeid.partition("::")[0])))


def _seconds(path: PurePosixPath) -> int:
    return next((LONG[str(place)] for place in (path, *path.parents) if str(place) in LONG), 5)
