"""What the faults of a node's clock have in common: they are felt where a node writes or compares times."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.fault import Fault
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError


class OnClock(Fault):
    """A fault of the clock of ``node``: a modality dates its images by it, a router has rules with hours."""

    node: str

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if not ({"modality", "rules"} & set(type(try_node(configs, self.node)).model_fields)):
            raise BadInputError(f"{self.node} neither dates images nor has rules with hours.", "Name a modality.")
