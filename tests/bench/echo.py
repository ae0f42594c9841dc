"""A bare requestor: A-ASSOCIATE, C-ECHO and A-RELEASE as bytes that are made once, so that the server is measured.

A dcmtk tool takes longer to start than a fast server takes for ten associations. Every answer is checked; a wrong one
is an OSError (PS3.8 9.3, PS3.7 9.3.5).
"""

from __future__ import annotations

import socket
import struct
from functools import cache

_TIMEOUT_S = 20.0
_ASSOCIATE_AC, _DATA, _RELEASE_RP = 2, 4, 6
_CONTEXT = 1
_RELEASE_RQ = bytes((5, 0, 0, 0, 0, 4, 0, 0, 0, 0))


def echo_once(port: int, called_ae: str) -> None:
    """One association with one C-ECHO, released in order."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_associate_request(called_ae))
        _expect(connection, _ASSOCIATE_AC)
        connection.sendall(_echo_request())
        answer = _expect(connection, _DATA)
        if _status(answer[6:]) != 0:
            raise OSError("C-ECHO was not answered with success")
        connection.sendall(_RELEASE_RQ)
        _expect(connection, _RELEASE_RP)


@cache
def _associate_request(called_ae: str) -> bytes:
    def item(kind: int, value: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(value)) + value

    context = item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"2.25.1")
    body = (
        struct.pack(">H2x16s16s32x", 1, called_ae.ljust(16).encode(), b"BENCH".ljust(16))
        + item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, bytes((_CONTEXT, 0, 0, 0)) + context)
        + item(0x50, user)
    )
    return struct.pack(">BxL", 1, len(body)) + body


@cache
def _echo_request() -> bytes:
    def element(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHL", 0, tag, len(value)) + value

    rest = (
        element(0x0002, b"1.2.840.10008.1.1\0")
        + element(0x0100, struct.pack("<H", 0x0030))
        + element(0x0110, struct.pack("<H", 1))
        + element(0x0800, struct.pack("<H", 0x0101))
    )
    command = element(0x0000, struct.pack("<L", len(rest))) + rest
    return struct.pack(">BxLLBB", _DATA, len(command) + 6, len(command) + 2, _CONTEXT, 3) + command


def _expect(connection: socket.socket, kind: int) -> bytes:
    """The body of the next PDU, which must be of this kind."""
    got, length = struct.unpack(">BxL", _read(connection, 6))
    body = _read(connection, length)
    if got != kind:
        raise OSError(f"a PDU of type {got} instead of {kind}")
    return body


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionResetError("the server closed the connection")
        data += more
    return data


def _status(command: bytes) -> int | None:
    """Status (0000,0900) of an encoded command set."""
    position = 0
    while position + 8 <= len(command):
        _, tag, length = struct.unpack_from("<HHL", command, position)
        if tag == 0x0900:
            return int(struct.unpack_from("<H", command, position + 8)[0])
        position += 8 + length
    return None
