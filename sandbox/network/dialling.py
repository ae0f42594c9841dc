"""One dial from beginning to end: the topology decides, silence is waited out, and what arrives is connected for real.

What a caller is told never names the cause of a failure; a node knows no more than an administrator at it would.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass

from sandbox.model.association import Caller, DialFailure, DialOutcome
from sandbox.network.connect import Connector, IPAddress, NotConnected
from sandbox.network.ports import PublishedPorts
from sandbox.network.topology import Arrived, Failed, Outside, Route, Silent, Topology
from sandbox.network.wire import Wire

# In the place of a call's port: a ping, which has none.
PING = -1


def _end(caller: Caller) -> str:
    return f"{caller.host}:{caller.port}"


@dataclass(frozen=True)
class NetworkConnection:
    """A connected, blocking TCP socket and both its ends as the department knows them ("198.18.10.11:40112")."""

    socket: socket.socket
    local: str
    peer: str
    peer_node: str


class NodeDialler:
    """Opens connections for one node (a ``sandbox.dicom.contract.Dialler``). ``close`` ends its waits."""

    def __init__(self, dialling: Dialling, node: str) -> None:
        self._dialling = dialling
        self.node = node
        self._closed = False

    def dial(
        self, host: str, port: int, *, timeout: float, association: str = "", cause: int | None = None
    ) -> NetworkConnection | DialFailure:
        """Connect to ``host``:``port`` within ``timeout`` seconds. ``association`` and ``cause`` are told to the
        acceptor by ``Network.caller_of``."""
        call = Call(self, host, port, time.monotonic() + timeout, association, cause)
        return self._dialling.dial(call)

    @property
    def address(self) -> str:
        """The node's simulated address now."""
        return self._dialling.address_of(self.node)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Fail every dial that waits, and every later one."""
        self._closed = True
        self._dialling.look_again()


@dataclass(frozen=True)
class Call:
    """One dial, for as long as it lasts. ``deadline`` is monotonic."""

    dialler: NodeDialler
    host: str
    port: int
    deadline: float
    association: str = ""
    cause: int | None = None

    def caller(self, source_port: int) -> Caller:
        return Caller(
            node=self.dialler.node,
            host=self.dialler.address,
            port=source_port,
            association=self.association,
            cause=self.cause,
        )


class Dialling:
    """Makes the calls of one network."""

    def __init__(self, topology: Topology, connector: Connector, wire: Wire, ports: PublishedPorts) -> None:
        self._topology = topology
        self._connector = connector
        self._wire = wire
        self._ports = ports
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many dials have begun and not ended."""
        return self._under_way

    def address_of(self, node: str) -> str:
        """The simulated address of a node's host."""
        return str(self._topology.host(node).address)

    def look_again(self) -> None:
        """Wake every dial that waits, since a dialler was closed."""
        self._topology.notify()

    def dial(self, call: Call) -> NetworkConnection | DialFailure:
        """Make the call; a failure is returned."""
        started = time.monotonic()
        with self._lock:
            self._under_way += 1
        try:
            made = self._attempt(call)
        finally:
            with self._lock:
                self._under_way -= 1
            if self._topology.closed:
                self._topology.notify()
        if isinstance(made, NetworkConnection):
            return made
        return DialFailure(
            outcome=made.outcome,
            host=call.host,
            port=call.port,
            address=made.address,
            elapsed_s=round(time.monotonic() - started, 4),
            reason=made.reason,
        )

    def _attempt(self, call: Call) -> NetworkConnection | Failed:
        if not 1 <= call.port <= 65535:
            return Failed(DialOutcome.UNREACHABLE, f"{call.port} is no TCP port.")
        route = self.settle(call)
        if isinstance(route, Failed):
            return route
        if isinstance(route, Outside):
            return self._outside(route.address, call)
        return self._inside(route, call)

    def settle(self, call: Call) -> Arrived | Outside | Failed:
        """The route, after waiting for as long as there is silence. A change of the network is noticed while waiting,
        as TCP's repeated SYN would."""
        node = call.dialler.node
        while True:
            seen = self._topology.version
            if call.dialler.closed:
                return Failed(DialOutcome.UNREACHABLE, f"{node} is stopping.")
            if call.port == PING:
                route: Route = self._topology.route_ping(node, call.host)
            else:
                route = self._topology.route(node, call.host, call.port, self._ports.is_open)
            if not isinstance(route, Silent):
                return route
            while (remaining := call.deadline - time.monotonic()) > 0 and self._topology.version == seen:
                self._topology.wait_for_change(seen, remaining)
            # Without a change it is as silent as it was; asking once more would be another turn of a shared address.
            if remaining <= 0:
                return Failed(DialOutcome.TIMED_OUT, "No answer.", route.address, route.cause)

    def _inside(self, route: Arrived, call: Call) -> NetworkConnection | Failed:
        real = self._ports.real(route.node, call.port)
        if real is None:
            return Failed(DialOutcome.REFUSED, "Connection refused.", str(route.address))
        if route.fault is None:
            made = self._wire.straight(self._ports.reach, real, call.deadline, call.caller, route.node)
        else:
            late = self.travel(call, 2 * route.fault.latency_ms / 1000)
            if late is not None:
                return late
            made = self._wire.relayed(call.dialler.node, route.node, real, call.deadline, call.caller)
        if isinstance(made, NotConnected):
            return Failed(made.outcome, made.reason, str(route.address))
        return NetworkConnection(made.socket, _end(made.caller), f"{route.address}:{call.port}", route.node)

    def _outside(self, address: IPAddress, call: Call) -> NetworkConnection | Failed:
        if not self._connector.permits(address):
            reason = f"{address} is neither in this department nor among the outside networks it may reach."
            return Failed(DialOutcome.UNREACHABLE, reason, str(address))
        made = self._wire.straight(address, call.port, call.deadline, call.caller)
        if isinstance(made, NotConnected):
            return Failed(made.outcome, made.reason, str(address))
        shown = f"[{address}]" if address.version == 6 else str(address)
        node = self._ports.node_at(call.port) if self._wire.is_own(address) else ""
        return NetworkConnection(made.socket, _end(made.caller), f"{shown}:{call.port}", node)

    def travel(self, call: Call, seconds: float) -> Failed | None:
        """Let a handshake travel for ``seconds``, unless the deadline or an end comes first."""
        remaining = call.deadline - time.monotonic()
        if self._topology.wait_for(lambda: self._topology.closed or call.dialler.closed, min(seconds, remaining)):
            return Failed(DialOutcome.UNREACHABLE, "The connection was given up.")
        return Failed(DialOutcome.TIMED_OUT, "No answer.") if seconds >= remaining else None
