"""The threads of one port: each waits for a caller, serves it from beginning to end, and waits for the next.

One more waits whenever a caller is being served, so that nobody is kept waiting by another; beyond a few, those who are
done go home. Starting a thread for every caller would cost more than a short association does.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

# How many threads stay when there is nothing to do: enough for calls that follow each other and overlap a little.
MOST_WAITING = 3
# How long to leave the system alone when it has no descriptors left for another connection.
_BREATH_S = 0.1
# What threads get to come back from accept.
_LEAVE_S = 1.0


class Doorkeepers:
    """Accept on ``listener`` (bound, and listening or not) and hand every connection and its address to ``serve``, on
    threads called ``name``."""

    def __init__(
        self, listener: socket.socket, serve: Callable[[socket.socket, tuple[str, int]], None], name: str
    ) -> None:
        self._listener = listener
        self._serve = serve
        self._name = name
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        self._waiting = 0

    def start(self) -> None:
        """Begin to accept."""
        self._hire()

    def stop(self) -> None:
        """Accept nobody any more. Those who serve somebody go on; ``join`` waits for them. The listener may be closed
        afterwards."""
        self._stopping.set()
        try:
            # On Linux this ends every accept; elsewhere connections of our own do.
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            address = self._listener.getsockname()
            for _ in range(self._waiting):
                with contextlib.suppress(OSError):
                    socket.create_connection(address[:2], 1).close()
        with self._left:
            self._left.wait_for(lambda: not self._waiting, _LEAVE_S)

    def join(self, seconds: float) -> None:
        """Wait for the threads to end, but for the one that calls this."""
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _hire(self) -> None:
        thread = threading.Thread(target=self._keep, name=self._name, daemon=True)
        with self._lock:
            if self._stopping.is_set():
                return
            self._threads.add(thread)
            self._waiting += 1
        try:
            thread.start()
        except RuntimeError as wrong:
            # The system has no thread left. Whoever is serving will be back.
            with self._lock:
                self._threads.discard(thread)
                self._waiting -= 1
            log.warning("%s: %s", self._name, wrong)

    def _keep(self) -> None:
        try:
            while (accepted := self._accept()) is not None and self._attend(*accepted):
                pass
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _accept(self) -> tuple[socket.socket, tuple[str, int]] | None:
        """The next connection, or None when there will be none."""
        try:
            while not self._stopping.is_set():
                try:
                    connection, address = self._listener.accept()
                except OSError as failed:
                    if not self._stopping.is_set():
                        log.warning("%s cannot accept a connection: %s", self._name, failed)
                        self._stopping.wait(_BREATH_S)
                    continue
                if not self._stopping.is_set():
                    return connection, (str(address[0]), int(address[1]))
                connection.close()
            return None
        finally:
            with self._lock:
                self._waiting -= 1
                if self._stopping.is_set():
                    self._left.notify_all()

    def _attend(self, connection: socket.socket, address: tuple[str, int]) -> bool:
        """Serve one connection. False: there are enough who wait already."""
        if not self._waiting:
            self._hire()
        try:
            self._serve(connection, address)
        except Exception:
            log.exception("%s cannot serve a connection", self._name)
            connection.close()
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return False
            self._waiting += 1
        return True
