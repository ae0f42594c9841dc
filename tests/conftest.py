"""For all tests: the long ones begin first, so that no worker is left alone with them at the end."""

from __future__ import annotations

import pytest

LONGEST_FIRST = tuple(
    f"tests/{folder}/" for folder in ("scenarios", "unbreakable", "browser", "e2e", "peers", "host", "drill", "checks")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by how long a folder's tests take; the order within a folder stays."""

    def rank(item: pytest.Item) -> int:
        return next((i for i, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)), len(LONGEST_FIRST))

    items.sort(key=rank)
