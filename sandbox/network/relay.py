"""Carries connections over a faulty link: one thread for a whole network, and only while such connections exist.

A relayed connection is two sockets and two flows between them. What the link's fault says is looked up at every turn,
so a fault can be set, changed and cleared under an open connection; once it is cleared, whatever was on its way is
passed on at once. A black hole is made by not reading, which is what TCP makes of lost packets: the sender repeats,
its buffers fill, and when the hole closes the data arrives after all.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.network.instances import InstanceCounter
from sandbox.network.links import LinkFault, Way

_PIECE = 64 * 1024
# What may be on its way at once when only latency is set.
_WINDOW = 1024 * 1024
# Slow links are fed in pieces of this many seconds, so that data trickles instead of coming in lumps.
_PIECE_S = 0.02
_BUFFER_S = 0.1
# Not everywhere known; without it a stalled connection is only noticed to have ended when the network closes.
_RDHUP = getattr(select, "POLLRDHUP", 0)
_GONE = select.POLLHUP | select.POLLERR | _RDHUP
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class _Flow:
    """One way of a connection. ``waiting`` holds pieces with the time at which each is due; an empty one is the end."""

    source: socket.socket
    sink: socket.socket
    way: Way
    waiting: deque[tuple[float, memoryview]] = field(default_factory=deque)
    size: int = 0
    free_at: float = 0.0
    held: bytes | None = None
    read_ended: bool = False
    ended: bool = False
    blocked: bool = False
    stalled: bool = False
    source_gone: bool = False
    allowed: int = 0
    instances: InstanceCounter = field(default_factory=InstanceCounter)

    def put(self, piece: bytes, fault: LinkFault, now: float) -> None:
        """Queue ``piece`` for when latency and bandwidth let it arrive."""
        if fault.bytes_per_s:
            self.free_at = max(self.free_at, now) + len(piece) / fault.bytes_per_s
        self.waiting.append((max(now, self.free_at) + fault.latency_ms / 1000, memoryview(piece)))
        self.size += len(piece)

    def room(self, fault: LinkFault) -> int:
        """How many bytes may be read now as far as bandwidth and buffers go."""
        if not fault.bytes_per_s:
            return min(_PIECE, _WINDOW - self.size)
        window = int(fault.bytes_per_s * (fault.latency_ms / 1000 + _BUFFER_S)) + 1
        return min(_PIECE, int(fault.bytes_per_s * _PIECE_S) + 1, window - self.size)

    def deliver(self, now: float) -> None:
        """Send on what is due, as far as the receiver takes it."""
        self.blocked = False
        while self.waiting and self.waiting[0][0] <= now and not self.ended:
            due, piece = self.waiting.popleft()
            if not piece:
                self.ended = True
                self.sink.shutdown(socket.SHUT_WR)
                return
            try:
                sent = self.sink.send(piece)
            except BlockingIOError:
                sent = 0
            self.size -= sent
            if sent < len(piece):
                self.waiting.appendleft((due, piece[sent:]))
                self.blocked = True
                return


class _Pipe:
    """One relayed connection, from node ``a`` to node ``b``."""

    def __init__(self, a: str, b: str, near: socket.socket, far: socket.socket) -> None:
        self.a, self.b = a, b
        self.sockets = (near, far)
        self.flows = (_Flow(near, far, Way.THERE), _Flow(far, near, Way.BACK))
        self.carried = 0
        self.last_traffic = time.monotonic()
        self.forgotten = False
        self.over = False
        self._fault: LinkFault | None = None
        for sock in self.sockets:
            sock.setblocking(False)

    def turn(self, fault: LinkFault, now: float) -> float | None:
        """Do what is due and decide what may be read. Returns when the next thing is due, if time brings anything."""
        if fault != self._fault:
            self._hurry(fault, now)
        if fault.idle_drop_s is not None and now - self.last_traffic >= fault.idle_drop_s:
            self.forgotten = True
        times = []
        for flow in self.flows:
            flow.stalled = self._is_stalled(flow, fault)
            if flow.held is not None and not flow.stalled:
                flow.put(flow.held, fault, now)
                flow.held = None
            if not self.forgotten:
                # A stalled flow reads nothing more, and what it has read still arrives.
                flow.deliver(now)
                if flow.waiting and not flow.blocked and not flow.ended:
                    times.append(flow.waiting[0][0])
            flow.allowed = 0 if flow.stalled or flow.read_ended else max(0, min(flow.room(fault), self._left(fault)))
        if fault.reset_after is not None and self.carried >= fault.reset_after and not any(f.size for f in self.flows):
            self.reset()
        elif all(flow.ended or (flow.stalled and flow.source_gone) for flow in self.flows):
            self.close()
        if fault.idle_drop_s is not None and not self.forgotten:
            times.append(self.last_traffic + fault.idle_drop_s)
        return min(times, default=None)

    def interest(self) -> dict[socket.socket, int]:
        """What to poll each socket for; a socket that is not polled for anything is left out."""
        events: dict[socket.socket, int] = {}
        for flow in self.flows:
            if flow.allowed:
                events[flow.source] = events.get(flow.source, 0) | select.POLLIN
            elif flow.stalled and not flow.read_ended and not flow.source_gone and _RDHUP:
                # Nothing is read, but the closing of both ends must be noticed.
                events[flow.source] = events.get(flow.source, 0) | _RDHUP
            if flow.blocked and not self.forgotten:
                events[flow.sink] = events.get(flow.sink, 0) | select.POLLOUT
        return events

    def ready(self, sock: socket.socket, events: int, fault: LinkFault, now: float) -> None:
        """Read from ``sock`` what may be read; note when it is gone and nothing may."""
        flow = self.flows[0] if sock is self.flows[0].source else self.flows[1]
        if flow.allowed:
            if events & ~select.POLLOUT:
                self._read(flow, fault, now)
        elif events & _GONE:
            flow.source_gone = True
            if events & (select.POLLHUP | select.POLLERR):
                # Nor can anything be sent to it any more.
                other = self.flows[1] if flow is self.flows[0] else self.flows[0]
                other.ended, other.blocked = True, False

    def reset(self) -> None:
        """End both sides with RST."""
        for sock in self.sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        self.over = True
        for sock in self.sockets:
            sock.close()

    def _read(self, flow: _Flow, fault: LinkFault, now: float) -> None:
        try:
            # A big piece shows as one only if more than the limit is asked for.
            piece = flow.source.recv(max(flow.allowed, (fault.largest_packet or 0) + 1))
        except BlockingIOError:
            return
        self.last_traffic = now
        self.carried += len(piece)
        if not piece:
            flow.read_ended = True
        flow.instances.feed(piece)
        if fault.reset_after_instances is not None and flow.instances.begun > fault.reset_after_instances:
            self.reset()
            return
        if fault.largest_packet is not None and len(piece) > fault.largest_packet:
            flow.held = piece
        else:
            flow.put(piece, fault, now)

    def _is_stalled(self, flow: _Flow, fault: LinkFault) -> bool:
        lost = fault.blackhole in (flow.way, Way.BOTH) and self.carried >= fault.blackhole_after
        too_big = fault.largest_packet is not None and flow.held is not None and len(flow.held) > fault.largest_packet
        return self.forgotten or lost or too_big

    def _left(self, fault: LinkFault) -> int:
        limits = [_PIECE]
        if fault.reset_after is not None:
            limits.append(fault.reset_after - self.carried)
        if fault.blackhole is not None and self.carried < fault.blackhole_after:
            limits.append(fault.blackhole_after - self.carried)
        return min(limits)

    def _hurry(self, fault: LinkFault, now: float) -> None:
        """The fault changed: nothing on its way takes longer than it would if it were sent now."""
        self._fault = fault
        for flow in self.flows:
            latest = now + fault.latency_ms / 1000
            flow.waiting = deque((min(due, latest), piece) for due, piece in flow.waiting)
            flow.free_at = min(flow.free_at, now)
            flow.source_gone = False


class Relays:
    """Every relayed connection of a network. ``fault_between`` tells a link's present fault, as seen from its first."""

    def __init__(self, fault_between: Callable[[str, str], LinkFault | None]) -> None:
        self._fault_between = fault_between
        self._lock = threading.Lock()
        self._pipes: list[_Pipe] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)

    def carry(self, a: str, b: str, near: socket.socket, far: socket.socket) -> bool:
        """Take over both sockets and pass on what comes; ``near`` leads to ``a``, who called ``b``. False: closed."""
        with self._lock:
            if self._closed:
                return False
            self._pipes.append(_Pipe(a, b, near, far))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="link-relay", daemon=True)
                self._thread.start()
        self.wake()
        return True

    def wake(self) -> None:
        """A fault changed: look again."""
        try:
            self._wake.send(b"!")
        except OSError:
            # Full, so it wakes anyway; or closed, so there is nobody to wake.
            return

    def age(self, seconds: float) -> None:
        """Let every relayed connection have been silent for ``seconds`` more."""
        with self._lock:
            for pipe in self._pipes:
                pipe.last_traffic -= seconds
        self.wake()

    def open_between(self, a: str, b: str) -> int:
        """How many relayed connections are open between two nodes, whoever called."""
        with self._lock:
            return sum({pipe.a, pipe.b} == {a, b} for pipe in self._pipes)

    def close(self) -> None:
        """End every relayed connection and the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
        self.wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._woken.close()
        self._wake.close()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._pipes = [pipe for pipe in self._pipes if not pipe.over]
                pipes = list(self._pipes)
                if self._closed or not pipes:
                    for pipe in pipes:
                        pipe.close()
                    self._pipes = []
                    self._thread = None
                    return
            self._turn(pipes)

    def _turn(self, pipes: list[_Pipe]) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        at: dict[int, tuple[_Pipe, socket.socket, LinkFault]] = {}
        due: list[float] = []
        now = time.monotonic()
        for pipe in pipes:
            fault = self._fault_between(pipe.a, pipe.b) or LinkFault()
            try:
                next_due = pipe.turn(fault, now)
            except OSError:
                pipe.reset()
            if pipe.over:
                # Look for others after it has been taken out of the list.
                due.append(now)
                continue
            if next_due is not None:
                due.append(next_due)
            for sock, events in pipe.interest().items():
                at[sock.fileno()] = (pipe, sock, fault)
                poll.register(sock, events)
        # Rounded up, or the last fraction of a millisecond is spent spinning.
        wait_ms = None if not due else max(0, int((min(due) - time.monotonic()) * 1000) + 1) if min(due) > now else 0
        ready = poll.poll(wait_ms)
        if any(descriptor == self._woken.fileno() for descriptor, _ in ready):
            # A fault changed, or there is a new connection. What came meanwhile is judged by the new state.
            self._woken.recv(4096)
            return
        for descriptor, events in ready:
            pipe, sock, fault = at[descriptor]
            if pipe.over:
                continue
            try:
                pipe.ready(sock, events, fault, time.monotonic())
            except OSError:
                # One side was reset: so is the other.
                pipe.reset()
