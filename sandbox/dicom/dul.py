"""The synchronous DUL: pynetdicom's upper layer without its threads, queues, polling and sleeping.

It reads with blocking calls on the thread of the association that owns it and sends at once, so an idle association
costs nothing and an exchange no waiting. Primitives go in and come out as pynetdicom's ACSE and service classes expect
them; the states are those of PS3.8 9.2 as far as a synchronous reader can be in them. Every PDU passes ``watch`` here,
and nowhere else. A connection that is gone is a state, not an exception: what is sent to it is dropped.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import StateMachine
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA
from pynetdicom.timer import Timer

from sandbox.dicom import sockets, tls
from sandbox.dicom.pdus import FIXED, HEADER, AbortReason, Kind, four_bytes, longest, tidy, titles
from sandbox.dicom.tls_failures import ALERT, HANDSHAKE, explain_tls_failure
from sandbox.model.association import Direction, Rejection

if TYPE_CHECKING:
    from pynetdicom.association import Association

_KINDS = frozenset(Kind)
_OF_FOUR_BYTES = frozenset({Kind.ASSOCIATE_RJ, Kind.RELEASE_RQ, Kind.RELEASE_RP, Kind.ABORT})
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)
_FIRST_BUFFER = 1 << 15
_SEND_BATCH = 1 << 19
_LARGEST_SENT_PDU = 1 << 17
_VERSION = bytes((0, 1, 0, 0))
_PDV = struct.Struct(">BxLLBB")
_PDV_HEADER = struct.Struct(">LBB")


class State(Enum):
    """Where the association is. The comment gives the state of PS3.8 table 9-10."""

    AWAITING_REQUEST = auto()  # Sta2
    AWAITING_ANSWER = auto()  # Sta5
    DECIDING = auto()  # Sta3
    OPEN = auto()  # Sta6
    RELEASING = auto()  # Sta7, Sta9 to Sta12
    RELEASED_BY_PEER = auto()  # Sta8
    ENDED = auto()  # Sta13, Sta1


_EXPECTED: dict[State, frozenset[Kind]] = {
    State.AWAITING_REQUEST: frozenset({Kind.ASSOCIATE_RQ, Kind.ABORT}),
    State.AWAITING_ANSWER: frozenset({Kind.ASSOCIATE_AC, Kind.ASSOCIATE_RJ, Kind.ABORT}),
    State.DECIDING: frozenset({Kind.ABORT}),
    State.OPEN: frozenset({Kind.DATA, Kind.RELEASE_RQ, Kind.ABORT}),
    State.RELEASING: frozenset({Kind.DATA, Kind.RELEASE_RQ, Kind.RELEASE_RP, Kind.ABORT}),
    State.RELEASED_BY_PEER: frozenset({Kind.ABORT}),
    State.ENDED: frozenset(),
}


@cache
def _lost() -> A_P_ABORT:
    """What ACSE is told when there is no association any more; how it ended is in ``ending``."""
    indication = A_P_ABORT()
    indication.provider_reason = 0
    return indication


class Fragments(Protocol):
    """Where presentation data values go: sandbox.dicom.dimse. ValueError means they make no sense."""

    def receive_fragment(self, context_id: int, control: int, data: memoryview) -> None: ...


class _RefusedError(Exception):
    """The peer sent something that ends the association."""

    def __init__(self, reason: AbortReason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


class SynchronousDUL(DULServiceProvider):
    """The upper layer of one association over one connected socket (which may be an SSL socket).

    ``announced`` is the maximum length we tell the peer, ``patience`` the seconds a peer may neither send nor read
    before the connection counts as lost. ``ending`` says in words why the connection ended, once it has.
    """

    def __init__(
        self,
        assoc: Association,
        connection: socket.socket,
        *,
        announced: int,
        patience: float,
        fragments: Callable[[], Fragments],
        watch: Callable[[Direction, memoryview], None],
    ) -> None:
        # The attributes of pynetdicom's own, without what its constructor makes for a reactor in a thread: that was a
        # third of the price of an association. A test holds the two side by side.
        self._assoc = assoc
        self.socket = None
        nothing: Any = queue.SimpleQueue()
        self.event_queue = self.to_provider_queue = self.to_user_queue = self._recv_pdu = nothing
        self._idle_timer, self.artim_timer = Timer(None), Timer(None)
        self.state_machine = StateMachine(self)
        self._run_loop_delay = 0.0
        self._kill_thread = False
        self._connection = connection
        self._announced = announced
        self._patience = patience
        self._fragments = fragments
        self._watch = watch
        self._buffer = bytearray(_FIRST_BUFFER)
        self._view = memoryview(self._buffer)
        self._low = self._high = 0
        self._stopped = ""
        self._timeout: float | None = None
        self._is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6)
        if self._is_tcp:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state = State.AWAITING_REQUEST
        self.ending = ""
        self.request_pdu = b""
        self.answer_pdu = b""
        self.indications: deque[Any] = deque()
        # What we remember of an A-ASSOCIATE-AC with these variable items; it is not decoded again.
        self.recall: Callable[[bytes], A_ASSOCIATE | None] = lambda items: None
        self.rejection: Rejection | None = None
        self.abort_seen: tuple[int, int] | None = None
        self.aborted_here = False
        self.spoke = False
        # What the TLS handshake agreed on, in words; empty without TLS.
        self.secured = ""
        self.tls_failed = False

    # --- what pynetdicom calls -------------------------------------------------------------------------------

    def is_alive(self) -> bool:
        """Never: it is no running thread, and pynetdicom's waits for one must not happen."""
        return False

    def send_pdu(self, primitive: Any) -> None:
        """Send a primitive's PDU at once."""
        if isinstance(primitive, P_DATA):
            self._write(P_DATA_TF(primitive).encode())
        elif isinstance(primitive, A_ASSOCIATE):
            self._send_associate(primitive)
        elif isinstance(primitive, A_RELEASE):
            if primitive.result is None:
                self.state = State.RELEASING
                self._write(four_bytes(Kind.RELEASE_RQ))
            else:
                self._write(four_bytes(Kind.RELEASE_RP))
        elif isinstance(primitive, A_ABORT):
            self._write(four_bytes(Kind.ABORT, 0, 0, primitive.abort_source or 0))
            self.aborted_here = True
            self._end("this side aborted")

    def receive_pdu(self, wait: bool = False, timeout: float | None = None) -> Any:
        """The next primitive for ACSE. With ``wait`` it reads until there is one or ``timeout`` seconds are over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.indications:
            if not wait or self.state is State.ENDED or not self.advance(deadline=deadline):
                return None
        return self.indications.popleft()

    def peek_next_pdu(self) -> Any:
        """The primitive that ``receive_pdu`` would return, if there is one already."""
        return self.indications[0] if self.indications else None

    def stop_dul(self) -> bool:
        return True

    # --- what our own association calls ------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.state is State.ENDED

    def secure(self, context: ssl.SSLContext, server_name: str | None, timeout: float) -> bool:
        """Shake hands for TLS within ``timeout`` seconds before anything else is said: as requestor with whoever is
        ``server_name``, as acceptor without one. False: the connection is over, and ``ending`` says why."""
        deadline = time.monotonic() + timeout
        try:
            self._set_timeout(None, deadline)
            plain = server_name is None and sockets.begins_plain(self._connection)
            self._connection = secured = tls.wrapped(self._connection, context, server_name)
            if self._stopped:
                raise EOFError
            self._set_timeout(None, deadline)
            try:
                secured.do_handshake()
            except (ssl.SSLError, ConnectionError):
                if not plain:
                    raise
                self._end("the peer speaks without TLS to a port with TLS")
                return False
            self.secured = tls.describe(secured)
        except TimeoutError:
            self._end(f"the TLS handshake was not over within {timeout:g} s")
        except EOFError:
            self._end(self._stopped or "the peer closed the connection before the TLS handshake")
        except (OSError, ValueError) as wrong:
            self._end(self._stopped or f"the TLS handshake failed: {explain_tls_failure(wrong)}")
        return not self.ended

    def await_request(self, timeout: float) -> bytes:
        """The A-ASSOCIATE-RQ as sent, or nothing if none came within the ARTIM time (the whole of it)."""
        deadline = time.monotonic() + timeout
        while not self.request_pdu and not self.ended:
            if not self.advance(deadline=deadline):
                break
        return self.request_pdu

    def send_request(self, called_ae: str, calling_ae: str, items: bytes) -> None:
        """Send an A-ASSOCIATE-RQ whose variable items are at hand as bytes."""
        self.state = State.AWAITING_ANSWER
        fixed = titles(called_ae, calling_ae)
        self._write(HEADER.pack(Kind.ASSOCIATE_RQ, len(fixed) + len(items)) + fixed + items)

    def await_answer(self, timeout: float) -> bool:
        """Read until the request is answered, in whatever way. False if nothing came within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self.indications:
            if not self.advance(deadline=deadline):
                return False
        return True

    def send_accept(self, items: bytes) -> None:
        """Send an A-ASSOCIATE-AC whose variable items are at hand as bytes. Its reserved fields are those of the
        request, as PS3.8 table 9-17 wants them."""
        self.state = State.OPEN
        self.answer_pdu = (
            HEADER.pack(Kind.ASSOCIATE_AC, FIXED - 6 + len(items)) + _VERSION + (self.request_pdu[10:FIXED] + items)
        )
        self._write(self.answer_pdu)

    def advance(self, *, silence: float | None = None, deadline: float | None = None) -> bool:
        """Read one PDU and act on it. False if the peer was silent for ``silence`` seconds or ``deadline`` passed."""
        if self.ended:
            return True
        try:
            if self._stopped:
                # What has arrived already is not served any more.
                raise EOFError
            self._fill(6, silence, deadline)
            kind, length = HEADER.unpack_from(self._buffer, self._low)
            refused = self._refusal(kind, length)
            if refused is not None:
                # Shown as far as it was read, so that a capture holds what the abort is about.
                self._watch(Direction.RECEIVED, self._view[self._low : min(self._high, self._low + 6 + length)])
                raise refused
            self._fill(6 + length, silence, deadline)
            pdu = self._view[self._low : self._low + 6 + length]
            self._low += 6 + length
            self.spoke = True
            self._watch(Direction.RECEIVED, pdu)
            self._receive(Kind(kind), pdu)
        except TimeoutError:
            return False
        except EOFError:
            self._closed()
        except _RefusedError as wrong:
            self.abort_by_provider(wrong.reason, f"the peer sent {wrong.words}")
        except OSError as lost:
            self._broke(lost)
        return True

    def _refusal(self, kind: int, length: int) -> _RefusedError | None:
        """Why a PDU is refused by its header alone."""
        if kind not in _KINDS:
            return _RefusedError(AbortReason.UNRECOGNISED_PDU, self._describe_stranger(kind))
        if length > longest(kind, self._announced) or (kind in _OF_FOUR_BYTES and length != 4):
            return _RefusedError(AbortReason.INVALID_PARAMETER, f"a PDU of type {kind} that claims {length} bytes")
        if kind not in _EXPECTED[self.state]:
            return _RefusedError(AbortReason.UNEXPECTED_PDU, f"a PDU of type {kind} at the wrong time")
        return None

    def poll(self) -> None:
        """Act on every PDU that has begun to arrive, without waiting for another."""
        while not self.ended and self._is_readable():
            if not self.advance(silence=self._patience):
                self.abort_by_provider(AbortReason.NOT_SPECIFIED, "the peer stopped in the middle of a PDU")

    def send_message(self, context_id: int, command: bytes, data: Any = None, maximum: int = 0) -> None:
        """Send a DIMSE message in as few writes as its size allows. ``maximum`` is the peer's maximum length."""
        room = min(maximum or _LARGEST_SENT_PDU, _LARGEST_SENT_PDU) - 6
        # Fragments of even length, as data sets are; a peer that announces less than that gets two bytes at a time.
        room = max(room - room % 2, 2)
        out = bytearray()
        sizes: list[int] = []
        for body, control in ((command, 1), (data, 0)):
            if body is None:
                continue
            view = memoryview(body)
            position, end = 0, len(view)
            while position < end:
                size = min(room, end - position)
                last = 2 if position + size == end else 0
                out += _PDV.pack(Kind.DATA, size + 6, size + 2, context_id, control | last)
                out += view[position : position + size]
                sizes.append(size + 12)
                position += size
                if len(out) >= _SEND_BATCH:
                    self._write_all(out, sizes)
                    out, sizes = bytearray(), []
                    if self.ended:
                        return
        self._write_all(out, sizes)

    def abort_by_provider(self, reason: AbortReason, words: str) -> None:
        """End the association because of what the peer did; ``words`` say what."""
        # PS3.8 table 9-9 lets AA-1 speak as service user, which has no reason field; the provider can say why.
        self._write(four_bytes(Kind.ABORT, 0, 0, 2, reason))
        self._end(words)

    def interrupt(self, words: str) -> None:
        """Make the association's thread abort as soon as it reads or sends. May be called from any thread."""
        self._stopped = words
        sockets.shutdown(self._connection, socket.SHUT_RD)

    def cut(self) -> None:
        """Break the connection under a thread that does not come back from sending. May be called from any thread."""
        sockets.shutdown(self._connection, socket.SHUT_RDWR)

    def linger(self, seconds: float) -> None:
        """Wait until the peer has closed (ARTIM, PS3.8 9.1.5): closing first could lose our last PDU."""
        if not self._stopped:
            sockets.say_goodbye(self._connection)
        if seconds:
            sockets.shutdown(self._connection, socket.SHUT_WR)
        sockets.wait_for_close(self._connection, self._view, seconds, lambda: bool(self._stopped))

    def close(self) -> None:
        """Give the socket back. Nothing can be sent or received afterwards."""
        self.state = State.ENDED
        with contextlib.suppress(OSError):
            self._connection.close()

    # --- receiving ---------------------------------------------------------------------------------------------

    def _fill(self, need: int, silence: float | None, deadline: float | None) -> None:
        """Make ``need`` bytes available at ``_low``."""
        while self._high - self._low < need:
            if self._low == self._high:
                self._low = self._high = 0
            if self._low + need > len(self._buffer):
                self._make_room(need)
            self._set_timeout(silence, deadline)
            # A client with Nagle's algorithm on waits for our ACK before it sends the rest of a message.
            if self._is_tcp and _QUICK_ACK is not None:
                self._connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
            received = self._connection.recv_into(self._view[self._high :])
            if not received:
                raise EOFError
            self._high += received

    def _make_room(self, need: int) -> None:
        rest = bytes(self._view[self._low : self._high])
        if need > len(self._buffer):
            # Room for several PDUs of this size: large objects then come in few reads.
            self._buffer = bytearray(max(need, min(4 * need, _SEND_BATCH)))
            self._view = memoryview(self._buffer)
        self._view[: len(rest)] = rest
        self._low, self._high = 0, len(rest)

    def _set_timeout(self, silence: float | None, deadline: float | None) -> None:
        timeout = silence
        if deadline is not None:
            timeout = deadline - time.monotonic()
            if timeout <= 0:
                raise TimeoutError
        if timeout != self._timeout:
            self._connection.settimeout(timeout)
            self._timeout = timeout

    def _is_readable(self) -> bool:
        if self._low < self._high:
            return True
        if not isinstance(self._connection, ssl.SSLSocket):
            return sockets.is_polled(self._connection)
        found = sockets.read_now(self._connection, self._view)
        self._timeout = 0
        # The end of the connection is something to read, too.
        self._low, self._high = 0, found or 0
        return found is not None

    def _receive(self, kind: Kind, pdu: memoryview) -> None:
        match kind:
            case Kind.DATA:
                self._receive_data(pdu)
            case Kind.ASSOCIATE_RQ:
                self.request_pdu = bytes(pdu)
                self.state = State.DECIDING
            case Kind.ASSOCIATE_AC:
                self._receive_accept(bytes(pdu))
            case Kind.ASSOCIATE_RJ:
                self.rejection = Rejection(result=pdu[7], source=pdu[8], reason=pdu[9])
                self._end("the peer rejected the association")
            case Kind.RELEASE_RQ:
                if self.state is State.OPEN:
                    self.state = State.RELEASED_BY_PEER
                self.indications.append(A_RELEASE())
            case Kind.RELEASE_RP:
                answer = A_RELEASE()
                answer.result = "affirmative"
                self.indications.append(answer)
            case Kind.ABORT:
                self.abort_seen = (pdu[8], pdu[9])
                self._end("the peer aborted")

    def _receive_data(self, pdu: memoryview) -> None:
        position, end = 6, len(pdu)
        target = self._fragments()
        while position < end:
            if position + 6 > end:
                raise _RefusedError(AbortReason.INVALID_PARAMETER, "a data PDU that ends within a PDV's header")
            length, context_id, control = _PDV_HEADER.unpack_from(pdu, position)
            if length < 2 or position + 4 + length > end:
                raise _RefusedError(AbortReason.INVALID_PARAMETER, f"a PDV that claims {length} bytes")
            try:
                target.receive_fragment(context_id, control, pdu[position + 6 : position + 4 + length])
            except ValueError as wrong:
                raise _RefusedError(AbortReason.INVALID_PARAMETER, f"a message we cannot take: {wrong}") from wrong
            position += 4 + length

    def _receive_accept(self, pdu: bytes) -> None:
        primitive = self.recall(pdu[FIXED:])
        if primitive is None:
            accept = A_ASSOCIATE_AC()
            try:
                accept.decode(tidy(pdu))
                primitive = accept.to_primitive()
            except Exception as wrong:
                # Whatever pynetdicom stumbles over in the peer's bytes, it is the peer's PDU that is wrong.
                words = f"an A-ASSOCIATE-AC we cannot read: {wrong}"
                raise _RefusedError(AbortReason.INVALID_PARAMETER, words) from wrong
        self.answer_pdu = pdu
        self.state = State.OPEN
        self.indications.append(primitive)

    def _describe_stranger(self, kind: int) -> str:
        if kind == HANDSHAKE and not self.spoke:
            return "a TLS handshake to a port without TLS"
        if kind == ALERT and not self.spoke:
            return "a TLS alert: its port wants TLS"
        return f"bytes that are no DICOM PDU (type {kind:02X}H)"

    # --- sending and ending ------------------------------------------------------------------------------------

    def _send_associate(self, primitive: A_ASSOCIATE) -> None:
        if primitive.result is None:
            items = A_ASSOCIATE_RQ(primitive).encode()[FIXED:]
            self.send_request(primitive.called_ae_title or "", primitive.calling_ae_title or "", items)
        elif primitive.result == 0:
            self.send_accept(A_ASSOCIATE_AC(primitive).encode()[FIXED:])
        else:
            numbers = (primitive.result, primitive.result_source, primitive.diagnostic)
            self._write(four_bytes(Kind.ASSOCIATE_RJ, 0, *(number or 0 for number in numbers)))
            self.state = State.ENDED

    def _write(self, pdu: bytes) -> None:
        self._write_all(pdu, [len(pdu)])

    def _write_all(self, data: bytes | bytearray, sizes: list[int]) -> None:
        """Send whole PDUs, of these sizes, in one call."""
        if self.ended or not sizes:
            return
        view = memoryview(data)
        position = 0
        for size in sizes:
            self._watch(Direction.SENT, view[position : position + size])
            position += size
        try:
            if self._timeout != self._patience:
                self._connection.settimeout(self._patience)
                self._timeout = self._patience
            self._connection.sendall(view)
        except TimeoutError:
            self._end(f"the peer took nothing for {self._patience:g} s")
        except OSError as lost:
            self._broke(lost)

    def _broke(self, lost: OSError) -> None:
        lost = sockets.unheard_alert(self._connection) or lost
        if isinstance(lost, ssl.SSLError) and not isinstance(lost, ssl.SSLEOFError):
            # In TLS 1.3 a requestor hears of what is wrong with its certificate only when it reads on.
            self.tls_failed = True
            self._end(f"TLS failed: {explain_tls_failure(lost)}")
        elif self.secured and not self.spoke:
            self.tls_failed = True
            self._end("the peer broke off right after the TLS handshake, as if it wanted another certificate of us")
        else:
            self._end(f"the connection broke: {lost.strerror or lost}")

    def _closed(self) -> None:
        """The peer closed the connection, or ``interrupt`` made it look so."""
        if self._stopped:
            self._write(four_bytes(Kind.ABORT))
            self._end(self._stopped)
        elif self.state is State.AWAITING_REQUEST:
            self._end("the peer closed the connection before asking for an association")
        else:
            self._end("the peer closed the connection without releasing the association")

    def _end(self, words: str) -> None:
        if self.ended:
            return
        self.ending = words
        self.state = State.ENDED
        self.indications.append(_lost())
