"""A bare requestor: PDUs as bytes that are made once, so that the server is measured and not the client.

A dcmtk tool takes longer to start than a fast server takes for ten associations, and longer to decode an answer than a
fast server takes to find it. Every answer is checked; a wrong one is an OSError (PS3.8 9.3, PS3.7 9.1 and 9.3).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from types import TracebackType

from pydicom.datadict import tag_for_keyword

VERIFICATION = b"1.2.840.10008.1.1"
STUDY_ROOT_FIND = b"1.2.840.10008.5.1.4.1.2.2.1"
_TIMEOUT_S = 30.0
_ASSOCIATE_AC, _DATA, _RELEASE_RP = 2, 4, 6
_CONTEXT = 1
_COMMAND_AND_LAST, _LAST_DATA = 3, 2
_RELEASE_RQ = bytes((5, 0, 0, 0, 0, 4, 0, 0, 0, 0))
_C_FIND_RQ, _C_ECHO_RQ = 0x0020, 0x0030
_WITH_DATA, _NO_DATA = 0x0001, 0x0101
_PENDING = (0xFF00, 0xFF01)


class BareAssociation:
    """An association for one SOP class, released at the end of its ``with``."""

    def __init__(self, port: int, called_ae: str, sop_class: bytes) -> None:
        self._sop_class = sop_class
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        try:
            self._socket.sendall(_associate_request(called_ae, sop_class))
            self._expect(_ASSOCIATE_AC)
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> BareAssociation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._socket.sendall(_RELEASE_RQ)
                self._expect(_RELEASE_RP)
        finally:
            self._close()

    def echo(self) -> None:
        """C-ECHO, which must be answered with success."""
        self._socket.sendall(_request(self._sop_class, _C_ECHO_RQ, b""))
        if next(self._statuses()) != 0:
            raise OSError("C-ECHO was not answered with success")

    def find(self, keys: Sequence[str]) -> int:
        """C-FIND with ``Keyword=value`` keys; how many matches there were."""
        self._socket.sendall(_request(self._sop_class, _C_FIND_RQ, identifier(tuple(keys))))
        matches = 0
        for status in self._statuses():
            if status in _PENDING:
                matches += 1
            elif status == 0:
                return matches
            else:
                raise OSError(f"C-FIND ended with {status:04X}")
        raise OSError("C-FIND did not end")

    def _statuses(self) -> Iterator[int]:
        """The status of each response as it comes; their data sets are passed over."""
        command = b""
        while True:
            body = self._expect(_DATA)
            position = 0
            while position < len(body):
                length, _, control = struct.unpack_from(">LBB", body, position)
                if control & 1:
                    command += body[position + 6 : position + 4 + length]
                    if control & 2:
                        yield _status(command)
                        command = b""
                position += 4 + length

    def _expect(self, kind: int) -> bytes:
        """The body of the next PDU, which must be of this kind."""
        got, length = struct.unpack(">BxL", self._read(6))
        body = self._read(length)
        if got != kind:
            raise OSError(f"a PDU of type {got} instead of {kind}")
        return body

    def _read(self, count: int) -> bytes:
        data = self._reader.read(count)
        if len(data) != count:
            raise ConnectionResetError("the server closed the connection")
        return data

    def _close(self) -> None:
        self._reader.close()
        self._socket.close()


def echo_once(port: int, called_ae: str) -> None:
    """One association with one C-ECHO, released in order."""
    with BareAssociation(port, called_ae, VERIFICATION) as association:
        association.echo()


@cache
def identifier(keys: tuple[str, ...]) -> bytes:
    """A study level identifier in implicit VR little endian."""
    elements = {}
    for key in ("QueryRetrieveLevel=STUDY", "StudyInstanceUID", *keys):
        keyword, _, value = key.partition("=")
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise ValueError(f"{keyword} is no attribute")
        elements[tag] = value.encode() + b" " * (len(value) % 2)
    head = struct.Struct("<HHL").pack
    return b"".join(head(tag >> 16, tag & 0xFFFF, len(value)) + value for tag, value in sorted(elements.items()))


@cache
def _associate_request(called_ae: str, sop_class: bytes) -> bytes:
    def item(kind: int, value: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(value)) + value

    context = item(0x30, sop_class) + item(0x40, b"1.2.840.10008.1.2")
    user = item(0x51, struct.pack(">L", 131072)) + item(0x52, b"2.25.1")
    body = (
        struct.pack(">H2x16s16s32x", 1, called_ae.ljust(16).encode(), b"BENCH".ljust(16))
        + item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, bytes((_CONTEXT, 0, 0, 0)) + context)
        + item(0x50, user)
    )
    return struct.pack(">BxL", 1, len(body)) + body


@cache
def _request(sop_class: bytes, field: int, data: bytes) -> bytes:
    """Command and data set, each in a PDU of its own."""

    def element(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHL", 0, tag, len(value)) + value

    def pdu(control: int, value: bytes) -> bytes:
        return struct.pack(">BxLLBB", _DATA, len(value) + 6, len(value) + 2, _CONTEXT, control) + value

    rest = (
        element(0x0002, sop_class + b"\0" * (len(sop_class) % 2))
        + element(0x0100, struct.pack("<H", field))
        + element(0x0110, struct.pack("<H", 1))
        + (element(0x0700, struct.pack("<H", 0)) if data else b"")
        + element(0x0800, struct.pack("<H", _WITH_DATA if data else _NO_DATA))
    )
    command = element(0x0000, struct.pack("<L", len(rest))) + rest
    return pdu(_COMMAND_AND_LAST, command) + (pdu(_LAST_DATA, data) if data else b"")


def _status(command: bytes) -> int:
    """Status (0000,0900) of an encoded command set."""
    position = 0
    while position + 8 <= len(command):
        _, tag, length = struct.unpack_from("<HHL", command, position)
        if tag == 0x0900:
            return int(struct.unpack_from("<H", command, position + 8)[0])
        position += 8 + length
    raise OSError("a response without a status")
