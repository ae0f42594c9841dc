"""The one place in this package that connects a real socket, and therefore the one that guards it.

Every connection goes through ``Connector.connect``, which refuses a simulated address and whatever lies outside the
networks it was given, so no mistake elsewhere can send a packet to a hospital. Waits end at once when it is closed.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from sandbox.model.address import is_simulated
from sandbox.model.association import DialOutcome

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
LOOPBACK: tuple[IPNetwork, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

_OUTCOMES = {
    errno.ECONNREFUSED: DialOutcome.REFUSED,
    errno.ETIMEDOUT: DialOutcome.TIMED_OUT,
    errno.ECONNRESET: DialOutcome.RESET,
}


@dataclass(frozen=True)
class NotConnected:
    """Why a real connect failed."""

    outcome: DialOutcome
    reason: str


def parse_address(text: str) -> IPAddress | None:
    """``text`` as an address, or None for a name. An IPv4 address in IPv6 clothes (::ffff:198.18.1.1) is the former,
    so that a simulated address cannot slip through in them."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class Connector:
    """Connects sockets to loopback and to the networks of ``allowed``, nothing else."""

    def __init__(self, allowed: Sequence[IPNetwork]) -> None:
        self._allowed = (*LOOPBACK, *allowed)
        # Readable once closed: every waiting thread polls it beside its own socket.
        self._closed, self._close = socket.socketpair()

    def permits(self, address: IPAddress) -> bool:
        """Whether ``address`` may be given to a real socket."""
        if is_simulated(str(address)):
            return False
        return any(address.version == network.version and address in network for network in self._allowed)

    def connect(self, sock: socket.socket, address: IPAddress, port: int, timeout_s: float) -> NotConnected | None:
        """Connect ``sock`` within ``timeout_s``; None means connected, and the socket then blocks."""
        if not self.permits(address):
            raise RuntimeError(f"Refused to give {address} to a real socket.")
        deadline = time.monotonic() + timeout_s
        sock.setblocking(False)
        code = sock.connect_ex((str(address), port))
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR):
            waiting = select.poll()
            waiting.register(sock, select.POLLOUT)
            waiting.register(self._closed, select.POLLIN)
            ready = dict(waiting.poll(max(0.0, deadline - time.monotonic()) * 1000))
            if self._closed.fileno() in ready:
                return NotConnected(DialOutcome.UNREACHABLE, "The network was shut down meanwhile.")
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else errno.ETIMEDOUT
        if code == 0:
            try:
                # TCP connects a socket with itself when its own port is the one dialled: nobody was listening there.
                code = errno.ECONNREFUSED if sock.getsockname() == sock.getpeername() else 0
            except OSError:
                code = errno.ECONNRESET
        if code:
            return NotConnected(_OUTCOMES.get(code, DialOutcome.UNREACHABLE), f"{os.strerror(code)}.")
        sock.setblocking(True)
        # DICOM is requests and responses: without this each waits for the other end's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return None

    def close(self) -> None:
        """End every wait. Calling it again does nothing."""
        if self._close.fileno() != -1:
            self._close.close()

    def dispose(self) -> None:
        """Give the descriptors back; only when no thread connects any more."""
        self.close()
        self._closed.close()
