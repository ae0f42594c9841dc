"""A line that is missing in an AE table: for this node, the other one does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_remote
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at, with_value
from sandbox.nodes.department import Department


class RemoteMissing(Fault):
    """``config.remote_missing``: the AE table of ``node`` has no line for ``peer``.

    ``node`` rejects calls from ``peer`` with 1/1/3 if it checks its callers, answers C-MOVE to it with A801 (move
    destination unknown), and can send it nothing. Seen from outside: ``echoscu -aet`` with the title of ``peer``
    against the published port of ``node`` is rejected; ``movescu -aem`` with it gets A801. Mended by
    ``node.config.save`` with the line added to ``remotes``, and a restart.
    """

    kind = "config.remote_missing"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Calls from the missing node are rejected with 1/1/3; all others are accepted.",
        "A retrieve to it ends with A801, move destination unknown, and nothing is even dialled.",
    )

    node: str
    peer: str

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.peer)

    def explanation(self) -> str:
        return (
            f"{self.node} had no line for {self.peer} in its AE table. A table of AE titles is who may call and whom "
            "one can send to; who is not in it is a stranger in both directions."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_remote(configs, self.node, self.peer)

    def break_it(self, department: Department) -> Undo:
        node = department.node(self.node)
        saved, running = node.saved, node.running
        line, position = _line(running, self.peer)

        def put(wanted: NodeConfig, later: NodeConfig) -> None:
            node.save(wanted)
            if node.is_wanted:
                node.restart()
            if later != wanted:
                node.save(later)

        put(_without(running, self.peer), _without(saved, self.peer))

        def undo() -> None:
            put(_with(node.running, line, position), _with(node.saved, line, position))

        return undo


def _rows(config: NodeConfig) -> list[dict[str, Any]]:
    return list(value_at(config, "remotes"))


def _line(config: NodeConfig, peer: str) -> tuple[dict[str, Any], int]:
    rows = _rows(config)
    position = next(position for position, row in enumerate(rows) if row["name"] == peer)
    return rows[position], position


def _without(config: NodeConfig, peer: str) -> NodeConfig:
    return with_value(config, "remotes", [row for row in _rows(config) if row["name"] != peer])


def _with(config: NodeConfig, line: dict[str, Any], position: int) -> NodeConfig:
    rows = _rows(config)
    if any(row["name"] == line["name"] for row in rows):
        return config
    return with_value(config, "remotes", [*rows[:position], line, *rows[position:]])
