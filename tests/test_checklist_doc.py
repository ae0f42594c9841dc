"""docs/checklist.md: every row has tests, every test is there, and what is not supported is said in the statement."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")
STATEMENT = (ROOT / "docs" / "conformance-statement.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in DOCUMENT.splitlines()
    if line.startswith("| ") and not line.startswith(("| claim ", "| --- "))
]
_ID = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_there_are_rows_for_every_service() -> None:
    headings = re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE)
    assert headings[:6] == ["Association", "C-STORE", "C-FIND", "C-MOVE and C-GET", "Storage commitment", "Security"]
    assert len(ROWS) > 100


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_names_its_part_and_tests_that_exist(row: tuple[str, ...]) -> None:
    _, part, tests = row
    assert part.startswith(("PS3.", "IHE "))
    named = _ID.findall(tests)
    assert len(named) == tests.count("::") > 0
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert name in functions_of(ROOT / path), f"{path} has no {name}"


def test_what_is_not_supported_is_said_in_the_statement() -> None:
    unsupported = [claim for claim, *_ in ROWS if "not supported:" in claim.lower()]
    assert unsupported
    for claim in unsupported:
        quoted = re.search(r"“(.+)”", claim)
        assert quoted is not None, claim
        assert quoted[1] in STATEMENT, claim
