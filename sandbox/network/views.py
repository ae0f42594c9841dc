"""What the network answers and shows: results of a lookup, a ping and a port test, and the whole state as values."""

from __future__ import annotations

from enum import StrEnum

from sandbox.model.base import Model
from sandbox.network.links import LinkFault
from sandbox.network.plan import Action, FirewallRule, Vlan


class Resolution(Model):
    """What a name resolved to for one node. ``address`` is empty for NXDOMAIN; ``source`` is "literal", "hosts table"
    or "DNS"."""

    name: str
    address: str = ""
    source: str

    @property
    def found(self) -> bool:
        return bool(self.address)


class PingOutcome(StrEnum):
    REPLY = "reply"
    TIMED_OUT = "timed-out"
    UNKNOWN_HOST = "unknown-host"
    UNREACHABLE = "unreachable"


class PingResult(Model):
    """One echo request and its answer, if any. ``ms`` is the round trip."""

    host: str
    address: str = ""
    outcome: PingOutcome
    ms: float | None = None
    reason: str = ""


class PortOpen(Model):
    """A port that took a connection, which was closed again at once. ``ms`` is how long that took."""

    host: str
    port: int
    address: str
    ms: float


class HostView(Model):
    name: str
    address: str
    vlan: str
    is_on: bool


class ListenerView(Model):
    """An open port: where nodes reach it, and where outside tools do."""

    node: str
    address: str
    port: int
    published_host: str
    published_port: int


class LinkView(Model):
    """A link with a fault, told from ``a``, and how many open connections it carries."""

    a: str
    b: str
    fault: LinkFault
    connections: int


class NetworkView(Model):
    """A network as it is now. ``vlan`` of a host is that of its present address."""

    domain: str
    vlans: tuple[Vlan, ...]
    hosts: tuple[HostView, ...]
    listeners: tuple[ListenerView, ...]
    dns: dict[str, str]
    hosts_tables: dict[str, dict[str, str]]
    rules: tuple[FirewallRule, ...]
    default_action: Action
    links: tuple[LinkView, ...]
