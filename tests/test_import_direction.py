"""The one way down: imports point from higher packages to lower ones, and each library lives where it belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lower numbers may be imported by higher ones; packages of equal number do not know each other.
RANK = {
    "sandbox": 0,
    "sandbox.model": 0,
    "sandbox.events": 1,
    "sandbox.learning": 2,
    "sample_dicom": 2,
    "sandbox.network": 3,
    "sandbox.dicom": 3,
    "sandbox.archive": 4,
    "sandbox.hl7": 4,
    "sandbox.dicomweb": 5,
    "sandbox.nodes": 6,
    "sandbox.faults": 7,
    "sandbox.checks": 7,
    "sandbox.lab": 8,
    "sandbox.drill": 9,
    "sandbox.host": 10,
    "web": 11,
    "sandbox.cli": 12,
}
# These see less than their rank would allow.
ONLY = {"sandbox.learning": {"sandbox.model", "sandbox.events"}, "sample_dicom": {"sandbox.model"}}
# Which of our modules may use a library at all.
HOMES = {
    "pynetdicom": ("sandbox.dicom",),
    "flask": ("web", "sandbox.lab.api", "sandbox.dicomweb"),
    "waitress": ("web", "sandbox.lab.api", "sandbox.dicomweb"),
    "sqlalchemy": ("sandbox.archive", "sandbox.nodes", "web"),
    "click": ("sandbox.cli",),
    "cryptography": ("sandbox.dicom.authority",),
}


def _modules() -> Iterator[tuple[str, Path]]:
    for top in ("sandbox", "web", "sample_dicom"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node.lineno


def _package(module: str) -> str | None:
    """The ranked package a module belongs to, or None if it is not ours."""
    parts = module.split(".")
    for length in (2, 1):
        name = ".".join(parts[:length])
        if name in RANK and (length == 2 or parts[0] != "sandbox" or len(parts) == 1):
            return name
    return "sandbox.unranked" if parts[0] == "sandbox" else None


def violations(module: str, path: Path) -> list[str]:
    """Every import of ``module`` that runs back up, or that uses a library away from its home."""
    own = _package(module)
    found = []
    for imported, line in _imports(path):
        where = f"{path}:{line}"
        target = _package(imported)
        if target and own and target != own:
            if target not in RANK or own not in RANK:
                found.append(f"{where}: {own} or {target} has no rank; add it to RANK")
            elif RANK[target] >= RANK[own] and target != "sandbox":
                found.append(f"{where}: {own} imports {imported}, which runs back up")
            elif own in ONLY and target not in ONLY[own] | {"sandbox"}:
                found.append(f"{where}: {own} may import only {', '.join(sorted(ONLY[own]))}")
        homes = HOMES.get(imported.split(".")[0])
        if homes and not any(module == home or module.startswith(home + ".") for home in homes):
            found.append(f"{where}: {imported} belongs in {' and '.join(homes)}")
    return found


@pytest.mark.parametrize(
    ("module", "path"), list(_modules()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_imports_run_one_way(module: str, path: Path) -> None:
    assert violations(module, path) == []


def test_an_arrow_back_up_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "node.py"
    wrong.write_text("import flask\nfrom sandbox.lab.lab import Lab\nfrom sandbox.model.base import Model\n")
    told = violations("sandbox.nodes.node", wrong)
    assert len(told) == 2
    assert "belongs in" in told[0]
    assert "runs back up" in told[1]
