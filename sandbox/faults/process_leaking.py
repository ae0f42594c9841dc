"""A client that opens associations and never lets go of them, until its peer has none left for anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_node import try_remote
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Leak

PLACES_S = 10.0
"""How long the program may take to take its associations, in seconds. On a quiet machine it is a few hundredths."""


class ProcessLeaking(Fault):
    """``process.leaking``: ``node`` keeps ``count`` idle associations with ``remote`` (a line of its AE table) open,
    and opens new ones for those that are ended.

    When ``count`` reaches what ``remote`` accepts at once (``maximum_associations``), everybody else is rejected with
    2/3/2 (local limit exceeded). Seen from outside: ``echoscu`` against the published port of ``remote`` is rejected
    for that reason. Mended by ``node.restart`` of ``node`` (or ``node.service_call`` for ``stability``); restarting
    ``remote`` helps for half a second, a larger limit for as long as ``count`` stays below it.
    """

    kind = "process.leaking"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The peer rejects others at times or always with 2/3/2, local limit exceeded (transient).",
        "The peer counts many open associations, nearly all from one caller, and nothing goes over them.",
    )

    node: str
    remote: str
    count: int = Field(25, ge=1, le=200)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} kept {self.count} associations with {self.remote} open without using them. {self.remote} has "
            "room for so many at once, so it rejected others: transient, local limit exceeded (2/3/2). The one who is "
            "rejected is not the one to blame; who holds the places is."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_remote(configs, self.node, self.remote)

    def break_it(self, department: Department) -> Undo:
        undo = impair(department, self.node, "process", "leaks", Leak(remote=self.remote, count=self.count))
        # What a scenario lets happen next finds the places taken, and does not slip through before.
        department.node(self.node).wait_for_leaks(PLACES_S)
        return undo
