"""The mini PACS alone, on a real port, for anyone who needs an archive: ``pacs-sandbox archive serve``.

The same services as the archive of a department, on ordinary sockets. What happens on its associations goes to this
module's logger in an administrator's words.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType

from pydantic import Field

from sandbox.archive.archive import Archive
from sandbox.archive.audit.observing import Auditor
from sandbox.archive.audit.sinks import AUDIT, AuditFile, Sink, Syslog, SyslogTarget
from sandbox.archive.audit.trail import AuditTrail
from sandbox.archive.commitment_service import CommitmentService
from sandbox.archive.contexts import archive_contexts
from sandbox.archive.store import Sync
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Observer, Peer
from sandbox.dicom.plain import LoggingObserver, PlainDialler, association_ids, outside_caller
from sandbox.dicom.server import Server, TlsListener
from sandbox.dicom.tls import TlsIdentity, TlsPolicy, server_context
from sandbox.model.ae_title import AETitle, same_title
from sandbox.model.base import Model
from sandbox.model.config import ClientCertificates
from sandbox.model.errors import BadInputError, UnavailableError

log = logging.getLogger(__name__)

_NODE = "archive"
_TLS = "tls://"


class Remote(Model):
    """A line of the archive's AE table: where to send what a C-MOVE asks for."""

    ae_title: AETitle
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> Remote:
        """``AET=HOST:PORT`` or ``AET=tls://HOST:PORT``, as it is written on the command line; an IPv6 address stands in
        brackets."""
        title, equals, place = text.partition("=")
        host, colon, port = place.removeprefix(_TLS).rpartition(":")
        if not (equals and colon and host and port.isdigit() and 0 < int(port) <= 65535):
            raise BadInputError(
                f"{text!r} is no remote AE.", "Write it as AET=HOST:PORT, for example WS1=127.0.0.1:11113."
            )
        return cls(ae_title=title, host=host.strip("[]"), port=int(port), tls=place.startswith(_TLS))


class ServeOptions(Model):
    """How to serve: ``port`` 0 takes any free one, ``url`` puts the index into another database than the directory's
    own SQLite, ``strict_calling`` accepts only calling AE titles among ``remotes``.

    ``tls_port`` is a second port, for TLS only (0 any free one, None none). ``certificate`` and ``key`` are this
    archive's own, ``authority`` signs those of others; all are PEM files.

    ``audit`` keeps an audit trail (PS3.15 A.5) in ``audit/`` of the directory, ``audit_syslog`` is where it is sent
    too."""

    ae_title: AETitle
    directory: Path
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    url: str | None = None
    remotes: tuple[Remote, ...] = ()
    strict_calling: bool = False
    tls_port: int | None = Field(default=None, ge=0, le=65535)
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None
    client_certificates: ClientCertificates = ClientCertificates.NONE
    sync: Sync = Sync.FULL
    audit: bool = True
    audit_syslog: SyslogTarget | None = None


class ServedArchive(Model):
    """Where a running archive is reached, for machines that start one."""

    ae_title: str
    host: str
    port: int
    pid: int
    directory: Path
    tls_port: int = 0
    dicomweb: str = ""


class RunningArchive:
    """A served archive. Stop it, or use it in a ``with`` block."""

    def __init__(
        self,
        options: ServeOptions,
        archive: Archive,
        server: Server,
        commitment: CommitmentService,
        trail: AuditTrail | None = None,
    ) -> None:
        self._trail = trail
        self.archive = archive
        self._commitment = commitment
        self._options = options
        self._server = server
        self._port = server.address[1]
        self._tls_port = 0 if server.secure_address is None else server.secure_address[1]
        self._woken, self._waker = socket.socketpair()
        self._stopped = False
        self._first: list[Callable[[], None]] = []

    def stop_first(self, stop: Callable[[], None]) -> None:
        """Have ``stop`` called before the archive closes: for what else is served from it."""
        self._first.append(stop)

    def describe(self) -> ServedArchive:
        """AE title, address and process."""
        return ServedArchive(
            ae_title=self._options.ae_title,
            host=self._options.host,
            port=self._port,
            pid=os.getpid(),
            directory=self._options.directory,
            tls_port=self._tls_port,
        )

    def wait(self, when_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM, SIGINT or ``stop`` from another thread, then end cleanly.

        To be called in the main thread, whose signal handlers are put back afterwards. ``when_ready`` is called once a
        signal ends things cleanly: the moment to tell the world the address.
        """
        handlers = {number: signal.signal(number, _noticed) for number in (signal.SIGTERM, signal.SIGINT)}
        # The system may deliver a signal to any thread; the wake-up descriptor reaches this one even so.
        self._waker.setblocking(False)
        previous = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        try:
            when_ready()
            self._woken.recv(1)
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self.stop()

    def stop(self) -> None:
        """Abort what is open, close listener and index. Safe to call again."""
        if self._stopped:
            return
        self._stopped = True
        for stop in self._first:
            stop()
        self._commitment.halt()
        self._server.stop()
        self._commitment.stop()
        if self._trail is not None:
            self._trail.stop(_user())
        self.archive.close()
        with contextlib.suppress(OSError):
            self._waker.send(b"!")
        self._waker.close()
        log.info("%s stopped", self._options.ae_title)

    def __enter__(self) -> RunningArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _user() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "system"


def _noticed(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the signal has woken ``wait`` through its descriptor."""


def serve_archive(options: ServeOptions) -> RunningArchive:
    """Open the archive and listen. Raises UnavailableError if directory, index or port cannot be had."""
    archive = Archive(options.directory, ae_title=options.ae_title, url=options.url, sync=options.sync)
    try:
        server, commitment, trail = _server(options, archive)
        if trail is not None:
            trail.start(_user())
        server.start()
        commitment.start()
    except BaseException:
        archive.close()
        raise
    running = RunningArchive(options, archive, server, commitment, trail)
    described = running.describe()
    log.info("%s listens on %s:%d", described.ae_title, described.host, described.port)
    if described.tls_port:
        log.info("%s listens for TLS on %s:%d", described.ae_title, described.host, described.tls_port)
    return running


def acceptor_policy(options: ServeOptions) -> AcceptorPolicy:
    """Whom an archive with these options accepts, and for what; the conformance statement is made of it, too."""
    return AcceptorPolicy(
        ae_title=options.ae_title,
        contexts=archive_contexts(),
        calling_ae=frozenset(remote.ae_title for remote in options.remotes) if options.strict_calling else None,
    )


def _server(options: ServeOptions, archive: Archive) -> tuple[Server, CommitmentService, AuditTrail | None]:
    tls = _tls_policy(options)
    remotes = tuple(
        Peer(remote.ae_title, remote.host, remote.port, tls if remote.tls else None) for remote in options.remotes
    )
    policy = acceptor_policy(options)
    context = None if options.tls_port is None else server_context(tls)
    with ExitStack() as opened:
        listener = opened.enter_context(_listen(options.host, options.port))
        secure = None
        if context is not None and options.tls_port is not None:
            second = opened.enter_context(_listen(options.host, options.tls_port))
            secure = TlsListener(second, f"{options.host}:{second.getsockname()[1]}", context)
        opened.pop_all()
    port = listener.getsockname()[1]
    observer: Observer = LoggingObserver(log)
    ids = association_ids()
    requestor = Requestor(options.ae_title, _NODE, PlainDialler(), observer, policy.timeouts, policy.maximum_pdu, ids)

    def resolve(ae_title: str) -> Peer | None:
        return next((remote for remote in remotes if same_title(remote.ae_title, ae_title)), None)

    commitment = CommitmentService(
        archive,
        ae_title=lambda: options.ae_title,
        resolve=resolve,
        requestor=lambda: requestor,
        note=lambda level, text: log.log(logging.getLevelNamesMapping()[level.upper()], "%s", text),
    )
    services = replace(archive.services(), resolve_destination=resolve, n_action=commitment.answer)
    trail = _trail(options) if options.audit else None
    if trail is not None:
        auditor = Auditor(archive, trail)
        services, observer = auditor.services(services), auditor.observer(observer)
    server = Server(
        listener,
        policy,
        services,
        observer,
        node=_NODE,
        caller_of=outside_caller,
        local=f"{options.host}:{port}",
        requestor=requestor,
        new_association_id=ids,
        secure=secure,
    )
    return server, commitment, trail


def _trail(options: ServeOptions) -> AuditTrail:
    sinks: list[Sink] = [AuditFile(options.directory / AUDIT)]
    if options.audit_syslog is not None:
        sinks.append(Syslog(options.audit_syslog, options.ae_title, _tls_policy(options)))
    return AuditTrail(lambda: options.ae_title, sinks)


def _tls_policy(options: ServeOptions) -> TlsPolicy:
    if (options.certificate is None) is not (options.key is None):
        raise BadInputError("A certificate and its private key belong together.", "Give both, or neither.")
    identity = None
    if options.certificate is not None and options.key is not None:
        identity = TlsIdentity(options.certificate, options.key)
    return TlsPolicy(identity, options.authority, options.client_certificates)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as wrong:
        raise UnavailableError(
            f"Cannot listen on {host}:{port}: {wrong.strerror or wrong}.", "Choose another port, or port 0 for any."
        ) from wrong
    return listener
