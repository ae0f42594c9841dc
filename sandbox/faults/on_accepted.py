"""What faults of what a node takes have in common: it takes objects at all, and now only some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import with_value
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department
from sandbox.nodes.objects_config import ObjectsConfig


class OnAccepted(Fault):
    """``node`` takes no more than ``accepted`` of what its ``setting`` lists (UIDs, keywords or names)."""

    setting: ClassVar[str]

    node: str
    accepted: tuple[str, ...] = Field(min_length=1)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if not isinstance(config, ObjectsConfig):
            able = [name for name, other in configs.items() if isinstance(other, ObjectsConfig)]
            raise BadInputError(f"{self.node} takes no objects.", f"These do: {', '.join(able) or 'none'}.")
        with_value(config, self.setting, list(self.accepted))

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self.setting, list(self.accepted))
