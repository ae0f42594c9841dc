"""What is known of one association: who called whom, what was proposed and accepted, and how it ended.

These values are facts for the log, the capture and the screens (PS3.8 9.3, PS3.7 D.3). They hold numbers as the
standard has them; words come from sandbox.dicom.explain.
"""

from __future__ import annotations

from enum import StrEnum

from sandbox.model.base import Model


class DialOutcome(StrEnum):
    """Why no TCP connection came about. Each looks different to an administrator, so each is kept apart."""

    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    UNKNOWN_HOST = "unknown-host"
    UNREACHABLE = "unreachable"
    RESET = "reset"


class DialFailure(Model):
    """A connection that did not come about: a result, not an exception. ``elapsed_s`` is how long the caller waited."""

    outcome: DialOutcome
    host: str
    port: int
    address: str = ""
    elapsed_s: float = 0.0
    reason: str = ""


class Side(StrEnum):
    REQUESTOR = "requestor"
    ACCEPTOR = "acceptor"


class Direction(StrEnum):
    SENT = "sent"
    RECEIVED = "received"


class Caller(Model):
    """Who is at the other end of an accepted connection, as the network sees it.

    ``node`` is empty when an outside tool called. ``association`` and ``cause`` are the caller's own association and
    the event that made it call, when the caller is a node of this lab; so both ends write the same association.
    """

    node: str = ""
    host: str
    port: int
    association: str = ""
    cause: int | None = None

    @property
    def is_outside(self) -> bool:
        return not self.node


class ProposedContext(Model):
    """One line of an A-ASSOCIATE-RQ: an odd id, an abstract syntax and the transfer syntaxes offered for it (UIDs)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


class ContextResult(Model):
    """The acceptor's answer to one proposed context (PS3.8 9.3.3.2): ``result`` 0 accepted, 1 to 4 why not."""

    id: int
    abstract_syntax: str
    result: int
    transfer_syntax: str = ""

    @property
    def accepted(self) -> bool:
        return self.result == 0


class Rejection(Model):
    """The three numbers of an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int

    def __str__(self) -> str:
        return f"{self.result}/{self.source}/{self.reason}"


class AssociationFacts(Model):
    """One end's view of one association. Peer addresses are simulated ones wherever the peer is a node of the lab.
    ``tls`` is what a TLS handshake agreed on, in words; empty for an association in the clear."""

    id: str
    node: str
    side: Side
    called_ae: str
    calling_ae: str
    local: str
    peer: str
    peer_node: str = ""
    tls: str = ""


class Exchange(Model):
    """One DIMSE request and its final response. ``size`` counts data set bytes, ``duration_ms`` is wall time.

    ``service`` is the command's name ("C-STORE"); ``pending`` counts pending responses between the two.
    ``status`` is -1 when no response came.
    """

    service: str
    message_id: int
    sop_class: str = ""
    sop_instance: str = ""
    context_id: int = 0
    transfer_syntax: str = ""
    status: int
    comment: str = ""
    size: int = 0
    pending: int = 0
    duration_ms: float = 0.0
    move_originator: str = ""
    move_destination: str = ""
