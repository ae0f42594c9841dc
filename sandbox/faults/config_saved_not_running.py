"""A setting that was corrected and never came into force: saved, and the old one still runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.faults.on_process import run_again
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at, with_value
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department


class ConfigSavedNotRunning(Fault):
    """``config.saved_not_running``: on ``node`` the setting ``path`` is saved as it should be, while ``value`` is still
    what runs: somebody corrected it and did not restart.

    Seen from outside: the node behaves as with ``value`` (``echoscu`` or ``storescu`` against its published port, or
    what it sends), though its form shows the right setting. Mended by ``node.restart``.
    """

    kind = "config.saved_not_running"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The setting looks right, and the node behaves as if it were not.",
        "The node says that saved changes wait for a restart.",
    )

    node: str
    path: str = Field(min_length=1)
    value: Any

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"On {self.node} the setting {self.path} had been corrected and saved, but {self.node} had not been "
            f"restarted since: {self.value!r} was still what ran. What is saved is a plan; what runs is the truth."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if with_value(config, self.path, self.value) == config:
            raise BadInputError(
                f"{self.value!r} is what stands at {self.path} of {self.node}.", "Give a value that is wrong."
            )

    def break_it(self, department: Department) -> Undo:
        node = department.node(self.node)
        saved, right = node.saved, value_at(node.running, self.path)
        run_again(node, saved, with_value(node.running, self.path, self.value))

        def undo() -> None:
            if node.is_wanted and value_at(node.running, self.path) != right:
                run_again(node, node.saved, with_value(node.running, self.path, right))

        return undo
