"""Counting images in a stream of PDUs: in pieces of any size, and nothing else is counted."""

from __future__ import annotations

import struct

import pytest

from sandbox.network.instances import InstanceCounter


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(body)) + body


def pdv(control: int, data: bytes) -> bytes:
    return struct.pack(">LBB", len(data) + 2, 1, control) + data


def command(field: int) -> bytes:
    head = struct.pack("<HHLL", 0, 0, 4, 26) + struct.pack("<HHL", 0, 2, 8) + b"1.2.840\0"
    return head + struct.pack("<HHLH", 0, 0x100, 2, field)


def image(size: int = 5000) -> bytes:
    return pdu(4, pdv(3, command(1))) + pdu(4, pdv(0, bytes(size))) + pdu(4, pdv(2, bytes(size)))


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_images_are_counted_however_the_stream_is_cut(piece: int) -> None:
    stream = pdu(1, bytes(200)) + image() + image(10) + pdu(5, bytes(4))
    counter = InstanceCounter()
    for start in range(0, len(stream), piece):
        counter.feed(stream[start : start + piece])
    assert (counter.begun, counter.passed) == (2, 2)


def test_an_image_that_has_only_begun_has_not_passed() -> None:
    counter = InstanceCounter()
    counter.feed(image())
    counter.feed(pdu(4, pdv(3, command(1)) + pdv(0, bytes(100))))
    assert (counter.begun, counter.passed) == (2, 1)


def test_queries_and_noise_are_no_images() -> None:
    counter = InstanceCounter()
    counter.feed(pdu(4, pdv(3, command(0x20)) + pdv(2, bytes(50))))
    counter.feed(bytes(range(256)) * 50)
    assert (counter.begun, counter.passed) == (0, 0)
