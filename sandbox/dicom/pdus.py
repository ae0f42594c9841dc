"""The outer shape of PDUs (PS3.8 9.3): their kinds, the bounds on their length, and A-ASSOCIATE read leniently.

pynetdicom decodes A-ASSOCIATE; what it cannot take although the standard tells us to (user information items it does
not know, PS3.7 D.3.3) is taken out first, and what it does not look at (protocol version, application context) is
read here. Malformed bytes raise ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from sandbox.model.association import ProposedContext

HEADER = struct.Struct(">BxL")
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"


class Kind(IntEnum):
    """PDU types (PS3.8 table 9-11 and following)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class AbortReason(IntEnum):
    """The reason of an A-ABORT by the service provider (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNISED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNISED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER = 6


# The greatest A-ASSOCIATE there can be (128 contexts with every transfer syntax) is far below this.
LONGEST_ASSOCIATE = 1 << 20
# What we hold in memory for a peer that was told "no limit", or that does not keep to what it was told.
LONGEST_DATA = 1 << 26
_ITEM = struct.Struct(">BxH")
# Where the variable items of an A-ASSOCIATE begin: before them are version, AE titles and reserved bytes.
FIXED = 74
_USER_INFORMATION = 0x50
_VARIABLE_ITEMS = frozenset({0x10, 0x20, 0x21, _USER_INFORMATION})
_USER_ITEMS = frozenset(range(0x51, 0x5A))


def longest(kind: int, announced: int) -> int:
    """How long a PDU of this kind may say it is, in bytes without header. ``announced`` is our own maximum length."""
    if kind in (Kind.ASSOCIATE_RQ, Kind.ASSOCIATE_AC):
        return LONGEST_ASSOCIATE
    if kind == Kind.DATA:
        # Peers that overstep what was announced by a little are common and do no harm.
        return max(announced, LONGEST_ASSOCIATE) if announced else LONGEST_DATA
    return 4


@dataclass(frozen=True)
class AssociateRequest:
    """What an A-ASSOCIATE-RQ says, and the same PDU without the items that pynetdicom would stumble over."""

    protocol_version: int
    called_ae: str
    calling_ae: str
    application_context: str
    proposed: tuple[ProposedContext, ...]
    tidied: bytes


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The items in ``data``: type and value."""
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise ValueError("an item ends within its header")
        kind, length = _ITEM.unpack_from(data, position)
        position += 4
        if position + length > len(data):
            raise ValueError(f"item {kind:02X}H runs past the end of what holds it")
        yield kind, data[position : position + length]
        position += length


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def tidy(pdu: bytes) -> bytes:
    """An A-ASSOCIATE PDU without items that the standard does not know: they "shall be ignored" (PS3.8 9.3.1)."""
    if len(pdu) < FIXED:
        raise ValueError("the A-ASSOCIATE PDU is too short")
    kept = []
    for kind, value in items(pdu[FIXED:]):
        if kind == _USER_INFORMATION:
            value = b"".join(_item(sub, inner) for sub, inner in items(value) if sub in _USER_ITEMS)
        if kind in _VARIABLE_ITEMS:
            kept.append(_item(kind, value))
    body = pdu[6:FIXED] + b"".join(kept)
    return HEADER.pack(pdu[0], len(body)) + body


def read_associate_request(pdu: bytes, like: AssociateRequest | None = None) -> AssociateRequest:
    """Read an A-ASSOCIATE-RQ as far as accepting or rejecting it needs, whatever its text fields hold. ``like`` is an
    earlier request with the same variable items, which then are not read again."""
    if like is None:
        tidied = tidy(pdu)
        application_context, proposed = _read_items(tidied[FIXED:])
    else:
        tidied = like.tidied[:6] + pdu[6:FIXED] + like.tidied[FIXED:]
        application_context, proposed = like.application_context, like.proposed
    return AssociateRequest(
        protocol_version=int.from_bytes(pdu[6:8], "big"),
        called_ae=_text(pdu[10:26]),
        calling_ae=_text(pdu[26:42]),
        application_context=application_context,
        proposed=proposed,
        tidied=tidied,
    )


def _read_items(data: bytes) -> tuple[str, tuple[ProposedContext, ...]]:
    application_context = ""
    proposed = []
    for kind, value in items(data):
        if kind == 0x10:
            application_context = _text(value)
        elif kind == 0x20:
            proposed.append(_proposed(value))
    return application_context, tuple(proposed)


def four_bytes(kind: Kind, *values: int) -> bytes:
    """A PDU of the kinds whose body is four bytes, the first of them given: RJ, release, abort (PS3.8 9.3.4 to 8)."""
    return HEADER.pack(kind, 4) + bytes(values).ljust(4, b"\0")


def titles(called_ae: str, calling_ae: str) -> bytes:
    """The fixed part of an A-ASSOCIATE-RQ between its header and its items (PS3.8 table 9-11)."""
    return b"\0\1\0\0" + called_ae.encode("ascii").ljust(16) + calling_ae.encode("ascii").ljust(16) + bytes(32)


def _proposed(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise ValueError("a presentation context item is too short")
    syntaxes = [(kind, _text(name)) for kind, name in items(value[4:])]
    abstract = next((name for kind, name in syntaxes if kind == 0x30), "")
    transfer = tuple(name for kind, name in syntaxes if kind == 0x40)
    if not abstract or not transfer:
        raise ValueError(f"presentation context {value[0]} lacks an abstract or transfer syntax")
    return ProposedContext(id=value[0], abstract_syntax=abstract, transfer_syntaxes=transfer)
