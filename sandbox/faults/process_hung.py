"""A program that is there and does nothing: connections are made and never answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Hang


class ProcessHung(Fault):
    """``process.hung``: the program of ``node`` hangs. The system still accepts connections to its port; nobody answers
    on them, its queue sends nothing, and its log is silent.

    Seen from outside: ``nc -z`` to the published port connects; ``echoscu -ta 5`` against it waits for the association
    and times out. Mended by ``node.restart`` (or ``node.service_call`` for ``stability``).
    """

    kind = "process.hung"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The port is open, and every association request times out.",
        "The node's own log says nothing since; what it should send on does not leave.",
    )

    node: str

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"The program of {self.node} hung. Its port was open, since the operating system answers for it, so a port "
            "test succeeded; but no association was answered, and its own log had stopped. Running is not working."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_node(configs, self.node)

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "process", "hangs", Hang())
