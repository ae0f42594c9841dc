"""The states of an association and what may be said in each (PS3.8 9.2), as far as a synchronous reader can be in them:
it acts on one PDU at a time, so whatever the standard has for primitives that cross falls away.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from sandbox.dicom.pdus import AbortReason, Kind, longest
from sandbox.dicom.tls_failures import ALERT, HANDSHAKE


class State(Enum):
    """Where the association is. The comment gives the state of PS3.8 table 9-10."""

    AWAITING_REQUEST = auto()  # Sta2
    AWAITING_ANSWER = auto()  # Sta5
    DECIDING = auto()  # Sta3
    OPEN = auto()  # Sta6
    RELEASING = auto()  # Sta7, Sta9 to Sta12
    RELEASED_BY_PEER = auto()  # Sta8
    ENDED = auto()  # Sta13, Sta1


_EXPECTED: Mapping[State, frozenset[Kind]] = {
    State.AWAITING_REQUEST: frozenset({Kind.ASSOCIATE_RQ, Kind.ABORT}),
    State.AWAITING_ANSWER: frozenset({Kind.ASSOCIATE_AC, Kind.ASSOCIATE_RJ, Kind.ABORT}),
    State.DECIDING: frozenset({Kind.ABORT}),
    State.OPEN: frozenset({Kind.DATA, Kind.RELEASE_RQ, Kind.ABORT}),
    State.RELEASING: frozenset({Kind.DATA, Kind.RELEASE_RQ, Kind.RELEASE_RP, Kind.ABORT}),
    State.RELEASED_BY_PEER: frozenset({Kind.ABORT}),
    State.ENDED: frozenset(),
}
_KINDS = frozenset(Kind)
_OF_FOUR_BYTES = frozenset({Kind.ASSOCIATE_RJ, Kind.RELEASE_RQ, Kind.RELEASE_RP, Kind.ABORT})


class RefusedError(Exception):
    """The peer sent something that ends the association: the reason of our A-ABORT, and ``words`` for what it was."""

    def __init__(self, reason: AbortReason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


def refusal(state: State, kind: int, length: int, announced: int, spoke: bool) -> RefusedError | None:
    """Why a PDU that says it is of this kind and length is refused by its header alone. ``announced`` is our maximum
    length, ``spoke`` whether the peer has said anything proper before."""
    if kind not in _KINDS:
        return RefusedError(AbortReason.UNRECOGNISED_PDU, _describe_stranger(kind, spoke))
    if length > longest(kind, announced) or (kind in _OF_FOUR_BYTES and length != 4):
        return RefusedError(AbortReason.INVALID_PARAMETER, f"a PDU of type {kind} that claims {length} bytes")
    if kind not in _EXPECTED[state]:
        return RefusedError(AbortReason.UNEXPECTED_PDU, f"a PDU of type {kind} at the wrong time")
    return None


def _describe_stranger(kind: int, spoke: bool) -> str:
    if kind == HANDSHAKE and not spoke:
        return "a TLS handshake to a port without TLS"
    if kind == ALERT and not spoke:
        return "a TLS alert: its port wants TLS"
    return f"bytes that are no DICOM PDU (type {kind:02X}H)"
