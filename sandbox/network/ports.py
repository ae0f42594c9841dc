"""The real ports on which nodes are published, kept for as long as a network lives.

A simulated (node, port) gets one real port from the operating system, or the preferred one. While nobody listens the
port stays bound without listening: it refuses, and nobody else can take it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network

from sandbox.model.errors import BadInputError, UnavailableError
from sandbox.network.connect import IPAddress, IPNetwork, parse_address

BACKLOG = 128


def port_key(node: str, port: int) -> str:
    """How a published port is named in ``preferred_ports``: "ARCHIVE:11112"."""
    return f"{node}:{port}"


@dataclass(frozen=True)
class Published:
    """A listening socket and its real port. ``moved_from`` is the port it should have had, if that was taken."""

    socket: socket.socket
    port: int
    moved_from: int | None = None


class PublishedPorts:
    """Real ports by (node, simulated port). ``preferred`` has keys like "ARCHIVE:11112", or a node's name alone for
    the first port it opens. ``host`` is the real address to listen on."""

    def __init__(self, host: str, preferred: Mapping[str, int]) -> None:
        address = parse_address(host)
        if address is None:
            raise BadInputError(f"{host!r} is no address to publish nodes on.", "Use an IP address such as 127.0.0.1.")
        self.host = str(address)
        self._family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        # Where the lab's own nodes reach a port that is open on every interface.
        loopback = IPv4Address("127.0.0.1") if address.version == 4 else IPv6Address("::1")
        self.reach: IPAddress = loopback if address.is_unspecified else address
        self._preferred = dict(preferred)
        self._lock = threading.Lock()
        self._ports: dict[tuple[str, int], int] = {}
        self._reserved: dict[tuple[str, int], socket.socket] = {}
        self._open: dict[tuple[str, int], socket.socket] = {}

    @property
    def own_network(self) -> IPNetwork:
        """The address at which the lab's own nodes reach each other, as a network of one."""
        return ip_network(self.reach)

    def listen(self, node: str, port: int) -> Published:
        """Open the real port of (``node``, ``port``), the same as before if at all possible."""
        with self._lock:
            wanted = self._ports.get((node, port)) or self._preference(node, port)
            sock = self._reserved.pop((node, port), None)
            moved_from = None
            if sock is None:
                sock = self._bound(wanted)
                if sock is None:
                    moved_from, sock = wanted, self._bound(0)
            if sock is None:
                raise UnavailableError(
                    f"No free port on {self.host} for {node}.", "Close other programs and try again."
                )
            try:
                sock.listen(BACKLOG)
            except OSError:
                # Another program listened on the reserved port first, as SO_REUSEADDR lets it.
                sock.close()
                moved_from, sock = wanted, self._bound(0)
                if sock is None:
                    raise
                sock.listen(BACKLOG)
            real = int(sock.getsockname()[1])
            self._ports[node, port] = real
            self._open[node, port] = sock
            return Published(sock, real, moved_from)

    def release(self, node: str, port: int, sock: socket.socket) -> None:
        """Close a listening socket and keep its port bound, so that dialling it is refused and it can be had again."""
        with self._lock:
            if self._open.get((node, port)) is not sock:
                return
            del self._open[node, port]
            sock.close()
            reserved = self._bound(self._ports[node, port])
            if reserved is not None:
                self._reserved[node, port] = reserved

    def is_open(self, node: str, port: int) -> bool:
        """Whether ``node`` listens on ``port`` now."""
        return (node, port) in self._open

    def node_at(self, real: int) -> str:
        """The node that listens on a real port; empty when none does."""
        with self._lock:
            return next((node for (node, port) in self._open if self._ports[node, port] == real), "")

    def known(self) -> dict[str, int]:
        """Every port that was published, by the keys that ``preferred`` takes."""
        with self._lock:
            return {port_key(*key): real for key, real in self._ports.items()}

    def real(self, node: str, port: int) -> int | None:
        """The real port of (``node``, ``port``), open or not."""
        return self._ports.get((node, port))

    def close(self) -> None:
        """Close every listener and give every port back."""
        with self._lock:
            for sock in (*self._open.values(), *self._reserved.values()):
                sock.close()
            self._open.clear()
            self._reserved.clear()

    def _preference(self, node: str, port: int) -> int:
        first = not any(known == node for known, _ in self._ports)
        return self._preferred.get(port_key(node, port)) or (self._preferred.get(node, 0) if first else 0)

    def _bound(self, port: int) -> socket.socket | None:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            # Connections of the last listener may still be in TIME_WAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, port))
        except OSError:
            sock.close()
            return None
        return sock
