"""A host whose address changed, while everybody else still believes in the old one: a DHCP lease that was not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_nodes
from sandbox.model.address import SimulatedAddress
from sandbox.model.config import NodeConfig
from sandbox.nodes.address import readdress
from sandbox.nodes.department import Department


class Readdressed(Fault):
    """``network.readdressed``: ``node`` got the address ``address``; AE tables and DNS have the old one.

    Without ``address``, a free one of its VLAN, another for each seed. It can call others, who know it by its AE title;
    whoever calls it calls an address where nobody is, and times out. Seen from outside: ``echoscu`` against its
    published port answers; a C-MOVE to it (``movescu -aem``) fails in its sub-operations. Mended by: the new address in
    the AE tables (or in DNS by ``network.dns.set``), or by ``node.readdress`` back to the old one.
    """

    kind = "network.readdressed"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The node reaches others as ever; nobody reaches it, and connections to it time out.",
        "A workstation can search, but retrieved images never arrive.",
    )

    node: str
    address: SimulatedAddress = ""

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        where = self.address or "another one of its VLAN"
        return (
            f"{self.node} got a new address ({where}), and nobody told the others. Calls from {self.node} went out as "
            "ever, for it knows where the others are; calls to it went to the old address, where nobody answers."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_nodes(configs, self.nodes())

    def break_it(self, department: Department) -> Undo:
        node, network = department.node(self.node), department.network
        before = network.address_of(self.node)
        readdress(node, self.address or network.free_address(self.node, 120 + department.seed % 60))
        return lambda: readdress(node, before)
