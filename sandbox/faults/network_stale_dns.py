"""A name that leads to where a host was once: the address works, the name does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_nodes
from sandbox.model.address import SimulatedAddress
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department


class StaleDns(Fault):
    """``network.stale_dns``: the department's DNS has ``address`` for every name of ``node``, which is elsewhere.

    Without ``address``, a free one of its VLAN, another for each seed. With ``seen_by``, only the hosts table of that
    node is stale, which comes before DNS. Who calls by name times out (or reaches somebody else), who calls by address
    gets through. Seen from outside: ``echoscu`` against its published port answers; a C-MOVE (``movescu -aem``) against
    a node that knows it by name fails. Mended by: ``network.dns.set`` for both names, or ``node.hosts.set``.
    """

    kind = "network.stale_dns"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Who has the node in its AE table by name times out; who has it by address gets through.",
        "A look-up of the name gives an address that is not the node's own.",
    )

    node: str
    address: SimulatedAddress = ""
    seen_by: str = ""

    def nodes(self) -> tuple[str, ...]:
        return tuple(name for name in (self.node, self.seen_by) if name)

    def explanation(self) -> str:
        where = f"The hosts table of {self.seen_by}" if self.seen_by else "The department's DNS"
        return (
            f"{where} still had an old address for {self.node}. Whoever called it by name called where it is no "
            "longer; by address it answered all the time, which is why some could reach it and others could not."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_nodes(configs, self.nodes())

    def break_it(self, department: Department) -> Undo:
        network = department.network
        address = self.address or network.free_address(self.node, 60 + department.seed % 60)
        names = (self.node.lower(), f"{self.node}.{department.domain}".lower())
        if self.seen_by:
            table = network.topology.hosts_tables.get(self.seen_by, {})
            before = {name: table.get(name) for name in names}
        else:
            before = {name: network.topology.dns.get(name) for name in names}

        def put(name: str, value: str | None) -> None:
            if self.seen_by:
                network.set_hosts_entry(self.seen_by, name, value)
            else:
                network.set_dns(name, value)

        for name in names:
            put(name, address)

        def undo() -> None:
            for name, was in before.items():
                put(name, was)

        return undo
