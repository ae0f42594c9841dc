"""The synchronous DUL: pynetdicom's upper layer without its threads, queues, polling and sleeping.

It reads with blocking calls on the thread of the association that owns it and sends at once, so an idle association
costs nothing and an exchange no waiting. Primitives go in and come out as pynetdicom's ACSE and service classes expect
them; the states are those of PS3.8 9.2 as far as a synchronous reader can be in them. Every PDU passes ``watch`` here,
and nowhere else. A connection that is gone is a state, not an exception: what is sent to it is dropped.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA

from sandbox.dicom import sockets, tls
from sandbox.dicom.buffering import Incoming
from sandbox.dicom.idle import IdleDUL
from sandbox.dicom.outgoing import message_pdus, message_pieces
from sandbox.dicom.pdus import FIXED, HEADER, AbortReason, Kind, four_bytes, tidy, titles
from sandbox.dicom.states import RefusedError, State, refusal
from sandbox.dicom.tls_failures import explain_tls_failure
from sandbox.model.association import Direction, Rejection

if TYPE_CHECKING:
    from pynetdicom.association import Association

_VERSION = bytes((0, 1, 0, 0))
_PDV_HEADER = struct.Struct(">LBB")
_RELEASE_RP = four_bytes(Kind.RELEASE_RP)

# The data set of a longer message is sent as it lies in memory; joining a shorter one with its heads is quicker.
_COPIED = 1 << 16


@cache
def _lost() -> A_P_ABORT:
    """What ACSE is told when there is no association any more; how it ended is in ``ending``."""
    indication = A_P_ABORT()
    indication.provider_reason = 0
    return indication


class Fragments(Protocol):
    """Where presentation data values go: sandbox.dicom.dimse. ValueError means they make no sense."""

    def receive_fragment(self, context_id: int, control: int, data: memoryview) -> None: ...
    @property
    def is_midway(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        ...


class SynchronousDUL(IdleDUL):
    """The upper layer of one association over one connected socket (which may be an SSL socket).

    ``announced`` is the maximum length we tell the peer, ``patience`` the seconds a peer may neither send nor read
    before the connection counts as lost. ``watch`` may be None where nobody looks. ``ending`` says in words why the
    connection ended, once it has.
    """

    def __init__(
        self,
        assoc: Association,
        connection: socket.socket,
        *,
        announced: int,
        patience: float,
        fragments: Callable[[], Fragments],
        watch: Callable[[Direction, memoryview], None] | None,
    ) -> None:
        super().__init__(assoc)
        self._connection = connection
        self._incoming = Incoming(connection)
        self._announced = announced
        self._patience = patience
        self._fragments = fragments
        self._watch = watch
        self._stopped = ""
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
                self.send_release_answer()
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

    # --- what our own association calls ------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.state is State.ENDED

    def secure(self, context: ssl.SSLContext, server_name: str | None, timeout: float) -> bool:
        """Shake hands for TLS within ``timeout`` seconds before anything else is said: as requestor with whoever is
        ``server_name``, as acceptor without one. False: the connection is over, and ``ending`` says why."""
        deadline = time.monotonic() + timeout
        try:
            self._incoming.wait_to_read(None, deadline)
            plain = server_name is None and sockets.begins_plain(self._connection)
            self._connection = secured = tls.wrapped(self._connection, context, server_name)
            self._incoming.replace(secured)
            if self._stopped:
                raise EOFError
            self._incoming.wait_to_read(None, deadline)
            try:
                secured.do_handshake()
            except (ssl.SSLError, ConnectionError):
                if not plain:
                    raise
                self._end("the peer speaks without TLS to a port with TLS")
                return False
            self.secured = tls.describe(secured)
        except (TimeoutError, BlockingIOError):
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
            HEADER.pack(Kind.ASSOCIATE_AC, FIXED - 6 + len(items)) + _VERSION + self.request_pdu[10:FIXED] + items
        )
        self._write(self.answer_pdu)

    def send_release_answer(self) -> None:
        """Agree to the peer's release (PS3.8 9.3.7)."""
        self._write(_RELEASE_RP)

    def advance(self, *, silence: float | None = None, deadline: float | None = None) -> bool:
        """Read one PDU and act on it. False if the peer was silent for ``silence`` seconds or ``deadline`` passed."""
        if self.ended:
            return True
        incoming = self._incoming
        try:
            if self._stopped:
                # What has arrived already is not served any more.
                raise EOFError
            midway = self.state is State.OPEN and self._fragments().is_midway
            incoming.fill(6, silence, deadline, midway)
            kind, length = incoming.unpack(HEADER)
            refused = refusal(self.state, kind, length, self._announced, self.spoke)
            if refused is not None:
                # Shown as far as it was read, so that a capture holds what the abort is about.
                if self._watch is not None:
                    self._watch(Direction.RECEIVED, incoming.glance(6 + length))
                raise refused
            incoming.fill(6 + length, silence, deadline, True)
            pdu = incoming.take(6 + length)
            self.spoke = True
            if self._watch is not None:
                self._watch(Direction.RECEIVED, pdu)
            self._receive(kind, pdu)
        except TimeoutError:
            return False
        except EOFError:
            self._closed()
        except RefusedError as wrong:
            self.abort_by_provider(wrong.reason, f"the peer sent {wrong.words}")
        except OSError as lost:
            self._broke(lost)
        return True

    def poll(self) -> None:
        """Act on every PDU that has begun to arrive, without waiting for another."""
        while not self.ended and self._incoming.has_arrived():
            if not self.advance(silence=self._patience):
                self.abort_by_provider(AbortReason.NOT_SPECIFIED, "the peer stopped in the middle of a PDU")

    def send_message(self, context_id: int, command: bytes, data: Any = None, maximum: int = 0) -> None:
        """Send a DIMSE message in as few writes as its size allows. ``maximum`` is the peer's maximum length."""
        if self._watch is None and data is not None and len(data) > _COPIED and self._incoming.takes_pieces:
            # Nobody has to be shown whole PDUs.
            pieces = message_pieces(context_id, command, data, maximum)
            self._sending(lambda: self._incoming.write_pieces(pieces, self._patience))
            return
        for pdus, sizes in message_pdus(context_id, command, data, maximum):
            self._write_all(pdus, sizes)
            if self.ended:
                return

    def send_pdus(self, pdus: bytes | bytearray, sizes: list[int]) -> None:
        """Send P-DATA-TF PDUs, of these sizes, that are at hand as bytes."""
        self._write_all(pdus, sizes)

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
        self._incoming.drain(seconds, lambda: bool(self._stopped))

    def close(self) -> None:
        """Give the socket back. Nothing can be sent or received afterwards."""
        self.state = State.ENDED
        with contextlib.suppress(OSError):
            self._connection.close()

    # --- receiving ---------------------------------------------------------------------------------------------

    def _receive(self, kind: int, pdu: memoryview) -> None:
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
                raise RefusedError(AbortReason.INVALID_PARAMETER, "a data PDU that ends within a PDV's header")
            length, context_id, control = _PDV_HEADER.unpack_from(pdu, position)
            if length < 2 or position + 4 + length > end:
                raise RefusedError(AbortReason.INVALID_PARAMETER, f"a PDV that claims {length} bytes")
            try:
                target.receive_fragment(context_id, control, pdu[position + 6 : position + 4 + length])
            except ValueError as wrong:
                raise RefusedError(AbortReason.INVALID_PARAMETER, f"a message we cannot take: {wrong}") from wrong
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
                raise RefusedError(AbortReason.INVALID_PARAMETER, words) from wrong
        self.answer_pdu = pdu
        self.state = State.OPEN
        self.indications.append(primitive)

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
        if self._watch is not None:
            view = memoryview(data)
            position = 0
            for size in sizes:
                self._watch(Direction.SENT, view[position : position + size])
                position += size
        self._sending(lambda: self._incoming.write(data, self._patience))

    def _sending(self, write: Callable[[], None]) -> None:
        if self.ended:
            return
        try:
            write()
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
