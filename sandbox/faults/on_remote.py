"""What faults of one setting in a line of an AE table have in common: the line is there, and says something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_remote
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department


class OnRemote(Fault):
    """In the AE table of ``node``, the ``setting`` of the line ``peer`` is ``value``, which is wrong."""

    setting: ClassVar[str]

    node: str
    peer: str
    value: str | int

    @property
    def path(self) -> str:
        """The setting that is wrong."""
        return f"remotes.{self.peer}.{self.setting}"

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.peer)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_remote(configs, self.node, self.peer)
        if value_at(configs[self.node], self.path) == self.value:
            raise BadInputError(
                f"{self.value!r} is what {self.node} has at {self.path}.", "Give a value that is wrong."
            )

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self.path, self.value)
