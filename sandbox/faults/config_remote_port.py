"""A line of an AE table with a wrong port: what is sent by it goes where nobody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_process import try_remote
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department


class RemotePort(Fault):
    """``config.remote_port``: the AE table of ``node`` has the port ``value`` for ``peer``, where nobody listens.

    Connections are refused at once, and the log of ``peer`` says nothing: that silence is the clue. If ``peer`` is who
    asked for something (storage commitment, C-MOVE), only the way back is broken. Seen from outside: ``echoscu``
    against the published port of ``peer`` is answered, so it is not the one to blame. Mended by ``node.config.save`` of
    ``remotes.PEER.port`` on ``node`` and a restart.
    """

    kind = "config.remote_port"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Every connection of the caller is refused at once; others reach the same node.",
        "The log of the called node has no trace of the calls.",
    )

    node: str
    peer: str
    value: int = Field(ge=1, le=65535)

    @property
    def path(self) -> str:
        """The setting that is wrong."""
        return f"remotes.{self.peer}.port"

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.peer)

    def explanation(self) -> str:
        return (
            f"In {self.node}'s AE table, {self.peer} had the port {self.value}. Nobody listens there, so every "
            f"connection was refused by the host of {self.peer}, and its program never heard of it: "
            "nothing at all in its log."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_remote(configs, self.node, self.peer)
        if value_at(configs[self.node], self.path) == self.value:
            raise BadInputError(
                f"{self.value!r} is what {self.node} has at {self.path}.", "Give a value that is wrong."
            )

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self.path, self.value)
