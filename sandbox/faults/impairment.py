"""How faults impair a node below its configuration: one entry in, the same entry out."""

from __future__ import annotations

from sandbox.faults.fault import Undo
from sandbox.model.base import Model
from sandbox.nodes.department import Department


def impair(department: Department, node_name: str, family: str, field: str, entry: Model) -> Undo:
    """Add ``entry`` to what is wrong with a node; the undo takes that entry away, if nobody has mended it meanwhile.

    ``family`` and ``field`` name a tuple of ``sandbox.nodes.impairments``: ``impair(department, "CT1", "data",
    "values", ValueChanged(...))``.
    """
    node = department.node(node_name)
    node.impair(node.impairments.plus(family, field, entry))

    def undo() -> None:
        node.impair(node.impairments.minus(family, field, entry))

    return undo
