"""Responses in one burst: pending ones go out in one write with what follows them, their command sets packed by hand.

A response to a C-FIND costs more as a general message than as an answer of the archive. What is sent is the same, PDU
by PDU; a test holds the two side by side.
"""

from __future__ import annotations

import struct
import time
from functools import lru_cache

from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.messages import DATA_SET, NO_DATA_SET, RESPONSE, Command, Message, encode_command, response_to
from sandbox.dicom.pdus import Kind

# One write takes that much, and an answer waits that long for others.
_MOST_BYTES = 1 << 16
_MOST_SECONDS = 0.02
# Fragments that fit any peer of ours; one that announces less gets its answers one by one.
_LARGEST_PDU = 1 << 17

_PDV = struct.Struct(">BxLLBB").pack
_COMMAND_AND_LAST, _DATA_AND_LAST = 3, 2
# Message ID Being Responded To, Command Data Set Type and Status, each with its head (PS3.7 9.3).
_REST = struct.Struct("<HHLHHHLHHHLH")


def packed_response(field: int, sop_class: str, message_id: int, status: int, *, with_data: bool) -> bytes:
    """The command set of a response that names no instance and has no comment."""
    data_type = DATA_SET if with_data else NO_DATA_SET
    rest = _REST.pack(0, 0x0120, 2, message_id, 0, 0x0800, 2, data_type, 0, 0x0900, 2, status)
    return _head(field, sop_class) + rest


@lru_cache(64)
def _head(field: int, sop_class: str) -> bytes:
    """What stands before that: the same whatever the request and the status."""
    command: Command = {
        "CommandField": field,
        "MessageIDBeingRespondedTo": 0,
        "CommandDataSetType": NO_DATA_SET,
        "Status": 0,
    }
    if sop_class:
        command["AffectedSOPClassUID"] = sop_class
    return encode_command(command)[: -_REST.size]


class Burst:
    """Gathers pending responses to one request, and sends them."""

    def __init__(self, association: AcceptorAssociation, message: Message) -> None:
        self._dimse = association.dimse
        self._request = message.command
        self._context_id = message.context_id
        self._message_id = message.command.get("MessageID", 0)
        self._room = min(self._dimse.maximum_pdu_size or _LARGEST_PDU, _LARGEST_PDU) - 6
        self._pieces: list[bytes] = []
        self._sizes: list[int] = []
        self._bytes = self._answers = self._of_data = 0
        self._since = 0.0
        self._status = 0
        self._command = b""

    def add(self, status: int, data: bytes) -> None:
        """One response with its encoded identifier. It waits for the next ones, or for ``flush``."""
        if status != self._status:
            self._status, self._command = status, self._command_pdu(status, with_data=True)
        if max(len(data), len(self._command) - 12) > self._room or not data:
            self.flush()
            command = response_to(self._request, status)
            command["CommandDataSetType"] = DATA_SET
            self._dimse.send(self._context_id, command, data)
            return
        if not self._pieces:
            self._since = time.monotonic()
        length = len(data)
        self._pieces += (
            self._command,
            _PDV(Kind.DATA, length + 6, length + 2, self._context_id, _DATA_AND_LAST),
            data,
        )
        self._sizes += (len(self._command), length + 12)
        self._bytes += len(self._command) + length + 12
        self._answers += 1
        self._of_data += length
        if self._bytes >= _MOST_BYTES or time.monotonic() - self._since >= _MOST_SECONDS:
            self.flush()

    @property
    def is_empty(self) -> bool:
        """Whether all that came has been sent."""
        return not self._pieces

    def flush(self) -> None:
        """Send what is gathered."""
        if self._pieces:
            self._send(None)

    def finish(self, status: int, comment: str = "") -> None:
        """Send what is gathered, and the final response."""
        last = response_to(self._request, status, comment)
        pdu = self._command_pdu(status, with_data=False)
        if comment or len(pdu) - 12 > self._room:
            self.flush()
            self._dimse.send(self._context_id, last)
            return
        self._pieces.append(pdu)
        self._sizes.append(len(pdu))
        self._send(last)

    def _send(self, last: Command | None) -> None:
        pdus = b"".join(self._pieces)
        self._dimse.send_pending(self._message_id, pdus, self._sizes, self._answers, self._of_data, last)
        self._pieces, self._sizes = [], []
        self._bytes = self._answers = self._of_data = 0

    def _command_pdu(self, status: int, *, with_data: bool) -> bytes:
        field, sop_class = self._request["CommandField"] | RESPONSE, self._request.get("AffectedSOPClassUID", "")
        command = packed_response(field, sop_class, self._message_id, status, with_data=with_data)
        return _PDV(Kind.DATA, len(command) + 6, len(command) + 2, self._context_id, _COMMAND_AND_LAST) + command
