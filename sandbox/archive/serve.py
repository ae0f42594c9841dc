"""The mini PACS alone, on a real port, for anyone who needs an archive: ``pacs-sandbox archive serve``.

The same services as the archive of a department, on ordinary sockets. What happens on its associations goes to this
module's logger in an administrator's words.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

from pydantic import Field

from sandbox.archive.archive import Archive
from sandbox.archive.contexts import archive_contexts
from sandbox.archive.store import Sync
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Peer
from sandbox.dicom.plain import LoggingObserver, PlainDialler, association_ids, outside_caller
from sandbox.dicom.server import Server
from sandbox.model.ae_title import AETitle, same_title
from sandbox.model.base import Model
from sandbox.model.errors import BadInputError, UnavailableError

log = logging.getLogger(__name__)

_NODE = "archive"


class Remote(Model):
    """A line of the archive's AE table: where to send what a C-MOVE asks for."""

    ae_title: AETitle
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)

    @classmethod
    def parse(cls, text: str) -> Remote:
        """``AET=HOST:PORT``, as it is written on the command line; an IPv6 address stands in brackets."""
        title, equals, place = text.partition("=")
        host, colon, port = place.rpartition(":")
        if not (equals and colon and host and port.isdigit() and 0 < int(port) <= 65535):
            raise BadInputError(
                f"{text!r} is no remote AE.", "Write it as AET=HOST:PORT, for example WS1=127.0.0.1:11113."
            )
        return cls(ae_title=title, host=host.strip("[]"), port=int(port))


class ServeOptions(Model):
    """How to serve: ``port`` 0 takes any free one, ``url`` puts the index into another database than the directory's
    own SQLite, ``strict_calling`` accepts only calling AE titles among ``remotes``."""

    ae_title: AETitle
    directory: Path
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    url: str | None = None
    remotes: tuple[Remote, ...] = ()
    strict_calling: bool = False
    sync: Sync = Sync.FULL


class ServedArchive(Model):
    """Where a running archive is reached, for machines that start one."""

    ae_title: str
    host: str
    port: int
    pid: int
    directory: Path


class RunningArchive:
    """A served archive. Stop it, or use it in a ``with`` block."""

    def __init__(self, options: ServeOptions, archive: Archive, server: Server) -> None:
        self.archive = archive
        self._options = options
        self._server = server
        self._port = server.address[1]
        self._woken, self._waker = socket.socketpair()
        self._stopped = False

    def describe(self) -> ServedArchive:
        """AE title, address and process."""
        return ServedArchive(
            ae_title=self._options.ae_title,
            host=self._options.host,
            port=self._port,
            pid=os.getpid(),
            directory=self._options.directory,
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
        self._server.stop()
        self.archive.close()
        with contextlib.suppress(OSError):
            self._waker.send(b"!")
        self._waker.close()
        log.info("%s stopped", self._options.ae_title)

    def __enter__(self) -> RunningArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _noticed(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the signal has woken ``wait`` through its descriptor."""


def serve_archive(options: ServeOptions) -> RunningArchive:
    """Open the archive and listen. Raises UnavailableError if directory, index or port cannot be had."""
    archive = Archive(options.directory, ae_title=options.ae_title, url=options.url, sync=options.sync)
    try:
        server = _server(options, archive)
        server.start()
    except BaseException:
        archive.close()
        raise
    running = RunningArchive(options, archive, server)
    described = running.describe()
    log.info("%s listens on %s:%d", described.ae_title, described.host, described.port)
    return running


def _server(options: ServeOptions, archive: Archive) -> Server:
    remotes = tuple(Peer(remote.ae_title, remote.host, remote.port) for remote in options.remotes)
    policy = AcceptorPolicy(
        ae_title=options.ae_title,
        contexts=archive_contexts(),
        calling_ae=frozenset(remote.ae_title for remote in options.remotes) if options.strict_calling else None,
    )
    listener = _listen(options.host, options.port)
    port = listener.getsockname()[1]
    observer = LoggingObserver(log)
    ids = association_ids()
    return Server(
        listener,
        policy,
        replace(
            archive.services(),
            resolve_destination=lambda title: next((r for r in remotes if same_title(r.ae_title, title)), None),
        ),
        observer,
        node=_NODE,
        caller_of=outside_caller,
        local=f"{options.host}:{port}",
        requestor=Requestor(
            options.ae_title, _NODE, PlainDialler(), observer, policy.timeouts, policy.maximum_pdu, ids
        ),
        new_association_id=ids,
    )


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
