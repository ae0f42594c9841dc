"""The DIMSE provider of one association: whole messages in and out, over the synchronous DUL.

Our own services and clients use ``receive`` and ``send`` with ``Message`` and ``Command``; pynetdicom's service classes
and its send_n_* methods use ``get_msg`` and ``send_msg`` as ever. Both are entered in the exchange book.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_CANCEL

from sandbox.dicom.dul import SynchronousDUL
from sandbox.dicom.exchanges import ExchangeBook
from sandbox.dicom.messages import (
    C_CANCEL_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    C_STORE_RQ,
    NO_DATA_SET,
    RESPONSE,
    Command,
    Message,
    decode_command,
    encode_command,
    from_primitive,
    to_primitive,
)
from sandbox.dicom.spool import Spooled

if TYPE_CHECKING:
    from pynetdicom.association import Association

_LONGEST_COMMAND = 1 << 16
# Requests that arrive while one is being served. Asynchronous operations are never negotiated, so none should.
_MOST_WAITING = 64
_MOST_BYTES_WAITING = 64 << 20
# The longest data set of any message but a C-STORE: it is decoded in memory, where a byte can cost a hundred. Room for
# a list of 30,000 UIDs in a query, and for 100,000 instances in a request for storage commitment.
_LONGEST_QUERY = 2 << 20
_LONGEST_OTHER = 16 << 20
_QUERIES = frozenset({C_FIND_RQ, C_MOVE_RQ, C_GET_RQ})


class SynchronousDIMSE(DIMSEServiceProvider):
    """``is_context`` says whether a presentation context was accepted; data on any other ends the association."""

    def __init__(
        self, assoc: Association, dul: SynchronousDUL, book: ExchangeBook, is_context: Callable[[int], bool]
    ) -> None:
        # The attributes of pynetdicom's own, without its queue: nothing crosses from one thread to another here.
        self._assoc = assoc
        self.cancel_req = {}
        self.message = None
        self.msg_queue = queue.SimpleQueue()  # type: ignore[assignment]
        self._dul = dul
        self._book = book
        self._is_context = is_context
        self._waiting: deque[Message] = deque()
        self._context_id: int | None = None
        self._command: Command | None = None
        self._encoded = bytearray()
        self._data = bytearray()
        self._spooled: Spooled | None = None
        # Where instances of more than so many bytes go; None holds everything in memory.
        self.spool_above: int | None = None
        self.begin_spool: Callable[[int, Command], Spooled] | None = None

    # --- messages ------------------------------------------------------------------------------------------------

    def receive(self, silence: float) -> Message | None:
        """The next message. None if the peer was silent for that many seconds, asked for release, or is gone."""
        while not self._waiting:
            if self._dul.ended or self._dul.indications or not self._dul.advance(silence=silence):
                return None
        return self._waiting.popleft()

    def send(self, context_id: int, command: Command, data: Any = None) -> None:
        """Send a message. ``data`` is the encoded data set; the command must announce it."""
        self._book.note(True, context_id, command, 0 if data is None else len(data))
        self._dul.send_message(context_id, encode_command(command), data, self.maximum_pdu_size or 0)

    @property
    def is_midway(self) -> bool:
        """Whether a message has begun and is not whole yet: its sender has more to send."""
        return self._context_id is not None

    @property
    def maximum_pdu_size(self) -> int:
        """The peer's maximum length; 0 for none. It is part of what was agreed."""
        agreement = getattr(self._assoc, "agreement", None)
        return super().maximum_pdu_size if agreement is None else agreement.peer_maximum

    def send_pending(
        self, message_id: int, pdus: bytes, sizes: list[int], responses: int, of_data: int, last: Command | None = None
    ) -> None:
        """Send pending responses to the peer's request that are at hand as PDUs of these sizes, with so many bytes of
        data sets in them. ``last`` is the final response, if the last PDU is that."""
        self._book.note_pending(message_id, responses, of_data)
        if last is not None:
            self._book.note(True, 0, last, 0)
        self._dul.send_pdus(pdus, sizes)

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the operation should stop: a C-CANCEL for it has arrived, or the association is gone."""
        self._dul.poll()
        return message_id in self.cancel_req or self._dul.ended

    # --- what the DUL calls --------------------------------------------------------------------------------------

    def receive_fragment(self, context_id: int, control: int, data: memoryview) -> None:
        """Take one presentation data value (PS3.8 annex E), which may be any part of a message."""
        if not self._is_context(context_id):
            raise ValueError(f"presentation context {context_id} was not accepted")
        if self._context_id not in (None, context_id):
            raise ValueError("the fragments of one message come on two presentation contexts")
        self._context_id = context_id
        if control & 1:
            self._receive_command(control, data)
        elif self._command is None:
            raise ValueError("a data set without a command before it")
        else:
            self._receive_data(control, data)

    def _receive_command(self, control: int, data: memoryview) -> None:
        if self._command is not None:
            raise ValueError("a command where the data set of the one before should go on")
        self._encoded += data
        if len(self._encoded) > _LONGEST_COMMAND:
            raise ValueError("the command set is longer than any command can be")
        if control & 2:
            self._command = decode_command(self._encoded)
            if self._command.get("CommandDataSetType", NO_DATA_SET) == NO_DATA_SET:
                self._complete(None)

    def _receive_data(self, control: int, data: memoryview) -> None:
        if self._spooled is None and self._is_for_a_file(len(self._data) + len(data)):
            self._to_file()
        if self._spooled is not None:
            self._spooled.write(data)
            if control & 2:
                self._complete(None, self._spooled)
            return
        if control & 2 and not self._data:
            self._complete(bytes(data))
            return
        if not self._is_store() and len(self._data) + len(data) > self._longest():
            raise ValueError("its data set is longer than any of its kind can be")
        self._data += data
        if control & 2:
            self._complete(memoryview(self._data).toreadonly())

    def _is_for_a_file(self, size: int) -> bool:
        return self.spool_above is not None and size > self.spool_above and self._is_store()

    def _longest(self) -> int:
        return _LONGEST_QUERY if self._command and self._command["CommandField"] in _QUERIES else _LONGEST_OTHER

    def _is_store(self) -> bool:
        return self._command is not None and self._command["CommandField"] == C_STORE_RQ

    def _to_file(self) -> None:
        """From here on the data set goes to a file, what has come of it first."""
        assert self._command is not None
        assert self._context_id is not None
        assert self.begin_spool is not None
        self._spooled = self.begin_spool(self._context_id, self._command)
        self._spooled.write(self._data)
        self._data = bytearray()

    def discard(self) -> None:
        """Delete the files of what was received in part, or was not served any more. The association is over."""
        for spooled in (self._spooled, *(message.spooled for message in self._waiting)):
            if spooled is not None:
                spooled.discard()
        self._waiting.clear()
        self._forget()

    def _complete(self, data: bytes | memoryview | None, spooled: Spooled | None = None) -> None:
        assert self._command is not None
        assert self._context_id is not None
        repeated = self._is_repeated(self._command)
        message = Message(self._context_id, self._command, data, spooled, repeated)
        size = spooled.size if spooled is not None else 0 if data is None else len(data)
        self._forget()
        if not repeated:
            self._book.note(False, message.context_id, message.command, size)
        if message.command["CommandField"] == C_CANCEL_RQ:
            # One that comes after the final response is too late, and must not hit the next use of its message id.
            cancelled = message.command.get("MessageIDBeingRespondedTo", 0)
            if self._book.awaits_our_answer(cancelled):
                self.cancel_req[cancelled] = C_CANCEL()
            return
        if len(self._waiting) >= _MOST_WAITING or (
            self._waiting and self._bytes_waiting() + size > _MOST_BYTES_WAITING
        ):
            if spooled is not None:
                spooled.discard()
            raise ValueError("more requests at once than were negotiated")
        self._waiting.append(message)

    def _is_repeated(self, command: Command) -> bool:
        field = command["CommandField"]
        is_request = not field & RESPONSE and field != C_CANCEL_RQ
        return is_request and self._book.awaits_our_answer(command.get("MessageID", 0))

    def refuse_repeated(self, message: Message, response: Command) -> None:
        """Answer a request whose message id was taken. It is entered in the book only now, when the other is out."""
        self._book.note(False, message.context_id, message.command, len(message.data or b""))
        self.send(message.context_id, response)

    def _bytes_waiting(self) -> int:
        return sum(len(message.data or b"") for message in self._waiting)

    def _forget(self) -> None:
        self._spooled = None
        self._context_id = None
        self._command = None
        self._encoded = bytearray()
        self._data = bytearray()

    # --- what pynetdicom calls -----------------------------------------------------------------------------------

    def get_msg(self, block: bool = False) -> Any:
        """The next message as (context id, primitive), or (None, None)."""
        if not block and not self._waiting:
            return None, None
        message = self.receive(self.dimse_timeout or 0)
        return (None, None) if message is None else (message.context_id, to_primitive(message))

    def send_msg(self, primitive: Any, context_id: int) -> None:
        """Send a primitive as a message."""
        command, data = from_primitive(primitive)
        self.send(context_id, command, data)
