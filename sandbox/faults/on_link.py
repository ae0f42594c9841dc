"""What all faults of a link have in common: which link it is, what is set on it, and that only this is taken back.

The link lies between two hosts of the department and carries what either calls the other. Outside tools reach a node at
its published port, past every link: that they get through while a neighbour does not is evidence that it is the way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_nodes
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.network.links import LinkFault
from sandbox.nodes.department import Department


class OnLink(Fault):
    """A fault of the link between ``a`` and ``b``; without ``b``, of every link of ``a`` (its own cable or port).

    Connections that were open before any fault of that link are cut, so that what is wrong is felt by all from then on.
    """

    a: str
    b: str = ""

    @abstractmethod
    def effect(self) -> dict[str, Any]:
        """The fields of LinkFault that are set, told from ``a``."""

    def nodes(self) -> tuple[str, ...]:
        return tuple(name for name in (self.a, self.b) if name)

    @property
    def link(self) -> str:
        """The link in words."""
        return f"the link between {self.a} and {self.b}" if self.b else f"the network connection of {self.a}"

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if self.a == self.b:
            raise BadInputError(f"{self.a} has no link with itself.", "Name two different nodes.")
        try_nodes(configs, self.nodes())

    def break_it(self, department: Department) -> Undo:
        others = (self.b,) if self.b else tuple(name for name in department.nodes if name != self.a)
        effect = self.effect()
        before = {other: _set(department, self.a, other, effect) for other in others}

        def undo() -> None:
            for other, was in before.items():
                _set(department, self.a, other, was)

        return undo


def _set(department: Department, a: str, b: str, effect: Mapping[str, Any]) -> dict[str, Any]:
    """Set some fields of a link's fault, and return what they were."""
    link = department.network.link(a, b)
    now = (link.fault or LinkFault()).model_dump()
    changed = LinkFault.model_validate({**now, **effect})
    if changed == LinkFault():
        link.clear()
    else:
        link.set(changed)
        link.cut()
    return {field: now[field] for field in effect}
