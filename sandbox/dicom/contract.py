"""What a node hands to sandbox.dicom and what it gets back: the border behind which pynetdicom lives.

A node offers ``Services`` and receives requests as values of this module; it calls others through ``Requestor``
(sandbox.dicom.client). Connections come from a ``Dialler`` (the simulated network, or plain sockets for the archive
alone), and whatever happens is told to an ``Observer``, from which logs, events and captures are made.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pydicom.dataset import Dataset

from sandbox.dicom.tls import TlsPolicy
from sandbox.model.association import (
    AssociationFacts,
    Caller,
    ContextResult,
    DialFailure,
    Direction,
    Exchange,
    ProposedContext,
    Rejection,
)


@dataclass(frozen=True)
class Peer:
    """An AE as its caller believes it to be: title, host (name or address), port; how it is called over TLS, if it
    is."""

    ae_title: str
    host: str
    port: int
    tls: TlsPolicy | None = None


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``acse`` waits for association messages and is the ARTIM time, ``dimse`` for a response, ``network`` for
    a silent peer, ``connect`` for TCP."""

    connect: float = 3.0
    acse: float = 15.0
    dimse: float = 30.0
    network: float = 60.0


@dataclass(frozen=True)
class SupportedContext:
    """An abstract syntax an acceptor takes, the transfer syntaxes it takes it in (in order of preference), and
    whether a requestor may ask to be SCP of it (role selection, PS3.7 D.3.3.4)."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    peer_may_be_scp: bool = False


@dataclass(frozen=True)
class Role:
    """The roles a requestor proposes to have for a SOP class (PS3.7 D.3.3.4). SCP alone is what a C-GET needs; both let
    one association also store instances of that class."""

    sop_class: str
    scu: bool = False
    scp: bool = True


@dataclass(frozen=True)
class AcceptorPolicy:
    """Whom an AE accepts and for what. ``calling_ae`` None accepts every calling AE title; ``ignore_called_ae`` accepts
    any called AE title (both are what an administrator should not do, and do)."""

    ae_title: str
    contexts: tuple[SupportedContext, ...]
    calling_ae: frozenset[str] | None = None
    ignore_called_ae: bool = False
    maximum_associations: int = 25
    maximum_pdu: int = 131072
    timeouts: Timeouts = Timeouts()


class Connection(Protocol):
    """A connected TCP socket, with the addresses of both ends as the department knows them ("198.18.10.11:40112")."""

    @property
    def socket(self) -> socket.socket: ...
    @property
    def local(self) -> str: ...
    @property
    def peer(self) -> str: ...
    @property
    def peer_node(self) -> str: ...


class Dialler(Protocol):
    """Opens connections for one node. A failure is returned, never raised. ``close`` fails every dial that waits and
    every later one; it may be called from any thread."""

    def dial(
        self, host: str, port: int, *, timeout: float, association: str, cause: int | None
    ) -> Connection | DialFailure: ...
    def close(self) -> None: ...


class Observer(Protocol):
    """Told everything that happens on one node's associations, in order, from the association's own thread.

    ``requested`` comes first for both sides (for an acceptor as soon as the A-ASSOCIATE-RQ is decoded). ``pdu`` gives
    each whole PDU once, header included, as bytes that are valid only during the call; one that its header condemned
    is given as far as it was read. None of these may raise or block long.
    """

    def requested(self, facts: AssociationFacts, proposed: Sequence[ProposedContext], cause: int | None) -> None: ...
    def failed(self, facts: AssociationFacts, failure: DialFailure) -> None: ...
    def accepted(self, facts: AssociationFacts, contexts: Sequence[ContextResult]) -> None: ...
    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None: ...
    def released(self, facts: AssociationFacts) -> None: ...
    def aborted(self, facts: AssociationFacts, reason: str) -> None: ...
    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None: ...
    def pdu(self, facts: AssociationFacts, direction: Direction, data: memoryview) -> None: ...
    def unspoken(self, caller: Caller, reason: str) -> None:
        """A connection that never became an association: closed silently, garbage, no A-ASSOCIATE in time."""
        ...


@dataclass(frozen=True)
class EchoRequest:
    facts: AssociationFacts


@dataclass(frozen=True)
class ReceivedFile:
    """A data set that was too large for memory: ``size`` bytes from ``offset`` of a file that a SpoolFile has written.
    The storage service may rename it to where it belongs; what is left is deleted when the service returns."""

    path: Path
    offset: int
    size: int


class SpoolFile(Protocol):
    """A file that takes a large data set from its byte ``offset`` on. ``write`` may raise OSError or SandboxError;
    ``discard`` closes the file and deletes it if it is still at ``path``. Calling that again does nothing."""

    @property
    def path(self) -> Path: ...
    @property
    def offset(self) -> int: ...
    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def discard(self) -> None: ...


@dataclass(frozen=True)
class StoreRequest:
    """A received instance. ``dataset`` is the encoded data set exactly as received, in ``transfer_syntax``. Of a large
    one it is empty, and ``file`` says where the data set lies (only for services that offer a ``Spool``)."""

    facts: AssociationFacts
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset: bytes | memoryview
    move_originator: str = ""
    move_originator_id: int | None = None
    file: ReceivedFile | None = None


@dataclass(frozen=True)
class Spool:
    """Where data sets of more than ``above`` bytes go. ``begin`` makes a file for one, told what is known before the
    data set has come (``dataset`` is empty); it may raise OSError or SandboxError."""

    begin: Callable[[StoreRequest], SpoolFile]
    above: int = 8 << 20


class UnreadableIdentifierError(ValueError):
    """An identifier that is no data set. The query is answered C000."""


@dataclass(frozen=True)
class Query:
    """A C-FIND, C-MOVE or C-GET identifier under one information model (UID of the SOP class): ``asked`` as a data set,
    or as the bytes that came."""

    facts: AssociationFacts
    sop_class: str
    asked: Dataset | bytes | memoryview
    is_cancelled: Callable[[], bool] = field(default=lambda: False)
    transfer_syntax: str = ""
    """How the identifier came, and how the answers go out, for one who encodes them itself; empty where data sets are
    wanted."""

    @property
    def encoded(self) -> bytes | memoryview | None:
        """The identifier as it came, for one who reads it without decoding."""
        return None if isinstance(self.asked, Dataset) else self.asked

    @cached_property
    def identifier(self) -> Dataset:
        """The identifier, decoded at its first use. Raises UnreadableIdentifierError."""
        if isinstance(self.asked, Dataset):
            return self.asked
        # A node's local disk knows this contract, and has no need to load pynetdicom.
        from sandbox.dicom.datasets import decode_dataset

        try:
            return decode_dataset(self.asked, self.transfer_syntax)
        except ValueError as wrong:
            raise UnreadableIdentifierError(str(wrong)) from wrong


@dataclass(frozen=True)
class StoreStatus:
    """The status of a C-STORE-RSP with its optional error comment (at most 64 characters)."""

    status: int
    comment: str = ""


@dataclass(frozen=True)
class FindAnswer:
    """One pending match (FF00 or FF01 with an identifier), or a failure (no identifier) that ends the answers.

    ``encoded`` stands for the identifier where it has been encoded already, in the query's transfer syntax. ``at_hand``
    says that the next answer, or the end, need not be waited for, so that this one may be sent together with it."""

    status: int
    identifier: Dataset | None = None
    comment: str = ""
    encoded: bytes | None = None
    at_hand: bool = False

    @property
    def is_match(self) -> bool:
        return self.identifier is not None or self.encoded is not None


@dataclass(frozen=True)
class StoredObject:
    """An instance to be sent: where its Part 10 file lies and what it is. The bytes go out as they are. ``size`` is the
    file's in bytes where that is known: one of another size is damaged and is not sent."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    size: int | None = None


@dataclass(frozen=True)
class RetrievePlan:
    """What a C-MOVE or C-GET shall send. ``status`` other than 0 refuses it (A801, A900, Cxxx), with ``comment``."""

    objects: tuple[StoredObject, ...] = ()
    status: int = 0
    comment: str = ""


@dataclass(frozen=True)
class NormalizedRequest:
    """A DIMSE-N request (PS3.7 10.1). ``number`` is the event type of an N-EVENT-REPORT or the action type of an
    N-ACTION, ``attributes`` the tags that an N-GET asks for; ``dataset`` whatever came with it."""

    facts: AssociationFacts
    sop_class: str
    sop_instance: str
    number: int = 0
    dataset: Dataset | None = None
    attributes: tuple[int, ...] = ()


@dataclass(frozen=True)
class NormalizedAnswer:
    """The response to a DIMSE-N request. ``sop_instance`` is the UID that an N-CREATE has given, ``error_id`` an
    implementation's own number (0000,0903). ``afterwards`` is called when the response has been sent."""

    status: int
    dataset: Dataset | None = None
    comment: str = ""
    sop_instance: str = ""
    error_id: int | None = None
    afterwards: Callable[[], None] | None = None


NormalizedService = Callable[[NormalizedRequest], NormalizedAnswer]


@dataclass(frozen=True)
class Services:
    """What an acceptor offers; what is None is answered as the standard says (no such SOP class was negotiated).

    ``spool`` takes large instances off memory while they are received.
    ``resolve_destination`` looks a Move Destination up in the AE table; None is A801. The server's ``Requestor`` opens
    the association for C-MOVE sub-operations, which go uncompressed where the destination wants it so and ``transcode``
    is on. Associations of which ``is_congested`` says so, by the
    abstract syntaxes that they propose, are rejected with 2/3/1.
    """

    echo: Callable[[EchoRequest], int] = lambda request: 0x0000
    store: Callable[[StoreRequest], StoreStatus] | None = None
    spool: Spool | None = None
    find: Callable[[Query], Iterator[FindAnswer]] | None = None
    move: Callable[[Query, str], RetrievePlan] | None = None
    get: Callable[[Query], RetrievePlan] | None = None
    resolve_destination: Callable[[str], Peer | None] | None = None
    transcode: bool = True
    is_congested: Callable[[Iterable[str]], bool] = lambda abstract_syntaxes: False
    n_event_report: NormalizedService | None = None
    n_get: NormalizedService | None = None
    n_set: NormalizedService | None = None
    n_action: NormalizedService | None = None
    n_create: NormalizedService | None = None
    n_delete: NormalizedService | None = None
