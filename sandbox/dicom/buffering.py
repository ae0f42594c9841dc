"""Bytes on their way in: what was read from a connection and not looked at yet, and for how long more is awaited.

Waiting is the system's (SO_RCVTIMEO, SO_SNDTIMEO) wherever that works: Python's own time limit asks the system twice
for each read and each write. TLS needs Python's, since its reads are not the connection's.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence

from sandbox.dicom import sockets

_FIRST_ROOM = 1 << 15
_MOST_ROOM_AHEAD = 1 << 19
# As many as one call of the system takes (IOV_MAX).
_MOST_PIECES = 1024
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)
_TIMEVAL = struct.Struct("@ll")
# A time limit of nothing at all would be none.
_SHORTEST_WAIT_S = 0.001


class Incoming:
    """The receiving half of a connected socket, which may be an SSL socket. A peer that says nothing within the time
    given is a TimeoutError, one that has closed an EOFError, whatever else goes wrong the socket's own OSError."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray(_FIRST_ROOM)
        self.view = memoryview(self._buffer)
        self._low = self._high = 0
        self._is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6)
        self._is_tls = isinstance(connection, ssl.SSLSocket)
        self._to_read: float | None = None
        self._to_write: float | None = None
        if connection.gettimeout() is not None:
            connection.settimeout(None)
        if self._is_tcp:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def replace(self, connection: ssl.SSLSocket) -> None:
        """Read from TLS from now on."""
        self.connection = connection
        self._is_tls = True
        self._to_read = self._to_write = None

    # --- waiting -------------------------------------------------------------------------------------------------

    def wait_to_read(self, silence: float | None, deadline: float | None = None) -> None:
        """Let reads wait for ``silence`` seconds (None: for ever), or until ``deadline`` if there is one."""
        seconds = silence
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError
        if self._is_tls:
            if seconds != self.connection.gettimeout():
                self.connection.settimeout(seconds)
        else:
            self._to_read = seconds
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))

    def write(self, data: bytes | bytearray | memoryview, patience: float) -> None:
        """Send all of this. TimeoutError means that the peer took nothing for ``patience`` seconds."""
        if self._is_tls:
            if patience != self.connection.gettimeout():
                self.connection.settimeout(patience)
            self.connection.sendall(data)
            return
        sent = 0
        with contextlib.suppress(BlockingIOError):
            sent = self.connection.send(data, socket.MSG_DONTWAIT)
            if sent == len(data):
                return
        # More than fits into the system's buffer: now the peer's reading is waited for.
        if patience != self._to_write:
            self._to_write = patience
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(patience))
        try:
            self.connection.sendall(memoryview(data)[sent:])
        except BlockingIOError:
            raise TimeoutError from None

    @property
    def takes_pieces(self) -> bool:
        """Whether ``write_pieces`` can be used: TLS has to have what it encrypts in one piece."""
        return not self._is_tls

    def write_pieces(self, pieces: Sequence[bytes | memoryview], patience: float) -> None:
        """The same for many pieces, which are sent as they lie in memory."""
        if patience != self._to_write:
            self._to_write = patience
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(patience))
        for start in range(0, len(pieces), _MOST_PIECES):
            some = deque(memoryview(piece) for piece in pieces[start : start + _MOST_PIECES])
            try:
                while some:
                    sent = self.connection.sendmsg(some)
                    while some and sent >= len(some[0]):
                        sent -= len(some.popleft())
                    if sent:
                        some[0] = some[0][sent:]
            except BlockingIOError:
                raise TimeoutError from None

    # --- reading -------------------------------------------------------------------------------------------------

    def fill(self, need: int, silence: float | None, deadline: float | None, is_midway: bool) -> None:
        """Make ``need`` bytes available. ``is_midway`` says that the peer has more to send before it awaits anything of
        us."""
        while self._high - self._low < need:
            if self._low == self._high:
                self._low = self._high = 0
            if self._low + need > len(self._buffer):
                self._make_room(need)
            # A client with Nagle's algorithm on waits for our ACK before it sends the rest of what it has begun.
            if self._is_tcp and (is_midway or self._low < self._high) and _QUICK_ACK is not None:
                self.connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
            received = self._read(self.view[self._high :], silence, deadline)
            if not received:
                raise EOFError
            self._high += received

    def _read(self, into: memoryview, silence: float | None, deadline: float | None) -> int:
        if self._is_tls:
            self.wait_to_read(silence, deadline)
            return self.connection.recv_into(into)
        until = deadline
        if until is None and silence is not None:
            until = time.monotonic() + silence
        # A shorter limit than is wanted may stay: what it costs is to come here again, after a long silence.
        if not self._to_read or (until is not None and until - time.monotonic() < self._to_read):
            self.wait_to_read(None, until)
        while True:
            try:
                return self.connection.recv_into(into)
            except BlockingIOError:
                self.wait_to_read(None, until)

    def unpack(self, header: struct.Struct) -> tuple[int, ...]:
        """What stands next, which ``fill`` has made available. It is not taken."""
        return header.unpack_from(self._buffer, self._low)

    def glance(self, size: int) -> memoryview:
        """As much of the next ``size`` bytes as there is. It is not taken."""
        return self.view[self._low : min(self._high, self._low + size)]

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes, which ``fill`` has made available: valid until more is read."""
        begin = self._low
        self._low = begin + size
        return self.view[begin : begin + size]

    def has_arrived(self) -> bool:
        """Whether there is something to read: bytes, or the end of the connection."""
        if self._low < self._high:
            return True
        if not isinstance(self.connection, ssl.SSLSocket):
            return sockets.is_polled(self.connection)
        found = sockets.read_now(self.connection, self.view)
        self._low, self._high = 0, found or 0
        return found is not None

    def drain(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Read and forget until the peer has closed, ``seconds`` are over and nothing is left, or ``is_over``."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while not is_over():
                remaining = deadline - time.monotonic()
                if remaining <= 0 and not sockets.is_polled(self.connection):
                    break
                # What still comes is not looked at, so it is not decrypted either.
                if self._is_tls or not self._to_read or remaining < self._to_read:
                    self.wait_to_read(max(remaining, _SHORTEST_WAIT_S))
                with contextlib.suppress(BlockingIOError):
                    if not socket.socket.recv_into(self.connection, self.view):
                        break

    def _make_room(self, need: int) -> None:
        rest = bytes(self.view[self._low : self._high])
        if need > len(self._buffer):
            # Room for several PDUs of this size: large objects then come in few reads.
            self._buffer = bytearray(max(need, min(4 * need, _MOST_ROOM_AHEAD)))
            self.view = memoryview(self._buffer)
        self.view[: len(rest)] = rest
        self._low, self._high = 0, len(rest)


def _timeval(seconds: float | None) -> bytes:
    if seconds is None:
        return _TIMEVAL.pack(0, 0)
    whole, rest = divmod(max(seconds, _SHORTEST_WAIT_S), 1)
    return _TIMEVAL.pack(int(whole), int(rest * 1e6))
