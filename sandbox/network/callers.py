"""Who is calling: the table from a real source port to the node, association and cause behind it.

A dialling socket is bound before it connects and its port is entered here first, so an acceptor can ask as soon as it
has accepted. An entry is dropped when its socket closes; one that was never asked for stays a little longer, since an
acceptor may come to a connection only after the caller has closed it again (a port test does just that).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.model.association import Caller

LINGER_S = 10.0
_Key = tuple[str, int]


class DialledSocket(socket.socket):
    """A socket that says when it is closed. Detached, as TLS does it, it says nothing: its descriptor lives on."""

    when_closed: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        # With a file object of makefile() still open, the descriptor stays open and close() is called again later.
        if self.fileno() == -1:
            told, self.when_closed = self.when_closed, None
            if told is not None:
                told()

    def detach(self) -> int:
        self.when_closed = None
        return super().detach()


@dataclass
class _Entry:
    caller: Caller
    # The descriptor's inode tells whether it is still the socket that was entered, whoever holds it now.
    descriptor: int
    inode: int
    called: str = ""
    claimed: bool = False
    ended_at: float | None = None

    def is_over(self) -> bool:
        """Whether the socket has ended and nobody is expected to ask for its caller any more."""
        if self.ended_at is None:
            try:
                alive = os.fstat(self.descriptor).st_ino == self.inode
            except OSError:
                alive = False
            if alive:
                return False
            self.ended_at = time.monotonic()
        return self.claimed or time.monotonic() - self.ended_at > LINGER_S


class CallerTable:
    """Callers by real peer address. Safe to use from any thread."""

    def __init__(self) -> None:
        # Reentrant, because a socket may be closed by the garbage collector in a thread that is in here.
        self._lock = threading.RLock()
        self._entries: dict[_Key, _Entry] = {}
        self._sweep_at = 256

    def enter(self, sock: DialledSocket, caller: Caller, called: str = "") -> None:
        """Enter ``caller`` under the address to which ``sock`` is bound, until the socket ends. ``called`` is the node
        at its other end when nothing is between the two."""
        host, port = sock.getsockname()[:2]
        key = (str(host), int(port))
        entry = _Entry(caller, sock.fileno(), os.fstat(sock.fileno()).st_ino, called)
        with self._lock:
            self._entries[key] = entry
            if len(self._entries) > self._sweep_at:
                self._entries = {key: entry for key, entry in self._entries.items() if not entry.is_over()}
                self._sweep_at = max(256, 2 * len(self._entries))
        sock.when_closed = lambda: self._closed(key, entry)

    def find(self, peer: tuple[Any, ...]) -> Caller:
        """The caller at ``peer`` (what getpeername of an accepted socket says); an unknown one is an outside tool."""
        key = (str(peer[0]), int(peer[1]))
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.is_over():
                del self._entries[key]
                entry = None
            if entry is not None:
                entry.claimed = True
                return entry.caller
        return Caller(host=key[0], port=key[1])

    def cut(self, a: str, b: str) -> int:
        """End the open connections between two nodes that have nothing between them; how many there were."""
        with self._lock:
            entries = [entry for entry in self._entries.values() if {entry.caller.node, entry.called} == {a, b}]
            return sum(_shut_down(entry) for entry in entries)

    def __len__(self) -> int:
        """How many connections are known."""
        with self._lock:
            return len(self._entries)

    def _closed(self, key: _Key, entry: _Entry) -> None:
        with self._lock:
            entry.ended_at = time.monotonic()
            # The port may have been given to a newer connection meanwhile; that one's entry stays.
            if entry.claimed and self._entries.get(key) is entry:
                del self._entries[key]


def _shut_down(entry: _Entry) -> bool:
    """Shut the socket down, whatever holds it now (TLS takes a descriptor over), if it is still the one entered."""
    try:
        copy = os.dup(entry.descriptor)
    except OSError:
        return False
    try:
        # Asked of the copy: nobody can close that meanwhile.
        if os.fstat(copy).st_ino != entry.inode:
            return False
        with socket.socket(fileno=copy) as sock:
            copy = -1
            sock.shutdown(socket.SHUT_RDWR)
        return True
    except OSError:
        return False
    finally:
        if copy != -1:
            os.close(copy)
