"""Waiting for a peer without Python's time limits: it ends when it should, and nobody waits for a delayed ACK."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.buffering import Incoming
from sandbox.dicom.messages import encode_command
from tests.dicom.support import IMPLICIT, associate_rq, pdu, pdv, serving

HEADER = struct.Struct(">BxL")
DELAYED_ACK_S = 0.04
ECHOES = 150


@pytest.fixture
def pair() -> Iterator[tuple[Incoming, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        there.settimeout(20)
        yield Incoming(here), there


def test_what_comes_in_pieces_is_taken_whole(pair: tuple[Incoming, socket.socket]) -> None:
    incoming, peer = pair
    peer.sendall(HEADER.pack(4, 3) + b"ab")
    threading.Timer(0.05, peer.sendall, (b"c" + HEADER.pack(5, 4),)).start()
    incoming.fill(6, 20, None, False)
    assert incoming.unpack(HEADER) == (4, 3)
    incoming.fill(9, 20, None, True)
    assert bytes(incoming.take(9)) == HEADER.pack(4, 3) + b"abc"
    incoming.fill(6, 20, None, False)
    assert incoming.unpack(HEADER) == (5, 4)


def test_silence_and_a_deadline_end_a_read_and_a_longer_one_may_follow(pair: tuple[Incoming, socket.socket]) -> None:
    incoming, peer = pair
    with pytest.raises(TimeoutError):
        incoming.fill(1, 0.05, None, False)
    with pytest.raises(TimeoutError):
        incoming.fill(1, None, time.monotonic() + 0.05, False)
    with pytest.raises(TimeoutError):
        incoming.fill(1, None, time.monotonic() - 1, False)
    # The short limit that was set before must not end a patient read.
    threading.Timer(0.3, peer.sendall, (b"x",)).start()
    incoming.fill(1, 20, None, False)
    assert bytes(incoming.take(1)) == b"x"


def test_the_end_is_told_apart_from_silence(pair: tuple[Incoming, socket.socket]) -> None:
    incoming, peer = pair
    peer.close()
    with pytest.raises(EOFError):
        incoming.fill(1, 20, None, False)


def test_a_peer_that_reads_nothing_ends_a_write_and_one_that_reads_slowly_gets_all(
    pair: tuple[Incoming, socket.socket],
) -> None:
    incoming, peer = pair
    data = bytes(range(256)) * 40_000
    got = bytearray()

    def read() -> None:
        while len(got) < len(data) and (piece := peer.recv(1 << 16)):
            got.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    incoming.write(data, 20)
    reader.join(20)
    assert got == data
    with pytest.raises(TimeoutError):
        incoming.write(data, 0.05)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a receiver ask for quick ACKs")
def test_a_client_with_nagles_algorithm_does_not_wait_for_delayed_acks() -> None:
    """dcmtk's tools send each PDU in two pieces, the second of which waits for the ACK of the first."""
    echo = encode_command(
        {
            "CommandField": 0x30,
            "MessageID": 1,
            "CommandDataSetType": 0x0101,
            "AffectedSOPClassUID": syntaxes.VERIFICATION,
        }
    )
    with serving() as served, socket.create_connection(("127.0.0.1", served.port), 20) as client:
        began = time.monotonic()
        contexts = [(1, syntaxes.VERIFICATION, (IMPLICIT,))]
        for request in (associate_rq(contexts=contexts), *(pdu(4, pdv(1, 3, echo)) for _ in range(ECHOES))):
            client.sendall(request[:6])
            client.sendall(request[6:])
            answer = b""
            while len(answer) < 6 or len(answer) < 6 + HEADER.unpack_from(answer)[1]:
                answer += client.recv(1 << 16)
            assert answer[0] in (2, 4)
        assert time.monotonic() - began < ECHOES * DELAYED_ACK_S * 0.9
