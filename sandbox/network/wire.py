"""The real side of a dial: a loopback socket straight to the acceptor, or two of them with a relay between.

Both kinds are entered in the caller table before they connect, so the acceptor knows the caller either way.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.model.association import Caller, DialOutcome
from sandbox.network.callers import CallerTable, DialledSocket
from sandbox.network.connect import Connector, IPAddress, NotConnected
from sandbox.network.relay import Relays

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}
# Small, so that a sender feels a slow link instead of filling the kernel's megabytes at once.
_RELAY_BUFFER = 64 * 1024

# Who calls, given the source port.
CallerAt = Callable[[int], Caller]


@dataclass(frozen=True)
class Connected:
    """A connected socket and who it says it is to the acceptor."""

    socket: socket.socket
    caller: Caller


class Wire:
    """Makes the real connections of one network. ``own`` is the address at which its nodes are reached."""

    def __init__(self, connector: Connector, callers: CallerTable, relays: Relays, own: IPAddress) -> None:
        self._connector = connector
        self._callers = callers
        self._relays = relays
        self._own = own

    def is_own(self, address: IPAddress) -> bool:
        """Whether a listener of this network may be behind ``address``."""
        return address.is_loopback or address == self._own

    def straight(
        self, address: IPAddress, port: int, deadline: float, caller_at: CallerAt, called: str = ""
    ) -> Connected | NotConnected:
        """Connect to ``address``:``port``, where the node ``called`` listens, by ``deadline`` (monotonic)."""
        sock = _socket(address)
        try:
            if self.is_own(address):
                self._bind(sock, address)
                self._callers.enter(sock, caller_at(_port(sock)), called)
            failed = self._connector.connect(sock, address, port, deadline - time.monotonic())
            if failed is None:
                return Connected(sock, caller_at(_port(sock)))
        except OSError as wrong:
            failed = _machine_says(wrong)
        sock.close()
        return failed

    def relayed(
        self, source: str, target: str, port: int, deadline: float, caller_at: CallerAt
    ) -> Connected | NotConnected:
        """Connect node ``source`` to node ``target``, published on real ``port``, with a relay between."""
        near, far = _socket(self._own), _socket(self._own)
        inner: socket.socket | None = None
        failed: NotConnected | None
        try:
            for sock in (near, far):
                self._bind(sock, self._own)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _RELAY_BUFFER)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RELAY_BUFFER)
            caller = caller_at(_port(near))
            self._callers.enter(far, caller)
            failed = self._connector.connect(far, self._own, port, deadline - time.monotonic())
            if failed is None:
                inner, failed = self._joined(near, deadline)
            if inner is not None and not self._relays.carry(source, target, inner, far):
                failed = NotConnected(DialOutcome.UNREACHABLE, "The network was shut down meanwhile.")
            if failed is None:
                return Connected(near, caller)
        except OSError as wrong:
            failed = _machine_says(wrong)
        for each in (near, far, inner):
            if each is not None:
                each.close()
        return failed

    def _joined(self, near: socket.socket, deadline: float) -> tuple[socket.socket | None, NotConnected | None]:
        """Connect ``near`` with a new socket of ours, and return that."""
        with socket.socket(near.family, socket.SOCK_STREAM) as meeting:
            meeting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RELAY_BUFFER)
            meeting.bind((str(self._own), 0))
            meeting.listen(1)
            failed = self._connector.connect(near, self._own, _port(meeting), deadline - time.monotonic())
            while failed is None:
                meeting.settimeout(max(0.001, deadline - time.monotonic()))
                inner, peer = meeting.accept()
                if peer == near.getsockname():
                    inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return inner, None
                # Somebody else on this machine came to the port first.
                inner.close()
        return None, failed

    def _bind(self, sock: socket.socket, address: IPAddress) -> None:
        sock.bind((_LOOPBACK[address.version] if address.is_loopback else str(address), 0))


def _socket(address: IPAddress) -> DialledSocket:
    return DialledSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)


def _port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def _machine_says(wrong: OSError) -> NotConnected:
    outcome = DialOutcome.TIMED_OUT if isinstance(wrong, TimeoutError) else DialOutcome.UNREACHABLE
    return NotConnected(outcome, f"{wrong.strerror or wrong}.")
