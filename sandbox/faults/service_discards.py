"""A receiver that says success and keeps nothing: the silent loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_service import said_of, try_service
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Conditions, Discard, Service


class ServiceDiscards(Fault):
    """``service.discards``: ``node`` answers C-STORE of objects that match ``where`` with 0000 and keeps nothing of
    them; with ``every`` = 3 only every third of an association.

    No log has an error. The counts tell: the receiver's log says how many instances came over an association, its store
    how many there are. Seen from outside: ``storescu`` against the published port prints success, ``findscu`` (or the
    node behind it) has fewer instances. Mended by ``node.service_call`` for ``storing``; what was lost must then be
    sent again by whoever still has it.
    """

    kind = "service.discards"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Studies are there and not complete; nobody was told, and every log says success.",
        "The number of instances differs from one hop to the next.",
    )

    node: str
    where: Conditions = ()
    every: int = Field(1, ge=1, le=1000)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        what = said_of(self.where, "objects")
        which = "all" if self.every == 1 else f"one in {self.every}"
        return (
            f"{self.node} answered success (0000) to {what} and threw {which} of them away. A status says what a "
            "program believes; only counting on both sides tells what is there."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_service(configs, self.node, Service.STORE, self.where)

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "service", "discards", Discard(where=self.where, every=self.every))
