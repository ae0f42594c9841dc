"""What the department's network is at this moment, and where a connection attempt would end up in it.

Hosts may be switched off or readdressed, names changed, rules added: all of it here, under one lock, with no socket in
sight. ``route`` and ``route_ping`` decide; whoever waits for a silent network is woken by every change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

from sandbox.model.address import SIMULATED
from sandbox.model.association import DialOutcome
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.network.connect import IPAddress, parse_address
from sandbox.network.links import LinkFault
from sandbox.network.plan import ANY, OUTSIDE, Action, AddressPlan, FirewallRule, as_network, check_name

LOCALHOST = "localhost"


@dataclass(frozen=True)
class Lookup:
    """What a name resolved to; ``address`` None is NXDOMAIN. ``source`` is "literal", "hosts table" or "DNS"."""

    name: str
    address: IPAddress | None
    source: str


@dataclass(frozen=True)
class Arrived:
    """A listener of this department would take the connection. ``fault`` is told from the caller's end."""

    address: IPv4Address
    node: str
    fault: LinkFault | None = None


@dataclass(frozen=True)
class Outside:
    """The connection leaves the department for a real address."""

    address: IPAddress


@dataclass(frozen=True)
class Failed:
    """An answer came at once, and it was no. ``reason`` is what the caller sees, ``cause`` what really is so."""

    outcome: DialOutcome
    reason: str
    address: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Silent:
    """No answer comes, for as long as nothing changes. The caller cannot tell the ``cause``."""

    cause: str
    address: str = ""


Route = Arrived | Outside | Failed | Silent


@dataclass
class HostState:
    """One host as it is now."""

    name: str
    address: IPv4Address
    is_on: bool = True


class Topology:
    """The state of one department's network. Every method may be called from any thread."""

    def __init__(self, plan: AddressPlan, when_changed: Callable[[], None] = lambda: None) -> None:
        """``when_changed`` is called at every change, under the lock, and must not block."""
        self.plan = plan
        self._when_changed = when_changed
        self._changed = threading.Condition(threading.RLock())
        self._hosts = {host.name: HostState(host.name, host.address) for host in plan.hosts}
        self._dns = plan.records()
        self._hosts_tables: dict[str, dict[str, str]] = {}
        self._rules = plan.firewall
        self._links: dict[tuple[str, str], LinkFault] = {}
        self._turns: dict[IPv4Address, int] = {}
        self._closed = False
        self._version = 0

    # --- state -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            yield
            self._version += 1
            self._changed.notify_all()
            self._when_changed()

    def notify(self) -> None:
        """Wake those who wait, because something outside this object (a listener) changed."""
        with self._change():
            pass

    def close(self) -> None:
        """Nothing arrives any more, and nobody waits."""
        with self._change():
            self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def version(self) -> int:
        """Counts the changes."""
        return self._version

    def wait_for_change(self, since: int, timeout_s: float) -> None:
        """Return at the first change after version ``since``, or after ``timeout_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != since, timeout_s)

    def wait_for(self, over: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until ``over`` holds, looking at every change; whether it came to that within ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(over, timeout_s)

    def host(self, name: str) -> HostState:
        """The host called ``name``, or NotFoundError."""
        try:
            return self._hosts[name]
        except KeyError:
            raise NotFoundError(
                f"There is no host {name!r} in this department.", f"Hosts: {', '.join(self._hosts)}."
            ) from None

    def hosts(self) -> tuple[HostState, ...]:
        with self._changed:
            return tuple(HostState(host.name, host.address, host.is_on) for host in self._hosts.values())

    def power(self, name: str, on: bool) -> None:
        with self._change():
            self.host(name).is_on = on

    def readdress(self, name: str, address: str) -> None:
        """Give a host another address; one that is taken makes a duplicate, and DNS keeps what it has."""
        parsed = parse_address(address)
        if not isinstance(parsed, IPv4Address) or parsed not in SIMULATED:
            raise BadInputError(f"{address!r} is no simulated address.", f"Use one inside {SIMULATED}.")
        with self._change():
            self.host(name).address = parsed

    @property
    def dns(self) -> dict[str, str]:
        with self._changed:
            return dict(self._dns)

    @property
    def hosts_tables(self) -> dict[str, dict[str, str]]:
        with self._changed:
            return {node: dict(table) for node, table in self._hosts_tables.items() if table}

    def set_dns(self, name: str, address: str | None) -> None:
        with self._change():
            _set_entry(self._dns, name, address)

    def set_hosts_entry(self, node: str, name: str, address: str | None) -> None:
        self.host(node)
        with self._change():
            _set_entry(self._hosts_tables.setdefault(node, {}), name, address)

    @property
    def rules(self) -> tuple[FirewallRule, ...]:
        return self._rules

    def set_rules(self, rules: tuple[FirewallRule, ...]) -> None:
        for rule in rules:
            try:
                self.plan.check_rule(rule)
            except ValueError as wrong:
                raise BadInputError(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong
        with self._change():
            self._rules = rules

    def fault_between(self, a: str, b: str) -> LinkFault | None:
        """The fault of the link from ``a`` to ``b``, told from ``a``."""
        fault = self._links.get((min(a, b), max(a, b)))
        return fault if fault is None or a <= b else fault.reversed()

    def set_fault(self, a: str, b: str, fault: LinkFault | None) -> None:
        """Set or, with None, end the fault of a link, told from ``a``."""
        self.host(a), self.host(b)
        if a == b:
            raise ConflictError(f"{a} has no link with itself.", "Name two different hosts.")
        with self._change():
            if fault is None:
                self._links.pop((min(a, b), max(a, b)), None)
            else:
                self._links[min(a, b), max(a, b)] = fault if a <= b else fault.reversed()

    def links(self) -> dict[tuple[str, str], LinkFault]:
        with self._changed:
            return dict(self._links)

    # --- decisions ---------------------------------------------------------------------------------------------------

    def lookup(self, node: str, name: str) -> Lookup:
        """Resolve ``name`` as ``node`` would: a literal address, its hosts table, then the department's DNS."""
        literal = parse_address(name)
        if literal is not None:
            return Lookup(name, literal, "literal")
        key = name.lower().rstrip(".")
        if key == LOCALHOST:
            return Lookup(name, parse_address("127.0.0.1"), "hosts table")
        with self._changed:
            for source, table in (("hosts table", self._hosts_tables.get(node, {})), ("DNS", self._dns)):
                for candidate in (key, f"{key}.{self.plan.domain.lower()}"):
                    if candidate in table:
                        return Lookup(name, parse_address(table[candidate]), source)
        return Lookup(name, None, "DNS")

    def decide(self, source: IPv4Address, target: IPAddress, port: int | None) -> tuple[Action, FirewallRule | None]:
        """What the firewall does with a new connection (``port`` None: a ping), and the rule that says so.

        Inside a VLAN nothing is filtered. Otherwise the first matching rule decides, then the default. A ping matches
        only rules for all ports and falls back to ``icmp``. Traffic that leaves the department is allowed unless a rule
        names "outside" or the address itself.
        """
        vlan = self.vlan_of(source)
        if vlan is not None and vlan == self.vlan_of(target):
            return Action.ALLOW, None
        for rule in self._rules:
            if rule.port in (None, port) and self._names(rule.source, source) and self._names(rule.target, target):
                return rule.action, rule
        if target not in SIMULATED:
            return Action.ALLOW, None
        return (self.plan.icmp if port is None else self.plan.default_action), None

    def route(self, node: str, host: str, port: int, listens: Callable[[str, int], bool]) -> Route:
        """Where a new connection from ``node`` to ``host``:``port`` ends up now. ``listens`` tells of open ports."""
        with self._changed:
            here = self._reach(node, host, port)
            if not isinstance(here, Arrived) or listens(here.node, port):
                return here
            return _refused(str(here.address), f"{here.node} is up, and nothing listens on its port {port}.")

    def explain(self, node: str, host: str, port: int, listens: Callable[[str, int], bool]) -> Route:
        """As ``route``, without taking a turn between hosts with the same address."""
        with self._changed:
            turns = dict(self._turns)
            route = self.route(node, host, port, listens)
            self._turns = turns
            return route

    def route_ping(self, node: str, host: str) -> Route:
        """Where a ping from ``node`` to ``host`` ends up now."""
        with self._changed:
            return self._reach(node, host, None)

    def _reach(self, node: str, host: str, port: int | None) -> Route:
        source = self.host(node)
        if self._closed:
            return Failed(DialOutcome.UNREACHABLE, "The department's network is shut down.")
        if not source.is_on:
            return Failed(DialOutcome.UNREACHABLE, f"{node} itself is switched off.")
        target = self.lookup(node, host).address
        if target is None:
            return Failed(DialOutcome.UNKNOWN_HOST, f"The name {host!r} is not known.")
        action, rule = self.decide(source.address, target, port)
        if action is not Action.ALLOW:
            cause = f'The firewall\'s rule "{rule}" applies.' if rule else "The firewall's default applies."
            if action is Action.DROP:
                return Silent(cause, str(target))
            if port is None:
                return Failed(DialOutcome.UNREACHABLE, "Administratively prohibited.", str(target), cause)
            return _refused(str(target), cause)
        if not isinstance(target, IPv4Address) or target not in SIMULATED:
            return Outside(target)
        if target == source.address:
            return Arrived(target, node, None)  # never leaves the host, so nobody else's claim to the address matters
        owner = self._owner(target)
        if owner is None:
            return Silent(f"No host that is switched on has the address {target}.", str(target))
        heard = self._owner(source.address)
        if heard != node:
            return Silent(f"{heard} has the address of {node} too, and gets the answers now.", str(target))
        fault = self.fault_between(node, owner)
        if fault is not None and fault.swallows_handshake:
            return Silent(f"The link between {node} and {owner} swallows packets.", str(target))
        return Arrived(target, owner, fault)

    def _owner(self, address: IPv4Address) -> str | None:
        owners = [host.name for host in self._hosts.values() if host.address == address and host.is_on]
        if len(owners) < 2:
            return owners[0] if owners else None
        # Two hosts answer ARP for one address: now one wins, now the other.
        turn = self._turns.get(address, 0)
        self._turns[address] = turn + 1
        return owners[turn % len(owners)]

    def vlan_of(self, address: IPAddress) -> str | None:
        """The VLAN in whose subnet ``address`` lies."""
        return next((vlan.name for vlan in self.plan.vlans if address in vlan.subnet), None)

    def _names(self, term: str, address: IPAddress) -> bool:
        if term in (ANY, OUTSIDE):
            return (address in SIMULATED) == (term == ANY)
        if term in self._hosts:
            return address == self._hosts[term].address
        for vlan in self.plan.vlans:
            if vlan.name == term:
                return address in vlan.subnet
        network = as_network(term)
        return network is not None and address in network


def _set_entry(table: dict[str, str], name: str, address: str | None) -> None:
    if address is None:
        table.pop(name.lower(), None)
        return
    try:
        check_name(name)
    except ValueError as wrong:
        raise BadInputError(f"The name {name!r} cannot be entered.", f"{wrong}.") from wrong
    parsed = parse_address(address)
    if parsed is None:
        raise BadInputError(f"{address!r} is no IP address.", "A name is entered with an address, not another name.")
    table[name.lower()] = str(parsed)


def _refused(address: str, cause: str) -> Failed:
    return Failed(DialOutcome.REFUSED, "Connection refused.", address, cause)
