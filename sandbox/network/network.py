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
from dataclasses import dataclass
from enum import StrEnum

from sandbox.model.association import Caller, DialFailure, DialOutcome
from sandbox.model.base import Model
from sandbox.model.errors import BadInputError, ConflictError, UnavailableError
from sandbox.network.callers import CallerTable, DialledSocket
from sandbox.network.connect import Connector, IPAddress, IPNetwork, NotConnected
from sandbox.network.plan import AddressPlan, FirewallRule
from sandbox.network.ports import PublishedPorts
from sandbox.network.topology import Arrived, Failed, Lookup, Outside, Route, Silent, Topology

# How long close() waits for dials that are being ended.
_CLOSING_S = 5.0
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class Resolution(Model):
    """What a name resolved to for one node. ``address`` is empty for NXDOMAIN; ``source`` says who answered."""

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


@dataclass(frozen=True)
class NetworkConnection:
    """A connected, blocking TCP socket and both its ends as the department knows them ("198.18.10.11:40112")."""

    socket: socket.socket
    local: str
    peer: str
    peer_node: str


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


class NodeDialler:
    """Opens connections for one node (a ``sandbox.dicom.contract.Dialler``). ``close`` ends its waits."""

    def __init__(self, network: Network, node: str) -> None:
        self._network = network
        self.node = node
        self._closed = False

    def dial(
        self, host: str, port: int, *, timeout: float, association: str = "", cause: int | None = None
    ) -> NetworkConnection | DialFailure:
        """Connect to ``host``:``port`` within ``timeout`` seconds. ``association`` and ``cause`` are told to the
        acceptor by ``Network.caller_of``."""
        return self._network._dial(self, host, port, timeout, association, cause)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Fail every dial that waits, and every later one."""
        self._closed = True
        self._network.topology.notify()


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
        self.topology = Topology(plan)
        self._ports = PublishedPorts(publish_host, preferred_ports or {})
        self.publish_host = self._ports.host
        # A node's own published port is reached even when that is on an address of this machine other than loopback.
        self._connector = Connector([*outside, self._ports.own_network])
        self._callers = CallerTable()
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._dialling = 0

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
            if self._listeners.get((listener.node, listener.port)) is not listener:
                return
            del self._listeners[listener.node, listener.port]
            self._ports.release(listener.node, listener.port, listener.socket)

    def _listens(self, node: str, port: int) -> bool:
        return (node, port) in self._listeners

    def published_ports(self) -> dict[str, int]:
        """Every real port in use so far, in the form that ``preferred_ports`` takes ("ARCHIVE:11112" → 40123)."""
        return self._ports.known()

    def address_of(self, node: str) -> str:
        """The simulated address of a node's host."""
        return str(self.topology.host(node).address)

    # --- calling -----------------------------------------------------------------------------------------------------

    def dialler(self, node: str) -> NodeDialler:
        """What ``node`` opens its connections with."""
        self.topology.host(node)
        return NodeDialler(self, node)

    def caller_of(self, peer: tuple[str, int]) -> Caller:
        """Who is at ``peer``, the real address an accepted socket names. An outside tool has no node."""
        return self._callers.find(peer)

    def _dial(
        self, dialler: NodeDialler, host: str, port: int, timeout: float, association: str, cause: int | None
    ) -> NetworkConnection | DialFailure:
        started = time.monotonic()
        with self._lock:
            self._dialling += 1
        try:
            made = self._attempt(dialler, host, port, started + timeout, association, cause)
        finally:
            with self._lock:
                self._dialling -= 1
            if self.topology.closed:
                self.topology.notify()
        if isinstance(made, NetworkConnection):
            return made
        return DialFailure(
            outcome=made.outcome,
            host=host,
            port=port,
            address=made.address,
            elapsed_s=round(time.monotonic() - started, 4),
            reason=made.reason,
        )

    def _attempt(
        self, dialler: NodeDialler, host: str, port: int, deadline: float, association: str, cause: int | None
    ) -> NetworkConnection | Failed:
        route = self._settle(dialler, host, port, deadline)
        if isinstance(route, Failed):
            return route
        if isinstance(route, Outside):
            return self._connect_outside(dialler.node, route.address, port, deadline, association, cause)
        return self._connect_inside(dialler.node, route, port, deadline, association, cause)

    def _settle(self, dialler: NodeDialler, host: str, port: int | None, deadline: float) -> Arrived | Outside | Failed:
        """The route, after waiting for as long as there is silence. A change of the network is noticed while waiting,
        as TCP's repeated SYN would."""
        while True:
            if dialler.closed:
                return Failed(DialOutcome.UNREACHABLE, f"{dialler.node} is stopping.")
            if port is None:
                route: Route = self.topology.route_ping(dialler.node, host)
            else:
                route = self.topology.route(dialler.node, host, port, self._listens)
            if not isinstance(route, Silent):
                return route
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return Failed(DialOutcome.TIMED_OUT, "No answer.", route.address, route.cause)
            self.topology.wait_for_change(remaining)

    def _connect_inside(
        self, node: str, route: Arrived, port: int, deadline: float, association: str, cause: int | None
    ) -> NetworkConnection | Failed:
        real = self._ports.real(route.node, port)
        if real is None:
            return Failed(DialOutcome.REFUSED, "Connection refused.", str(route.address))
        made = self._connect(node, self._ports.reach, real, deadline, association, cause)
        if isinstance(made, NotConnected):
            return Failed(made.outcome, made.reason, str(route.address))
        sock, caller = made
        return NetworkConnection(sock, f"{caller.host}:{caller.port}", f"{route.address}:{port}", route.node)

    def _connect_outside(
        self, node: str, address: IPAddress, port: int, deadline: float, association: str, cause: int | None
    ) -> NetworkConnection | Failed:
        if not self._connector.permits(address):
            reason = f"{address} is neither in this department nor among the outside networks it may reach."
            return Failed(DialOutcome.UNREACHABLE, reason, str(address))
        made = self._connect(node, address, port, deadline, association, cause)
        if isinstance(made, NotConnected):
            return Failed(made.outcome, made.reason, str(address))
        sock, caller = made
        shown = f"[{address}]" if address.version == 6 else str(address)
        return NetworkConnection(sock, f"{caller.host}:{caller.port}", f"{shown}:{port}", self._node_at(address, port))

    def _connect(
        self, node: str, address: IPAddress, port: int, deadline: float, association: str, cause: int | None
    ) -> tuple[socket.socket, Caller] | NotConnected:
        sock = DialledSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            if self._is_own(address):
                # Bound first, so that the acceptor can ask who calls as soon as it has accepted.
                sock.bind((_LOOPBACK[address.version] if address.is_loopback else str(address), 0))
                self._callers.enter(sock, self._caller(node, sock, association, cause))
            failed = self._connector.connect(sock, address, port, max(0.0, deadline - time.monotonic()))
            if failed is None:
                return sock, self._caller(node, sock, association, cause)
        except OSError as wrong:
            failed = NotConnected(DialOutcome.UNREACHABLE, f"{wrong.strerror or wrong}.")
        sock.close()
        return failed

    def _caller(self, node: str, sock: socket.socket, association: str, cause: int | None) -> Caller:
        port = int(sock.getsockname()[1])
        return Caller(node=node, host=self.address_of(node), port=port, association=association, cause=cause)

    def _is_own(self, address: IPAddress) -> bool:
        return address.is_loopback or address == self._ports.reach

    def _node_at(self, address: IPAddress, port: int) -> str:
        if self._is_own(address):
            for listener in list(self._listeners.values()):
                if listener.published[1] == port:
                    return listener.node
        return ""

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
        route = self._settle(NodeDialler(self, node), host, None, started + timeout)
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
        route = self.topology.explain(node, host, port, self._listens)
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
        in turn, as a duplicate address behaves."""
        self.topology.readdress(node, address)

    def set_dns(self, name: str, address: str | None) -> None:
        """Change or, with None, remove a name in the department's DNS."""
        self.topology.set_dns(name, address)

    def set_hosts_entry(self, node: str, name: str, address: str | None) -> None:
        """Change or, with None, remove a line of one node's own hosts table, which comes before DNS."""
        self.topology.set_hosts_entry(node, name, address)

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

    # --- ending ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End every wait, close every listener and give all ports back. Calling it again does nothing."""
        if self.topology.closed:
            return
        self.topology.close()
        self._connector.close()
        with self._lock:
            for listener in self._listeners.values():
                listener.socket.close()
            self._listeners.clear()
        self._ports.close()
        if self.topology.wait_for(lambda: not self._dialling, _CLOSING_S):
            self._connector.dispose()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
