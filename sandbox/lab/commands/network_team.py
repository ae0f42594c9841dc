"""What the network colleagues do when they are asked: look after a link, a host's address, a host's own table of names.

A call for what is not wrong is answered, and changes nothing: who asks must have found out what to ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.lab.network_changes import network_noted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult
from sandbox.network.links import LinkFault
from sandbox.network.network import Link
from sandbox.nodes.address import readdress

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

NODE = Field(**shown("Node", "The node whose host this is done on."))


class LinkComplaint(StrEnum):
    """What one may ask the network team to see to on a link."""

    LATENCY = "latency"
    BANDWIDTH = "bandwidth"
    LOSS = "loss"
    LARGE_PACKETS = "large-packets"
    RESETS = "resets"
    IDLE_TIMEOUT = "idle-timeout"


COMPLAINTS: Mapping[LinkComplaint, tuple[str, tuple[str, ...]]] = {
    LinkComplaint.LATENCY: ("each packet takes too long", ("latency_ms",)),
    LinkComplaint.BANDWIDTH: ("too little passes in a second", ("bytes_per_s",)),
    LinkComplaint.LOSS: ("packets get lost", ("blackhole", "blackhole_after")),
    LinkComplaint.LARGE_PACKETS: ("large packets get lost", ("largest_packet",)),
    LinkComplaint.RESETS: ("connections are reset on the way", ("reset_after", "reset_after_instances")),
    LinkComplaint.IDLE_TIMEOUT: ("idle connections are forgotten", ("idle_drop_s",)),
}
"""How each complaint is put, and which fields of a link's fault mending it clears."""


class NetworkServiceCall(Command):
    """Ask the network team to look at the way between two hosts, and to mend what you complain of if it is so.

    They find what they are asked to look for, and nothing else.
    """

    name = "network.service_call"
    title: ClassVar[str] = "Call the network team"

    a: str = Field(**shown("From", "A host of the department."))
    b: str = Field("", **shown("To", "Another host of the department. Empty: the whole connection of the first."))
    what: LinkComplaint = Field(**shown("Complaint", "What is wrong between the two, as you have found out."))

    def run(self, lab: Lab, /) -> CommandResult:
        network = lab.department.network
        network.topology.host(self.a)
        if self.a == self.b:
            raise BadInputError(f"{self.a} has no link with itself.", "Name two different hosts.")
        others = [self.b] if self.b else [host.name for host in network.topology.hosts() if host.name != self.a]
        # Every link is looked at, even when the first one was it.
        mended = [self._mend(network.link(self.a, other)) for other in others]
        complaint, _ = COMPLAINTS[self.what]
        where = f"between {self.a} and {self.b}" if self.b else f"at the connection of {self.a}"
        if not any(mended):
            return CommandResult(ok=True, sentence=f"The network team looked {where}; not so: {complaint}.")
        return CommandResult(ok=True, sentence=f"The network team found that {where} {complaint}, and has mended it.")

    def _mend(self, link: Link) -> bool:
        now = link.fault or LinkFault()
        sound: dict[str, Any] = {field: LinkFault.model_fields[field].default for field in COMPLAINTS[self.what][1]}
        mended = now.model_copy(update=sound)
        if mended == now:
            return False
        if mended == LinkFault():
            link.clear()
        else:
            link.set(mended)
        return True


class NodeReaddress(Command):
    """Give a node's host another address, inside its VLAN. Whatever it has open is cut off, and it restarts there.

    Nobody else is told: AE tables and DNS have what they had.
    """

    name = "node.readdress"
    title: ClassVar[str] = "Change address"

    node: str = NODE
    address: str = Field(max_length=15, **shown("Address", "A free one of the VLAN it is plugged into."))

    def run(self, lab: Lab, /) -> CommandResult:
        node, network = lab.department.node(self.node), lab.department.network
        try:
            wanted = IPv4Address(self.address)
        except ValueError as wrong:
            raise BadInputError(f"{self.address!r} is no IPv4 address.", "Write four numbers with dots.") from wrong
        vlan = network.vlan_of(self.node)
        if vlan is not None and wanted not in list(vlan.subnet.hosts()):
            raise BadInputError(
                f"{wanted} is no address for hosts of the VLAN {vlan.name}.", f"Its subnet is {vlan.subnet}."
            )
        owner = next((host.name for host in network.topology.hosts() if host.address == wanted), "")
        if owner == self.node:
            return CommandResult(ok=True, sentence=f"{self.node} has {wanted} already.")
        if owner:
            raise BadInputError(f"{owner} has {wanted}.", f"Free would be {network.free_address(self.node)}.")
        before = network.address_of(self.node)
        with network_noted(lab, self.node):
            readdress(node, str(wanted))
        return CommandResult(ok=True, sentence=f"{self.node} was {before} and is {wanted} now.")


class NodeHostsSet(Command):
    """Enter, change or remove a line of a host's own table of names, which is asked before DNS."""

    name = "node.hosts.set"
    title: ClassVar[str] = "Change hosts table"

    node: str = NODE
    host: str = Field(alias="name", min_length=1, max_length=253, **shown("Name", "As the AE table has it."))
    address: str = Field("", max_length=45, **shown("Address", "Empty removes the line."))

    def run(self, lab: Lab, /) -> CommandResult:
        network = lab.department.network
        lab.department.node(self.node)
        table = network.topology.hosts_tables.get(self.node, {})
        if not self.address and self.host.lower() not in table:
            raise BadInputError(
                f"The hosts table of {self.node} does not have {self.host!r}.",
                f"It has: {', '.join(table) or 'nothing'}.",
            )
        with network_noted(lab, self.node):
            network.set_hosts_entry(self.node, self.host, self.address or None)
        done = f"{self.host} is {self.address}" if self.address else f"{self.host} is looked up in DNS again"
        return CommandResult(ok=True, sentence=f"On {self.node}, {done}.")
