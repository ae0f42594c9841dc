"""DIMSE messages as P-DATA-TF PDUs (PS3.8 9.3.5 and annex E), many of them in one piece of bytes for one write, or in
many pieces where the data set is large and need not be copied."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from sandbox.dicom.pdus import Kind

# How much is put together for one write, and the longest PDU that is sent to a peer without a limit.
_BATCH = 1 << 19
_LONGEST_PDU = 1 << 17
_PDV = struct.Struct(">BxLLBB")
_COMMAND, _LAST = 1, 2


def message_pieces(context_id: int, command: bytes, data: Any, maximum: int = 0) -> list[bytes | memoryview]:
    """The same PDUs as ``message_pdus`` gives, in pieces: heads, and parts of ``data`` that are not copied."""
    room = _room(maximum)
    pieces: list[bytes | memoryview] = []
    for body, control in ((memoryview(command), _COMMAND), (memoryview(data), 0)):
        for position in range(0, len(body), room):
            part = body[position : position + room]
            last = _LAST if position + room >= len(body) else 0
            pieces += (_PDV.pack(Kind.DATA, len(part) + 6, len(part) + 2, context_id, control | last), part)
    return pieces


def _room(maximum: int) -> int:
    """How much of a message fits into one PDU."""
    room = min(maximum or _LONGEST_PDU, _LONGEST_PDU) - 6
    # Fragments of even length, as data sets are; a peer that announces less than that gets two bytes at a time.
    return max(room - room % 2, 2)


def message_pdus(
    context_id: int, command: bytes, data: Any = None, maximum: int = 0
) -> Iterator[tuple[bytes | bytearray, list[int]]]:
    """The PDUs of a message with the encoded data set ``data`` (a buffer, or None), batch by batch: the bytes, and how
    long each PDU in them is. ``maximum`` is the peer's maximum length, 0 for none."""
    room = _room(maximum)
    if data is None and 0 < len(command) <= room:
        size = len(command)
        yield _PDV.pack(Kind.DATA, size + 6, size + 2, context_id, _COMMAND | _LAST) + command, [size + 12]
        return
    out = bytearray()
    sizes: list[int] = []
    for body, control in ((command, _COMMAND), (data, 0)):
        if body is None:
            continue
        view = memoryview(body)
        position, end = 0, len(view)
        while position < end:
            size = min(room, end - position)
            last = _LAST if position + size == end else 0
            out += _PDV.pack(Kind.DATA, size + 6, size + 2, context_id, control | last)
            out += view[position : position + size]
            sizes.append(size + 12)
            position += size
            if len(out) >= _BATCH:
                yield out, sizes
                out, sizes = bytearray(), []
    if sizes:
        yield out, sizes
