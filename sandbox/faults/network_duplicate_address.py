"""Two hosts on one address: whose network card answers first gets the packets, now one, now the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_nodes
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.nodes.address import readdress
from sandbox.nodes.department import Department


class DuplicateAddress(Fault):
    """``network.duplicate_address``: somebody gave ``intruder`` the address of ``node``.

    Every second connection to that address reaches the wrong one of the two, and every second connection of each of
    them never gets its answers. So all of it works and fails by turns, whatever is changed. Seen from outside:
    ``echoscu`` against the published port of each answers at any time, so neither program is ill. Mended by:
    ``node.readdress`` of the intruder, to its own or another free address.
    """

    kind = "network.duplicate_address"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections from and to the node work and fail by turns; the same test gives another result each time.",
        "What fails times out, or is answered by somebody else: refused, or called AE title not recognised.",
    )

    node: str
    intruder: str

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.intruder)

    def explanation(self) -> str:
        return (
            f"{self.intruder} had been given the address of {self.node}. Packets for that address went now to one and "
            "now to the other, so everything worked and failed by turns; longer timeouts only made it fail more slowly."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_nodes(configs, self.nodes())
        if self.node == self.intruder:
            raise BadInputError("Node and intruder are the same host.", "Name two different nodes.")

    def break_it(self, department: Department) -> Undo:
        intruder, network = department.node(self.intruder), department.network
        before = network.address_of(self.intruder)
        taken = network.address_of(self.node)
        readdress(intruder, taken)

        def undo() -> None:
            if network.address_of(self.intruder) == taken:
                readdress(intruder, before)

        return undo
