"""A program that has ended: the host is up, and nobody listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.events.event import SYSTEM
from sandbox.events.log import because
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.faults.on_process import run_again
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department


class ProcessDown(Fault):
    """``process.down``: the program of ``node`` has ended and nobody has started it again. ``line`` is the last line of
    its log, if it had time for one.

    Seen from outside: ``echoscu`` against the published port gets "connection refused", while ``ping`` to the host
    answers. Mended by ``node.start``.
    """

    kind = "process.down"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections to the node are refused at once; its host answers ping.",
        "The node's own log ends; nothing that was sent since is in it.",
    )

    node: str
    line: str = Field("", max_length=200)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"The program of {self.node} had ended, and nobody had started it again. Its host was up, so it answered "
            "ping and refused every connection at once: a closed port, not a firewall."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_node(configs, self.node)

    def break_it(self, department: Department) -> Undo:
        node = department.node(self.node)
        was_wanted, saved, running = node.is_wanted, node.saved, node.running
        if self.line:
            with because(None, SYSTEM):
                node.log("error", self.line)
        node.stop("it ended")

        def undo() -> None:
            if was_wanted and not node.is_wanted:
                run_again(node, saved, running)

        return undo
