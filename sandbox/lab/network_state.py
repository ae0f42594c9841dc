"""What has changed on a department's network since its site was declared, as a value that can be kept and put back.

A killed lab comes back with the firewall, names, addresses and link faults it had, so ``NetworkKeeper`` writes them
down whenever they change.
"""

from __future__ import annotations

import threading
from pathlib import Path

from pydantic import Field, ValidationError

from sandbox.model.base import Model
from sandbox.model.files import write_whole
from sandbox.network.links import LinkFault
from sandbox.network.network import Network
from sandbox.network.plan import FirewallRule

_LOOK_AGAIN_S = 3600.0


class HostNow(Model):
    """Where a host is and whether it is switched on."""

    name: str
    address: str
    is_on: bool = True


class LinkNow(Model):
    """A link between two hosts that has a fault, told from ``a``."""

    a: str
    b: str
    fault: LinkFault


class NetworkState(Model):
    """Everything about a network that may change while it runs, listeners and connections aside."""

    hosts: tuple[HostNow, ...]
    dns: dict[str, str]
    hosts_tables: dict[str, dict[str, str]] = Field(default_factory=dict)
    rules: tuple[FirewallRule, ...]
    links: tuple[LinkNow, ...] = ()

    @staticmethod
    def of(network: Network) -> NetworkState:
        """The state of ``network`` now."""
        topology = network.topology
        return NetworkState(
            hosts=tuple(HostNow(name=h.name, address=str(h.address), is_on=h.is_on) for h in topology.hosts()),
            dns=topology.dns,
            hosts_tables=topology.hosts_tables,
            rules=topology.rules,
            links=tuple(LinkNow(a=a, b=b, fault=fault) for (a, b), fault in topology.links().items()),
        )

    @staticmethod
    def read(path: Path) -> NetworkState | None:
        """The state kept in a file, or None when there is none that can be read."""
        try:
            return NetworkState.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None

    def apply(self, network: Network) -> None:
        """Make ``network`` what it was. Only what differs is touched, so an open connection notices nothing else."""
        now = NetworkState.of(network)
        before = {host.name: host for host in now.hosts}
        for host in self.hosts:
            if before[host.name].address != host.address:
                network.readdress(host.name, host.address)
            if before[host.name].is_on != host.is_on:
                network.power(host.name, host.is_on)
        for name in {*now.dns, *self.dns}:
            if now.dns.get(name) != self.dns.get(name):
                network.set_dns(name, self.dns.get(name))
        for node in {*now.hosts_tables, *self.hosts_tables}:
            was, shall = now.hosts_tables.get(node, {}), self.hosts_tables.get(node, {})
            for name in {*was, *shall}:
                if was.get(name) != shall.get(name):
                    network.set_hosts_entry(node, name, shall.get(name))
        if now.rules != self.rules:
            network.set_rules(self.rules)
        faults = {(link.a, link.b): link.fault for link in self.links}
        for pair in {*((link.a, link.b) for link in now.links), *faults}:
            network.topology.set_fault(*pair, faults.get(pair))


class NetworkKeeper:
    """Writes a network's state to a file each time it changes, from a thread of its own."""

    def __init__(self, network: Network, path: Path) -> None:
        self._network = network
        self._path = path
        self._stopping = False
        self._written: NetworkState | None = None
        self._thread = threading.Thread(target=self._run, name="network-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write once more and end. The network must still be there."""
        self._stopping = True
        self._network.topology.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not (self._stopping or self._network.topology.closed):
            self._network.topology.wait_for(self._has_something_to_do, _LOOK_AGAIN_S)
            self._write()

    def _has_something_to_do(self) -> bool:
        return self._stopping or self._network.topology.closed or NetworkState.of(self._network) != self._written

    def _write(self) -> None:
        state = NetworkState.of(self._network)
        if state != self._written:
            write_whole(self._path, state.model_dump_json(indent=1))
            self._written = state
