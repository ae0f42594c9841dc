"""What the DICOM tests share: an observer that remembers, a server in a line, a peer that says what it is told."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Peer, Services, StoredObject, Timeouts
from sandbox.dicom.plain import PlainDialler, outside_caller
from sandbox.dicom.server import Server, TlsListener
from sandbox.dicom.tls import TlsPolicy, server_context
from sandbox.model.association import AssociationFacts, Direction, Side

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = syntaxes.EXPLICIT_VR_LITTLE_ENDIAN
IMPLICIT = syntaxes.IMPLICIT_VR_LITTLE_ENDIAN
FAST = Timeouts(connect=2, acse=2, dimse=5, network=5)
ENDS = frozenset({"released", "aborted", "rejected", "failed"})


def wait_until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The first true value of ``condition``; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} s"
        threading.Event().wait(0.002)
    return value


class Recorder:
    """An observer that keeps everything: (what, side or None, the rest)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, AssociationFacts | None, tuple[Any, ...]]] = []
        self.pdus: list[tuple[AssociationFacts, Direction, bytes]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        def tell(facts: Any, *rest: Any) -> None:
            if name == "unspoken":
                self.told.append((name, None, (facts, *rest)))
            else:
                self.told.append((name, facts, rest))

        return tell

    def pdu(self, facts: AssociationFacts, direction: Direction, data: memoryview) -> None:
        self.pdus.append((facts, direction, bytes(data)))

    def names(self, side: Side | None = None) -> list[str]:
        return [name for name, facts, _ in self.told if side is None or (facts is not None and facts.side is side)]

    def all(self, name: str, side: Side | None = None) -> list[tuple[Any, ...]]:
        return [
            rest
            for told, facts, rest in self.told
            if told == name and (side is None or (facts is not None and facts.side is side))
        ]

    def wait_for(self, name: str, side: Side | None = None, seconds: float = 5.0) -> tuple[Any, ...]:
        return wait_until(lambda: self.all(name, side), seconds)[0]  # type: ignore[no-any-return]

    def exchanges(self, side: Side) -> list[Any]:
        return [rest[0] for rest in self.all("exchanged", side)]


def free_listener() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


@contextlib.contextmanager
def full_listener() -> Iterator[int]:
    """A port where a connection waits for ever, since the backlog is full."""
    with free_listener() as listener:
        listener.listen(0)
        port = int(listener.getsockname()[1])
        filling = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            filling.append(sock)
        try:
            yield port
        finally:
            for sock in filling:
                sock.close()


def unused_port() -> int:
    with free_listener() as listener:
        return int(listener.getsockname()[1])


ALL_CONTEXTS = (
    *syntaxes.verification(),
    *syntaxes.storage_contexts((CT, MR), peer_may_be_scp=True),
    *syntaxes.query_retrieve_find(),
    *syntaxes.query_retrieve_move(),
    *syntaxes.query_retrieve_get(),
)
POLICY = AcceptorPolicy("ARCHIVE", ALL_CONTEXTS, timeouts=FAST)
_ids = itertools.count(1)


def new_id() -> str:
    return f"t{next(_ids)}"


@dataclass
class Served:
    """A running server with what it told, and how to call it."""

    server: Server
    told: Recorder
    port: int
    tls_port: int = 0
    clients: Recorder = field(default_factory=Recorder)

    @property
    def peer(self) -> Peer:
        return Peer(self.server.policy.ae_title, "127.0.0.1", self.port)

    def requestor(self, title: str = "MODALITY", timeouts: Timeouts = FAST, maximum_pdu: int = 131072) -> Requestor:
        return make_requestor(self.clients, title, timeouts, maximum_pdu)


def make_requestor(
    told: Recorder | None = None, title: str = "MODALITY", timeouts: Timeouts = FAST, maximum_pdu: int = 131072
) -> Requestor:
    return Requestor(title, "node", PlainDialler(), told or Recorder(), timeouts, maximum_pdu, new_id)


@contextlib.contextmanager
def serving(
    services: Services | None = None,
    policy: AcceptorPolicy = POLICY,
    requestor: Requestor | None = None,
    tls: TlsPolicy | None = None,
    **changed: Any,
) -> Iterator[Served]:
    """A server on a free port for the length of a ``with`` block. Keywords change the policy."""
    told = Recorder()
    listener = free_listener()
    server = Server(
        listener,
        replace(policy, **changed),
        services or Services(),
        told,
        node="archive",
        caller_of=outside_caller,
        local="198.18.1.1:104",
        requestor=requestor,
        new_association_id=new_id,
        secure=None if tls is None else TlsListener(free_listener(), "198.18.1.1:2762", server_context(tls)),
    )
    server.start()
    try:
        yield Served(server, told, server.address[1], (server.secure_address or ("", 0))[1])
    finally:
        server.stop()


# --- data --------------------------------------------------------------------------------------------------------


def instance(uid: str = "1.2.3.4", sop_class: str = CT, syntax: str = EXPLICIT, pixels: int = 128) -> Dataset:
    """A small object, with the file meta information that says its encoding."""
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid
    dataset.PatientName = "Müller^Jo"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = "00123"
    dataset.add_new(0x00091001, "LO", "PRIVATE")
    dataset.StudyInstanceUID = "1.2.3"
    dataset.Modality = "CT"
    dataset.Rows = dataset.Columns = dataset.BitsAllocated = 8
    dataset.PixelData = bytes(range(256)) * (pixels // 256) + bytes(pixels % 256)
    dataset["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid
    dataset.file_meta = meta
    return dataset


def stored(
    folder: Path, uid: str = "1.2.3.4", sop_class: str = CT, syntax: str = EXPLICIT, pixels: int = 128
) -> StoredObject:
    """The same as a file."""
    path = folder / f"{uid}.dcm"
    instance(uid, sop_class, syntax, pixels).save_as(path, enforce_file_format=True)
    return StoredObject(path, sop_class, uid, syntax)


def query(level: str = "STUDY", **keys: str) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


# --- a peer that says what we tell it -----------------------------------------------------------------------------


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(body)) + body


def associate_rq(
    called: str = "ARCHIVE",
    calling: str = "SCRIPTED",
    *,
    version: int = 1,
    application_context: str = "1.2.840.10008.3.1.1.1",
    contexts: Sequence[tuple[int, str, Sequence[str]]] = ((1, syntaxes.VERIFICATION, (IMPLICIT,)),),
    maximum: int = 16384,
    user_items: bytes = b"",
) -> bytes:
    """An A-ASSOCIATE-RQ as we want it, right or wrong."""
    body = struct.pack(">HH", version, 0) + called.encode().ljust(16) + calling.encode().ljust(16) + bytes(32)
    body += item(0x10, application_context.encode())
    for number, abstract, transfer in contexts:
        inner = item(0x30, abstract.encode()) + b"".join(item(0x40, name.encode()) for name in transfer)
        body += item(0x20, bytes((number, 0, 0, 0)) + inner)
    user = item(0x51, struct.pack(">L", maximum)) + item(0x52, b"1.2.3.4.5") + user_items
    return pdu(1, body + item(0x50, user))


def pdv(context_id: int, control: int, data: bytes) -> bytes:
    return struct.pack(">LBB", len(data) + 2, context_id, control) + data


RELEASE_RQ = pdu(5, bytes(4))
RELEASE_RP = pdu(6, bytes(4))
ABORT = pdu(7, bytes(4))


class ScriptedPeer:
    """A bare socket that reads PDUs and sends bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(5)

    @classmethod
    def connect(cls, port: int) -> ScriptedPeer:
        return cls(socket.create_connection(("127.0.0.1", port), 5))

    def __enter__(self) -> ScriptedPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> ScriptedPeer:
        self.sock.sendall(data)
        return self

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError(f"closed after {len(data)} of {count} bytes")
            data += more
        return data

    def read(self) -> tuple[int, bytes]:
        """The next PDU: type and body."""
        kind, length = struct.unpack(">BxL", self._exactly(6))
        return kind, self._exactly(length)

    def is_closed_by_peer(self) -> bool:
        """Whether nothing but the end of the connection comes."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def read_to_end(self) -> None:
        """Read and forget until the peer has closed."""
        with contextlib.suppress(ConnectionResetError):
            while self.sock.recv(65536):
                pass

    def associate(self, request: bytes = b"") -> ScriptedPeer:
        kind, _ = self.send(request or associate_rq()).read()
        assert kind == 2, f"PDU type {kind} instead of A-ASSOCIATE-AC"
        return self


def associate_ac(request_body: bytes, context_id: int = 1, syntax: str = IMPLICIT) -> bytes:
    """An A-ASSOCIATE-AC to the body of an A-ASSOCIATE-RQ that accepts one context."""
    context = item(0x21, bytes((context_id, 0, 0, 0)) + item(0x40, syntax.encode()))
    user = item(0x50, item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3"))
    return pdu(2, request_body[:68] + item(0x10, b"1.2.840.10008.3.1.1.1") + context + user)


@contextlib.contextmanager
def scripted_acceptor(script: Callable[[ScriptedPeer], None]) -> Iterator[int]:
    """A listening socket whose first connection is handled by ``script``; gives its port."""
    listener = free_listener()
    listener.listen()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            connection, _ = listener.accept()
            with ScriptedPeer(connection) as peer:
                script(peer)
        except (EOFError, OSError):
            return
        except BaseException as failed:
            failures.append(failed)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()
        thread.join(5)
        assert not failures, failures
