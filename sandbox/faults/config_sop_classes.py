"""A node that takes fewer SOP classes than are sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_process import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import with_value
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department
from sandbox.nodes.objects_config import ObjectsConfig


class SopClassesAccepted(Fault):
    """``config.sop_classes``: ``node`` takes only the storage SOP classes ``accepted`` (UIDs, keywords or names,
    with * and ?). Proposed contexts of others get result 3 (abstract syntax not supported, PS3.8 9.3.3.2).

    Seen from outside: ``storescu`` of such an object against the published port prints "No presentation context for",
    and of other objects succeeds. Mended by ``node.config.save`` of ``storage_classes`` on ``node``, a restart,
    and sending again what was set aside.
    """

    kind = "config.sop_classes"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Some kinds of objects are not taken, with presentation context result 3; the others arrive.",
        "Associations that propose nothing else are aborted by the sender at once.",
    )

    node: str
    accepted: tuple[str, ...] = Field(min_length=1)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} accepted only these storage SOP classes: {', '.join(self.accepted)}. A presentation context "
            "for any other was answered with result 3, abstract syntax not supported, before a single byte was sent."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if not isinstance(config, ObjectsConfig):
            able = [name for name, other in configs.items() if isinstance(other, ObjectsConfig)]
            raise BadInputError(f"{self.node} takes no objects.", f"These do: {', '.join(able) or 'none'}.")
        with_value(config, "storage_classes", list(self.accepted))

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, "storage_classes", list(self.accepted))
