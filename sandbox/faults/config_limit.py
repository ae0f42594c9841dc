"""A limit that is too small for what goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import with_value
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department

LIMITS: Mapping[str, tuple[str, str]] = {
    "associations": ("maximum_associations", "associations at once"),
    "matches": ("query_limit", "matches of a query"),
    "pdu": ("maximum_pdu", "bytes in a PDU"),
}
"""What may be limited: the setting, and what it counts."""


class LimitSet(Fault):
    """``config.limit``: ``node`` allows only ``value`` ``of`` associations at once, matches of a query, or bytes in a
    PDU.

    Associations beyond the limit are rejected with 2/3/2 (local limit exceeded), a list of matches ends at it with
    success. Seen from outside: ``findscu`` against the published port prints that many matches, or ``echoscu`` is
    rejected while others are connected. Mended by ``node.config.save`` of the setting on ``node`` and a restart; for
    matches, better by asking for less.
    """

    kind = "config.limit"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Above a certain number nothing more comes: associations are rejected with 2/3/2, or a list ends.",
        "Below it everything works; no log has a permanent error.",
    )

    node: str
    of: str
    value: int = Field(ge=1)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} was limited to {self.value} {LIMITS[self.of][1]} ({LIMITS[self.of][0]}). Up to that number "
            "all was well; what came above it was refused for now, or left out."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if self.of not in LIMITS:
            raise BadInputError(f"{self.of!r} is nothing that can be set here.", suggestion(self.of, LIMITS))
        with_value(try_node(configs, self.node), LIMITS[self.of][0], self.value)

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, LIMITS[self.of][0], self.value)
