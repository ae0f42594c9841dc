"""Serves a lab's API on a loopback port by waitress, on threads of its own, and ends promptly.

The port of an earlier process of the same lab is taken again if it is free, so that whoever knows the lab's address can
go on using it.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from typing import Any

from waitress.server import create_server

from sandbox.lab.api.app import LARGEST_BODY, MOST_STREAMS, create_app
from sandbox.lab.lab import Lab

LOOPBACK = "127.0.0.1"
THREADS = MOST_STREAMS + 8
"""More threads than streams, so that an ordinary request always finds one."""

_TURN_S = 5.0
"""How long the server sleeps at most between two looks at whether it shall end; it is woken when it shall."""


class ApiServer:
    """The API of one lab, from when it is made until ``close``."""

    def __init__(self, lab: Lab, token: str, port: int = 0) -> None:
        self._stopping = False
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        # Waitress warns when a request waits for a thread; here that is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server: Any = create_server(
            create_app(lab, token, lambda: self.port),
            sockets=[self._socket],
            threads=THREADS,
            ident=None,
            channel_request_lookahead=1,
            max_request_body_size=LARGEST_BODY,
            asyncore_loop_timeout=_TURN_S,
            clear_untrusted_proxy_headers=True,
        )
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{LOOPBACK}:{self.port}"

    def close(self) -> None:
        """End: no more connections, open ones closed. Streams end with the lab's event log."""
        if self._stopping:
            return
        self._stopping = True
        self._server.pull_trigger()
        self._thread.join(_TURN_S * 2)

    def _run(self) -> None:
        server = self._server
        while not self._stopping:
            server.asyncore.loop(timeout=_TURN_S, map=server._map, count=1)
        # Answers under way (that of a command that ends the lab, for one) are still sent.
        server.task_dispatcher.shutdown(timeout=2)
        for entry in list(server._map.values()):
            entry.close()


def _bound(port: int) -> socket.socket:
    """A socket on ``port``, or on another when that is taken."""
    for wanted in (port, 0):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # On Windows this option would let two programs have one port.
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((LOOPBACK, wanted))
        except OSError:
            sock.close()
            if not wanted:
                raise
            continue
        return sock
    raise AssertionError("unreachable")
