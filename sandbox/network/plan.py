"""The addressing plan of a department: VLANs, hosts, names and firewall rules, as a site declares them.

Frozen values, checked when they are made: every address lies inside 198.18.0.0/15 and inside its VLAN, nothing occurs
twice, and a rule refers to things that exist. What changes while a lab runs is kept in ``topology``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError, ip_address

from pydantic import Field, field_validator, model_validator

from sandbox.model.address import SIMULATED
from sandbox.model.base import Model

ANY = "any"
OUTSIDE = "outside"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class Action(StrEnum):
    """What a firewall does with a new connection. Drop says nothing (the caller waits), reject answers at once."""

    ALLOW = "allow"
    DROP = "drop"
    REJECT = "reject"


class Vlan(Model):
    """A part of the network with its own subnet. Inside it nothing is filtered; between VLANs the firewall decides."""

    name: str
    number: int = Field(ge=1, le=4094)
    subnet: IPv4Network
    title: str = ""

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        return _label(name, "VLAN")

    @field_validator("subnet")
    @classmethod
    def _simulated(cls, subnet: IPv4Network) -> IPv4Network:
        if not subnet.subnet_of(SIMULATED):
            raise ValueError(f"the subnet {subnet} is not inside {SIMULATED}; simulated addresses must be")
        return subnet


class Host(Model):
    """A machine: its name (which is also the node's name), its address and the VLAN it is plugged into."""

    name: str
    address: IPv4Address
    vlan: str

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        return _label(name, "host")


class FirewallRule(Model):
    """One line of the firewall. ``source`` and ``target`` are a VLAN's name, a host's name, an address, a subnet,
    "any" (every simulated address) or "outside" (every other). ``port`` None means all traffic, ping included."""

    source: str = ANY
    target: str = ANY
    port: int | None = Field(default=None, ge=1, le=65535)
    action: Action
    note: str = ""

    def __str__(self) -> str:
        port = "all ports" if self.port is None else f"port {self.port}"
        return f"{self.action} {self.source} to {self.target}, {port}"


class AddressPlan(Model):
    """The whole plan. ``dns`` adds to, or replaces, the names that follow from the hosts. ``default_action`` is for
    connections between VLANs that match no rule; ``icmp`` is the same for ping, which hospitals often allow."""

    domain: str
    vlans: tuple[Vlan, ...]
    hosts: tuple[Host, ...]
    dns: dict[str, str] = Field(default_factory=dict)
    firewall: tuple[FirewallRule, ...] = ()
    default_action: Action = Action.ALLOW
    icmp: Action = Action.ALLOW

    @field_validator("domain")
    @classmethod
    def _domain(cls, domain: str) -> str:
        return check_name(domain)

    @field_validator("dns")
    @classmethod
    def _dns(cls, dns: dict[str, str]) -> dict[str, str]:
        for name, address in dns.items():
            check_name(name)
            _address(address, f"the DNS entry {name!r}")
        return {name.lower(): address for name, address in dns.items()}

    @model_validator(mode="after")
    def _consistent(self) -> AddressPlan:
        _no_duplicates("VLAN number", (str(vlan.number) for vlan in self.vlans))
        _no_duplicates("name", (name.lower() for name in self._names()))
        _no_duplicates("address", (str(host.address) for host in self.hosts))
        for index, vlan in enumerate(self.vlans):
            for other in self.vlans[:index]:
                if vlan.subnet.overlaps(other.subnet):
                    raise ValueError(
                        f"the subnets of VLAN {other.name!r} ({other.subnet}) and {vlan.name!r} ({vlan.subnet}) overlap"
                    )
        subnets = {vlan.name: vlan.subnet for vlan in self.vlans}
        for host in self.hosts:
            if host.vlan not in subnets:
                raise ValueError(f"host {host.name!r} is in VLAN {host.vlan!r}, which does not exist")
            if host.address not in subnets[host.vlan]:
                raise ValueError(
                    f"host {host.name!r} has {host.address}, which is not in {subnets[host.vlan]}, "
                    f"the subnet of its VLAN {host.vlan!r}"
                )
        for rule in self.firewall:
            self.check_rule(rule)
        return self

    def check_rule(self, rule: FirewallRule) -> None:
        """Raise ValueError when ``rule`` names something that this plan does not have."""
        for end in (rule.source, rule.target):
            if end in (ANY, OUTSIDE) or end in self._names() or as_network(end) is not None:
                continue
            raise ValueError(
                f'the firewall rule "{rule}" names {end!r}, which is no VLAN, host, address or subnet of this plan'
            )

    def _names(self) -> list[str]:
        return [vlan.name for vlan in self.vlans] + [host.name for host in self.hosts]

    def records(self) -> dict[str, str]:
        """What the department's DNS answers: each host's short and full name in lower case, and ``dns`` on top."""
        names: dict[str, str] = {}
        for host in self.hosts:
            names[host.name.lower()] = str(host.address)
            names[f"{host.name}.{self.domain}".lower()] = str(host.address)
        return {**names, **self.dns}


def check_name(name: str) -> str:
    """Return ``name`` if it is a host or domain name (labels of letters, digits and hyphens), or raise ValueError."""
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{name!r} is no host name; use letters, digits and hyphens, with dots between labels")
    return name


def as_network(text: str) -> IPv4Network | None:
    """An address or subnet as a network, or None when ``text`` is neither."""
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _label(name: str, what: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a {what}; use letters, digits and hyphens")
    if name.lower() in (ANY, OUTSIDE):
        raise ValueError(f"a {what} cannot be called {name!r}, which has a meaning in firewall rules")
    return name


def _address(text: str, where: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise ValueError(f"{where} gives {text!r}, which is no IP address") from None


def _no_duplicates(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"the {what} {value} occurs twice in the address plan")
        seen.add(value)
