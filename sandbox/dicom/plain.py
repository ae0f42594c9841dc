"""Ordinary sockets instead of the simulated network: for the archive alone and for AEs outside the department.

Failures are told apart as the simulated network tells them apart. A simulated address is never dialled for real.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.dicom.explain import explain_dial, explain_rejection_fields, explain_status, uid_name
from sandbox.model.address import is_simulated
from sandbox.model.association import (
    AssociationFacts,
    Caller,
    ContextResult,
    DialFailure,
    DialOutcome,
    Direction,
    Exchange,
    ProposedContext,
    Rejection,
    Side,
)

_OUTCOMES = {
    errno.ECONNREFUSED: DialOutcome.REFUSED,
    errno.ETIMEDOUT: DialOutcome.TIMED_OUT,
    errno.ECONNRESET: DialOutcome.RESET,
    errno.ECONNABORTED: DialOutcome.RESET,
}


_GIVEN_UP = "the connection was given up"


def _written(address: tuple[object, ...]) -> str:
    return f"{address[0]}:{address[1]}"


@dataclass(frozen=True)
class PlainConnection:
    """A connected socket with its real addresses."""

    socket: socket.socket
    local: str
    peer: str
    peer_node: str = ""


class PlainDialler:
    """Dials names and addresses as the operating system knows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dialling: set[socket.socket] = set()
        self._closed = False

    def dial(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        association: str,  # noqa: ARG002
        cause: int | None,  # noqa: ARG002
    ) -> PlainConnection | DialFailure:
        began = time.monotonic()

        def failed(outcome: DialOutcome, reason: str, address: str = "") -> DialFailure:
            elapsed = time.monotonic() - began
            return DialFailure(outcome=outcome, host=host, port=port, address=address, elapsed_s=elapsed, reason=reason)

        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            return failed(DialOutcome.UNKNOWN_HOST, str(unknown))
        failure = failed(DialOutcome.UNKNOWN_HOST, "the name has no address")
        for family, kind, protocol, _, target in found:
            address = str(target[0])
            if is_simulated(address):
                failure = failed(DialOutcome.UNREACHABLE, "a simulated address exists only inside a lab", address)
                continue
            remaining = timeout - (time.monotonic() - began)
            if remaining <= 0:
                return failed(DialOutcome.TIMED_OUT, f"no answer within {timeout:g} s", address)
            sock = socket.socket(family, kind, protocol)
            try:
                self._connect(sock, target, remaining)
                # TCP connects a socket with itself when its own port is the one dialled: nobody was listening there.
                if sock.getsockname() == sock.getpeername():
                    raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
                return PlainConnection(sock, _written(sock.getsockname()), _written(target))
            except TimeoutError:
                failure = failed(DialOutcome.TIMED_OUT, f"no answer within {timeout:g} s", address)
            except OSError as wrong:
                outcome = _OUTCOMES.get(wrong.errno or 0, DialOutcome.UNREACHABLE)
                failure = failed(outcome, wrong.strerror or os.strerror(wrong.errno or 0), address)
            finally:
                with self._lock:
                    self._dialling.discard(sock)
            sock.close()
        return failed(DialOutcome.UNREACHABLE, _GIVEN_UP, failure.address) if self._closed else failure

    def close(self) -> None:
        """Fail every dial that waits, and every later one."""
        with self._lock:
            self._closed = True
            for sock in self._dialling:
                # Shutting down a socket that is connecting ends its connect.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _connect(self, sock: socket.socket, target: Any, timeout: float) -> None:
        sock.setblocking(False)
        with self._lock:
            # Begun under the lock: close() finds a socket that is connecting already, or we find that it was called.
            error = errno.ECANCELED if self._closed else sock.connect_ex(target)
            self._dialling.add(sock)
        if error in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            poll = select.poll()
            poll.register(sock, select.POLLOUT)
            if not poll.poll(timeout * 1000):
                raise TimeoutError
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        sock.setblocking(True)


def outside_caller(address: tuple[str, int]) -> Caller:
    """Whoever calls is from outside: for a server on ordinary sockets."""
    return Caller(host=address[0], port=address[1])


def association_ids(prefix: str = "a") -> Callable[[], str]:
    """A source of association ids, unique in this process."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


class NullObserver:
    """Is told everything and keeps nothing. A base for observers that want only some of it."""

    def requested(self, facts: AssociationFacts, proposed: Sequence[ProposedContext], cause: int | None) -> None: ...
    def failed(self, facts: AssociationFacts, failure: DialFailure) -> None: ...
    def accepted(self, facts: AssociationFacts, contexts: Sequence[ContextResult]) -> None: ...
    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None: ...
    def released(self, facts: AssociationFacts) -> None: ...
    def aborted(self, facts: AssociationFacts, reason: str) -> None: ...
    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None: ...
    def pdu(self, facts: AssociationFacts, direction: Direction, data: memoryview) -> None: ...
    def unspoken(self, caller: Caller, reason: str) -> None: ...


class LoggingObserver(NullObserver):
    """Writes what happens to a logger, in words: for ``archive serve``, which has no event log.

    Ends of associations and failures are at INFO and WARNING, single exchanges at DEBUG.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._log = logger

    def requested(
        self,
        facts: AssociationFacts,
        proposed: Sequence[ProposedContext],
        cause: int | None,  # noqa: ARG002
    ) -> None:
        if self._log.isEnabledFor(logging.INFO):
            self._log.info("%s %s asks for %d contexts", facts.id, _who(facts), len(proposed))

    def failed(self, facts: AssociationFacts, failure: DialFailure) -> None:
        words = explain_dial(failure.outcome)
        self._log.warning("%s %s: %s (%s)", facts.id, _who(facts), words.name, failure.reason)

    def accepted(self, facts: AssociationFacts, contexts: Sequence[ContextResult]) -> None:
        if self._log.isEnabledFor(logging.INFO):
            accepted = sum(context.accepted for context in contexts)
            self._log.info("%s %s: %d of %d contexts accepted", facts.id, _who(facts), accepted, len(contexts))

    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None:
        words = explain_rejection_fields(rejection)
        self._log.warning(
            "%s %s: %s by the %s: %s (%s)",
            facts.id,
            _who(facts),
            words.result,
            words.source.partition(":")[0],
            words.reason.name,
            rejection,
        )

    def released(self, facts: AssociationFacts) -> None:
        if self._log.isEnabledFor(logging.INFO):
            self._log.info("%s %s: released", facts.id, _who(facts))

    def aborted(self, facts: AssociationFacts, reason: str) -> None:
        self._log.warning("%s %s: aborted: %s", facts.id, _who(facts), reason)

    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None:
        level = logging.DEBUG if exchange.status == 0 else logging.INFO
        if not self._log.isEnabledFor(level):
            return
        words = explain_status(exchange.service, exchange.status)
        self._log.log(
            level,
            "%s %s %s %s: %s in %.1f ms",
            facts.id,
            exchange.service,
            _shown(uid_name(exchange.sop_class)),
            _shown(exchange.sop_instance),
            f"{words.name} ({exchange.status & 0xFFFF:04X})" if exchange.status >= 0 else words.name,
            exchange.duration_ms,
        )

    def unspoken(self, caller: Caller, reason: str) -> None:
        self._log.info("A connection from %s:%d came to nothing: %s", caller.host, caller.port, reason)


def _who(facts: AssociationFacts) -> str:
    calling, called = _shown(facts.calling_ae), _shown(facts.called_ae)
    if facts.side is Side.ACCEPTOR:
        return f"{calling} at {facts.peer} calling {called}"
    return f"{calling} calling {called} at {facts.peer}"


def _shown(text: str) -> str:
    """What a peer sent, so that it stays on its line of the log."""
    return text if text.isprintable() else "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
