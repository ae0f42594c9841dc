"""What npm installs for these tests is pinned, and nothing in it says where from."""

from __future__ import annotations

import json
from pathlib import Path

_DCMJS = Path(__file__).parent / "dcmjs"


def test_the_lock_file_names_no_registry() -> None:
    lock = (_DCMJS / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "resolved" not in lock


def test_every_package_is_pinned_with_its_digest() -> None:
    packages = json.loads((_DCMJS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("version" in one and "integrity" in one for name, one in packages.items() if name)
