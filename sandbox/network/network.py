"""The simulated network as nodes use it: listen, dial, ask who calls, resolve, ping, test a port.

A dial is decided by ``topology`` and then, when something listens, made for real on loopback; so every failure is a
real one, told apart as an administrator sees it (refused, timed out, unknown host, unreachable, reset). What a caller
is told never names the cause: that is ``explain``'s, for instructors and debriefs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping, Sequence

from sandbox.model.association import Caller, DialFailure
from sandbox.model.errors import BadInputError, ConflictError, UnavailableError
from sandbox.network.callers import CallerTable
from sandbox.network.connect import Connector, IPNetwork
from sandbox.network.dialling import PING, Call, Dialling, NodeDialler
from sandbox.network.links import LinkFault
from sandbox.network.plan import AddressPlan, FirewallRule, Vlan
from sandbox.network.ports import PublishedPorts
from sandbox.network.relay import Relays
from sandbox.network.topology import Arrived, Failed, Lookup, Outside, Silent, Topology
from sandbox.network.views import (
    HostView,
    LinkView,
    ListenerView,
    NetworkView,
    PingOutcome,
    PingResult,
    PortOpen,
    Resolution,
)
from sandbox.network.wire import Wire

# How long close() waits for dials that are being ended.
_CLOSING_S = 5.0


class Listener:
    """An open port of a node. ``address`` is what nodes dial, ``published`` the real host and port for outside tools.

    ``moved_from`` is the real port it should have had, when another program has taken that.
    """

    def __init__(
        self, network: Network, node: str, port: int, sock: socket.socket, real: int, moved_from: int | None
    ) -> None:
        self._network = network
        self.node = node
        self.port = port
        self.socket = sock
        self.published = (network.publish_host, real)
        self.moved_from = moved_from

    @property
    def address(self) -> str:
        return f"{self._network.address_of(self.node)}:{self.port}"

    def close(self) -> None:
        """Close the port: from now on it refuses. Stop accepting first. Calling it again does nothing."""
        self._network._close_listener(self)


class Link:
    """The link between two hosts, told from ``a``: what ``Network.link`` returns to set and clear faults with.

    A relay carries the connections made while there is a fault, and stays in them when it is changed or cleared.
    Connections that were open before run on untouched; ``cut`` ends them, or set a plain ``LinkFault()`` early to have
    hold of them.
    """

    def __init__(self, network: Network, a: str, b: str) -> None:
        self._network = network
        self.a, self.b = a, b

    def set(self, fault: LinkFault) -> None:
        """From now on, this is wrong with the link, and nothing else."""
        self._network.topology.set_fault(self.a, self.b, fault)

    def cut(self) -> int:
        """End the open connections over this link that no relay carries, as a device does that is put into it: both
        ends see them close. How many there were."""
        return self._network._callers.cut(self.a, self.b)

    def clear(self) -> None:
        """Nothing is wrong any more; what was on its way arrives."""
        self._network.topology.set_fault(self.a, self.b, None)

    @property
    def fault(self) -> LinkFault | None:
        return self._network.topology.fault_between(self.a, self.b)

    @property
    def connections(self) -> int:
        """How many open connections a relay carries over this link, called from either end."""
        return self._network._relays.open_between(self.a, self.b)


class Network:
    """One department's network. Networks know nothing of each other, even in one process."""

    def __init__(
        self,
        plan: AddressPlan,
        *,
        outside: Sequence[IPNetwork] = (),
        publish_host: str = "127.0.0.1",
        preferred_ports: Mapping[str, int] | None = None,
    ) -> None:
        """``outside`` are the real networks that may be dialled besides loopback. ``preferred_ports`` are the real
        ports to publish nodes on if they are free, as an earlier network's ``published_ports`` gave them."""
        self._ports = PublishedPorts(publish_host, preferred_ports or {})
        self.publish_host = self._ports.host
        self._relays = Relays(lambda a, b: self.topology.fault_between(a, b))
        self.topology = Topology(plan, when_changed=self._relays.wake)
        # A node's own published port is reached even when that is on an address of this machine other than loopback.
        self._connector = Connector([*outside, self._ports.own_network])
        self._callers = CallerTable()
        wire = Wire(self._connector, self._callers, self._relays, self._ports.reach)
        self._dialling = Dialling(self.topology, self._connector, wire, self._ports)
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, int], Listener] = {}

    # --- listening ---------------------------------------------------------------------------------------------------

    def listen(self, node: str, port: int) -> Listener:
        """Open ``port`` of ``node``: a real listening socket behind a simulated address."""
        self.topology.host(node)
        if not 1 <= port <= 65535:
            raise BadInputError(f"{port} is no TCP port.", "Use 1 to 65535; DICOM's are 104 and 11112.")
        with self._lock:
            if self.topology.closed:
                raise UnavailableError("The department's network is shut down.")
            if (node, port) in self._listeners:
                raise ConflictError(f"Port {port} of {node} is already in use.", "Close it first, or use another port.")
            published = self._ports.listen(node, port)
            listener = Listener(self, node, port, published.socket, published.port, published.moved_from)
            self._listeners[node, port] = listener
        self.topology.notify()
        return listener

    def _close_listener(self, listener: Listener) -> None:
        with self._lock:
            if self._listeners.get((listener.node, listener.port)) is listener:
                del self._listeners[listener.node, listener.port]
                self._ports.release(listener.node, listener.port, listener.socket)

    def published_ports(self) -> dict[str, int]:
        """Every real port in use so far, in the form that ``preferred_ports`` takes ("ARCHIVE:11112" → 40123)."""
        return self._ports.known()

    def address_of(self, node: str) -> str:
        """The simulated address of a node's host."""
        return self._dialling.address_of(node)

    # --- calling -----------------------------------------------------------------------------------------------------

    def dialler(self, node: str) -> NodeDialler:
        """What ``node`` opens its connections with."""
        self.topology.host(node)
        return NodeDialler(self._dialling, node)

    def caller_of(self, peer: tuple[str, int]) -> Caller:
        """Who is at ``peer``, the real address an accepted socket names. An outside tool has no node."""
        return self._callers.find(peer)

    # --- looking -----------------------------------------------------------------------------------------------------

    def resolve(self, node: str, name: str) -> Resolution:
        """What ``node`` gets when it resolves ``name``: its hosts table first, then the department's DNS."""
        self.topology.host(node)
        found: Lookup = self.topology.lookup(node, name)
        return Resolution(name=name, address="" if found.address is None else str(found.address), source=found.source)

    def ping(self, node: str, host: str, timeout: float = 1.0) -> PingResult:
        """An ICMP echo from ``node``. Firewalls often let it pass where TCP is dropped, and the other way round: only
        rules for all ports apply to it, and then the plan's ``icmp``. Ports play no part: a host that is on answers."""
        started = time.monotonic()
        call = Call(self.dialler(node), host, PING, started + timeout)
        route: Arrived | Outside | Failed = self._dialling.settle(call)
        if isinstance(route, Arrived) and route.fault is not None:
            route = self._dialling.travel(call, 2 * route.fault.latency_ms / 1000) or route
        if isinstance(route, Failed):
            outcome = PingOutcome(route.outcome.value)
            return PingResult(host=host, address=route.address, outcome=outcome, reason=route.reason)
        address = str(route.address)
        if isinstance(route, Outside) and not route.address.is_loopback:
            return PingResult(
                host=host,
                address=address,
                outcome=PingOutcome.UNREACHABLE,
                reason="Nodes cannot ping outside the department; test the port instead.",
            )
        ms = max(0.1, round((time.monotonic() - started) * 1000, 2))
        return PingResult(host=host, address=address, outcome=PingOutcome.REPLY, ms=ms)

    def probe_port(self, node: str, host: str, port: int, timeout: float = 3.0) -> PortOpen | DialFailure:
        """Test a TCP port as an administrator's tool does: connect, close at once, send nothing. A DICOM node on the
        other end sees just that, a connection that never became an association."""
        started = time.monotonic()
        made = self.dialler(node).dial(host, port, timeout=timeout)
        if isinstance(made, DialFailure):
            return made
        made.socket.close()
        ms = round((time.monotonic() - started) * 1000, 2)
        return PortOpen(host=host, port=port, address=made.peer.rpartition(":")[0], ms=ms)

    def explain(self, node: str, host: str, port: int) -> str:
        """Why a dial would end as it would, in one sentence that names the cause: for instructors and debriefs."""
        route = self.topology.explain(node, host, port, self._ports.is_open)
        match route:
            case Arrived():
                return f"{route.node} takes connections on port {port}."
            case Outside():
                return f"{route.address} is a real address outside the department."
            case Failed():
                return route.cause or route.reason
            case Silent():
                return route.cause

    # --- changing ----------------------------------------------------------------------------------------------------

    def power(self, node: str, on: bool) -> None:
        """Switch a node's host off or on. Dialling a host that is off times out. Its listeners and open connections
        are the node's own to end, before."""
        self.topology.power(node, on)

    def readdress(self, node: str, address: str) -> None:
        """Give a node another address. DNS and other nodes' tables keep the old one. Two nodes on one address answer
        in turn, and hear the answers to their own calls in turn, as a duplicate address behaves."""
        self.topology.readdress(node, address)

    def vlan_of(self, node: str) -> Vlan | None:
        """The VLAN in whose subnet a node's host is now; None when it is in none of them."""
        name = self.topology.vlan_of(self.topology.host(node).address)
        return next((vlan for vlan in self.topology.plan.vlans if vlan.name == name), None)

    def free_address(self, node: str, start: int = 200) -> str:
        """An address in a node's VLAN that no host has, as a DHCP server would lease it, from the ``start``-th on."""
        vlan = self.vlan_of(node)
        if vlan is None:
            raise ConflictError(f"{node} is in no VLAN of the plan.", "Give it an address inside one first.")
        taken = {host.address for host in self.topology.hosts()}
        size = vlan.subnet.num_addresses
        for number in range(size - 2):
            # Neither the network's own address nor the broadcast address, and not where a gateway usually is.
            address = vlan.subnet[2 + (start + number) % (size - 3)]
            if address not in taken:
                return str(address)
        raise ConflictError(f"Every address of the VLAN {vlan.name} is taken.", "Free one first.")

    def set_dns(self, name: str, address: str | None) -> None:
        """Change or, with None, remove a name in the department's DNS."""
        self.topology.set_dns(name, address)

    def set_hosts_entry(self, node: str, name: str, address: str | None) -> None:
        """Change or, with None, remove a line of one node's own hosts table, which comes before DNS."""
        self.topology.set_hosts_entry(node, name, address)

    def let_pass(self, seconds: float) -> None:
        """So much time has passed at once, as a scenario tells its past: what was silent was silent for so much longer.
        Nothing waits; a negative time is none."""
        if seconds > 0:
            self._relays.age(seconds)

    @property
    def rules(self) -> tuple[FirewallRule, ...]:
        """The firewall's rules now, in the order in which they are tried."""
        return self.topology.rules

    def set_rules(self, rules: Sequence[FirewallRule]) -> None:
        """Replace all rules. Open connections go on, as a stateful firewall lets them."""
        self.topology.set_rules(tuple(rules))

    def add_rule(self, rule: FirewallRule, index: int = 0) -> None:
        """Insert a rule, by default as the first."""
        rules = list(self.rules)
        rules.insert(index, rule)
        self.set_rules(rules)

    def remove_rule(self, rule: FirewallRule) -> None:
        """Remove a rule; ConflictError when there is none like it."""
        rules = list(self.rules)
        if rule not in rules:
            raise ConflictError(f'The firewall has no rule "{rule}".', "Look at the rules as they are now.")
        rules.remove(rule)
        self.set_rules(rules)

    def link(self, a: str, b: str) -> Link:
        """The link between two hosts, to set faults on."""
        self.topology.host(a), self.topology.host(b)
        return Link(self, a, b)

    def describe(self) -> NetworkView:
        """Everything about this network as it is now."""
        with self._lock:
            listeners = list(self._listeners.values())
        return NetworkView(
            domain=self.topology.plan.domain,
            vlans=self.topology.plan.vlans,
            hosts=tuple(
                HostView(
                    name=host.name,
                    address=str(host.address),
                    vlan=self.topology.vlan_of(host.address) or "",
                    is_on=host.is_on,
                )
                for host in self.topology.hosts()
            ),
            listeners=tuple(
                ListenerView(
                    node=each.node,
                    address=self.address_of(each.node),
                    port=each.port,
                    published_host=each.published[0],
                    published_port=each.published[1],
                )
                for each in listeners
            ),
            dns=self.topology.dns,
            hosts_tables=self.topology.hosts_tables,
            rules=self.rules,
            default_action=self.topology.plan.default_action,
            links=tuple(
                LinkView(a=a, b=b, fault=fault, connections=self._relays.open_between(a, b))
                for (a, b), fault in self.topology.links().items()
            ),
        )

    # --- ending ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End every wait, close every listener and give all ports back. Calling it again does nothing."""
        if self.topology.closed:
            return
        self.topology.close()
        self._connector.close()
        self._relays.close()
        with self._lock:
            self._listeners.clear()
        self._ports.close()
        if self.topology.wait_for(lambda: self._dialling.under_way == 0, _CLOSING_S):
            self._connector.dispose()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
