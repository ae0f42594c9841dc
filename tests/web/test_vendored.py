"""Everything vendored is what its list says it is, with its licence, and nothing else lies beside it."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["web/static/vendor", "tests/browser/vendor"])
def test_hashes_licences_and_completeness(folder: str) -> None:
    base = ROOT / folder
    listed: dict[str, str] = {}
    for asset in tomllib.loads((base / "VENDORED.toml").read_text())["asset"]:
        home = f"{asset['name']}-{asset['version']}/"
        assert asset["licence"]
        assert asset["source"]
        assert all(name.startswith(home) for name in asset["sha256"])
        assert home + "LICENSE" in asset["sha256"]
        listed |= asset["sha256"]
    there = {str(path.relative_to(base)) for path in base.rglob("*") if path.is_file()} - {"VENDORED.toml"}
    assert there == set(listed)
    for name, expected in listed.items():
        assert hashlib.sha256((base / name).read_bytes()).hexdigest() == expected, name


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in [*(ROOT / "web/templates").rglob("*.html"), *(ROOT / "web/static/css").glob("*.css")]:
        text = path.read_text()
        assert "//cdn" not in text
        assert 'src="http' not in text
        assert "url(http" not in text
