"""The modules of the package stand on each other without circles, in what they import for types, too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import sandbox.dicom

FOLDER = Path(sandbox.dicom.__file__).parent


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sandbox.dicom":
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sandbox.dicom."):
            names.add(node.module.rsplit(".", 1)[1])
    return names


def test_no_module_stands_on_one_that_stands_on_it() -> None:
    graph = {path.stem: imported(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("messages") < order.index("client") < order.index("acceptor") < order.index("server")
