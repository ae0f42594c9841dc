"""A setting that is wrong: any path of any node's configuration, saved and running alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at, with_value
from sandbox.nodes.department import Department


class ConfigSet(Fault):
    """``config.set``: somebody entered ``value`` at ``path`` (config_path grammar) on ``node`` and restarted it.

    ``why`` is the explanation for the debrief; without one it is said in general words. A node that is stopped stays
    stopped. Seen from outside: as that setting shows itself, to ``echoscu`` or ``storescu`` at the published port.
    The undo touches this one setting, so that what others changed meanwhile stays.
    """

    kind = "config.set"
    symptoms = (
        "Whatever follows from that setting, on the node and for those who call it.",
        "The saved and the running configuration both show the value.",
    )

    node: str
    path: str = Field(min_length=1)
    value: Any
    why: str = ""

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return self.why or f"On {self.node} the setting {self.path} was {self.value!r}, which is not what it should be."

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        with_value(configs[self.node], self.path, self.value)

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self.path, self.value)


def set_running(department: Department, node_name: str, path: str, value: Any) -> Undo:
    """Save and run ``value`` at ``path`` of a node's configuration; the undo saves and runs what stood there."""
    node = department.node(node_name)
    saved, running = value_at(node.saved, path), value_at(node.running, path)

    def put(wanted: Any) -> None:
        node.save(with_value(node.saved, path, wanted))
        if node.is_wanted:
            node.restart()

    put(value)

    def undo() -> None:
        put(running)
        if saved != running:
            node.save(with_value(node.saved, path, saved))

    return undo
