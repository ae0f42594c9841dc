"""DICOMweb on a socket: waitress on threads of its own, and a prompt end.

A client that stops reading is dropped by the system after a minute, so that it cannot hold a thread for ever.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from sandbox.archive.archive import Archive
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.options import LOOPBACK_NAMES, WebOptions
from sandbox.model.errors import BadInputError, UnavailableError

THREADS = 16
_TURN_S = 5.0
"""How long the server sleeps at most between two looks at whether it shall end; it is woken when it shall."""
_UNREAD_MS = 60_000


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    # Of a request that cannot be parsed waitress asks the path all the same, when its client does not wait for the 400.
    path = ""


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser


class RunningDicomweb:
    """A served archive's DICOMweb. Stop it, or use it in a ``with`` block."""

    def __init__(self, archive: Archive, listener: socket.socket, options: WebOptions) -> None:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}{options.prefix}"
        self.port: int = port
        self.prefix = options.prefix
        self._stopping = False
        self._server: Any = create_server(
            create_app(archive, options),
            sockets=[listener],
            threads=THREADS,
            ident=None,
            channel_request_lookahead=1,
            max_request_body_size=options.largest_upload,
            asyncore_loop_timeout=_TURN_S,
            clear_untrusted_proxy_headers=True,
        )
        self._server.channel_class = _Channel
        self._thread = threading.Thread(target=self._run, name="dicomweb", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more connections, open ones closed. Safe to call again."""
        if self._stopping:
            return
        self._stopping = True
        self._server.pull_trigger()
        self._thread.join(_TURN_S * 2)

    def __enter__(self) -> RunningDicomweb:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        server = self._server
        while not self._stopping:
            server.asyncore.loop(timeout=_TURN_S, map=server._map, count=1)
        server.task_dispatcher.shutdown(timeout=2)
        for entry in list(server._map.values()):
            entry.close()


def serve_dicomweb(
    archive: Archive, host: str = "127.0.0.1", port: int = 0, options: WebOptions | None = None
) -> RunningDicomweb:
    """Serve ``archive`` over HTTP; ``port`` 0 takes any free one. The archive is its owner's to close, after ``stop``.

    Beyond loopback a token is needed, and any Host header is taken, unless the options name some. Raises BadInputError
    without a token, UnavailableError if the port cannot be had.
    """
    options = guarded(host, options or WebOptions())
    return serve_on(_bound(host, port), archive, options)


def guarded(host: str, options: WebOptions) -> WebOptions:
    """``options`` for serving on ``host``. Raises BadInputError where that is beyond this machine and has no token."""
    if not is_loopback(host):
        if not options.token:
            raise BadInputError(
                f"Whoever reaches {host} could read every image over HTTP.", "Give a token, or listen on 127.0.0.1."
            )
        if options.host_names == LOOPBACK_NAMES:
            options = options.model_copy(update={"host_names": frozenset()})
    return options


def serve_on(listener: socket.socket, archive: Archive, options: WebOptions) -> RunningDicomweb:
    """Serve on a socket that is bound already, and is closed by stopping."""
    # Waitress warns when a request waits for a thread; here that is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # accepted connections inherit it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    return RunningDicomweb(archive, listener, options)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bound(host: str, port: int) -> socket.socket:
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
