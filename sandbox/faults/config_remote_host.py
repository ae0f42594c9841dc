"""A line of an AE table with a wrong host: what is sent by it goes where nobody waits for it."""

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


class RemoteHost(Fault):
    """``config.remote_host``: the AE table of ``node`` has the host ``value`` (a name or an address) for ``peer``.

    A name that nobody knows fails at once, an address without a host times out, that of another host is refused there
    or answered by the wrong node. Seen from outside: ``echoscu`` against the published port of ``peer`` is answered, so
    it is not the one to blame. Mended by ``node.config.save`` of ``remotes.PEER.host`` on ``node`` and a restart.
    """

    kind = "config.remote_host"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Calls to one node fail as unknown host, time out, or are answered by somebody else.",
        "The log of the node that was meant has no trace of them.",
    )

    node: str
    peer: str
    value: str = Field(min_length=1, max_length=253)

    @property
    def path(self) -> str:
        """The setting that is wrong."""
        return f"remotes.{self.peer}.host"

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.peer)

    def explanation(self) -> str:
        return (
            f"In {self.node}'s AE table, {self.peer} had the host {self.value!r}. What {self.node} sent went there and "
            f"not to {self.peer}, which was well and heard nothing."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_remote(configs, self.node, self.peer)
        if value_at(configs[self.node], self.path) == self.value:
            raise BadInputError(
                f"{self.value!r} is what {self.node} has at {self.path}.", "Give a value that is wrong."
            )

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self.path, self.value)
