"""Where audit messages go: a file that is only ever added to, and a syslog server (PS3.15 A.6, RFC 5424).

Sinks are used by the trail's own thread alone. One that fails says so in the log, once until it works again, and never
holds anybody up for longer than its own timeout. What the file cannot take, on a full disk, waits in memory.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic import Field

from sandbox.dicom.plain import PlainDialler
from sandbox.dicom.tls import TlsPolicy, client_context
from sandbox.model.address import is_simulated
from sandbox.model.association import DialFailure
from sandbox.model.base import Model
from sandbox.model.errors import BadInputError

log = logging.getLogger(__name__)

AUDIT = "audit"
"""The folder of the audit trail in an archive's directory."""
FILE = "audit.log"
LIMIT = 10 << 20
"""Bytes after which a new file is begun."""
KEPT = 20
"""How many full files are kept beside the one that is written."""
MOST_KEPT_BACK = 8 << 20
"""Bytes of messages that wait in memory while the file cannot be written: some ten thousand messages."""

# Facility 10 (security), severity 5 (notice); the message id is the one of PS3.15 A.6.
_PRIORITY = 85
_MESSAGE_ID = "DICOM+RFC3881"
_TIMEOUT_S = 3.0
_PAUSE_S = 30.0
_DATAGRAM = 65_000


class Sink(Protocol):
    """Takes messages as XML, one string each. ``waits`` tells that some are kept back and want another try, which is a
    call of ``write`` without messages. After ``close`` it may be written to again."""

    @property
    def waits(self) -> bool: ...
    def write(self, messages: Sequence[tuple[datetime, str]]) -> None: ...
    def close(self) -> None: ...


class AuditFile:
    """``audit.log`` in ``directory``, a message a line. Full files get the time of their end in their names.

    A file that cannot be written loses nothing: up to ``most_kept_back`` bytes wait, in their order, until there is
    room. Then it holds whole lines only, whatever was in the way."""

    def __init__(
        self, directory: Path, *, limit: int = LIMIT, kept: int = KEPT, most_kept_back: int = MOST_KEPT_BACK
    ) -> None:
        self._directory = directory
        self._limit = limit
        self._kept = kept
        self._most_kept_back = most_kept_back
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._fails = False

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def write(self, messages: Sequence[tuple[datetime, str]]) -> None:
        for _, text in messages:
            line = f"{text}\n".encode()
            # The first are kept: they tell how it began.
            if self._size and self._size + len(line) > self._most_kept_back:
                self._lost += 1
            else:
                self._waiting.append(line)
                self._size += len(line)
        if not self._waiting:
            return
        try:
            self._append(b"".join(self._waiting))
        except OSError as wrong:
            if not self._fails:
                log.warning("The audit trail cannot be written, and waits in memory: %s", wrong)
            self._fails = True
            return
        if self._fails:
            log.warning(
                "The audit trail is written again: %d messages had waited, %d were too many and are lost",
                len(self._waiting),
                self._lost,
            )
        self._waiting.clear()
        self._size = self._lost = 0
        self._fails = False

    def close(self) -> None:
        """Try a last time; nothing is held open."""
        self.write(())
        if self._waiting:
            log.warning("%d messages of the audit trail could not be written yet", len(self._waiting))

    def _append(self, lines: bytes) -> None:
        """All of them or nothing."""
        path = self._directory / FILE
        self._directory.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size >= self._limit:
            self._rotate(path)
        with path.open("a+b", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            if before:
                file.seek(before - 1)
                if file.read(1) != b"\n":
                    # A kill in the middle of a line.
                    lines = b"\n" + lines
            try:
                rest = memoryview(lines)
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(before)
                raise

    def _rotate(self, path: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        path.rename(self._directory / f"audit-{stamp}.log")
        full = sorted(self._directory.glob("audit-*.log"))
        for old in full[: -self._kept]:
            old.unlink()


def read_lines(directory: Path) -> Iterator[str]:
    """All messages that are kept, the oldest first."""
    for path in (*sorted(directory.glob("audit-*.log")), directory / FILE):
        with suppress(FileNotFoundError):
            # Not splitlines(), for which characters that a peer may send end a line as well. A file that was made this
            # moment is empty, and has no line.
            yield from filter(None, path.read_text(encoding="utf-8").split("\n"))


class SyslogTarget(Model):
    """A syslog server: over UDP (RFC 5426) or TLS (RFC 5425)."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> SyslogTarget:
        """``HOST:PORT`` for UDP, ``tls://HOST:PORT`` for TLS; an IPv6 address stands in brackets."""
        scheme, _, place = text.rpartition("://")
        host, colon, port = place.rpartition(":")
        if scheme not in ("", "udp", "tls") or not (colon and host and port.isdigit() and 0 < int(port) <= 65535):
            raise BadInputError(
                f"{text!r} is no syslog server.", "Write it as HOST:PORT for UDP or tls://HOST:PORT for TLS."
            )
        return cls(host=host.strip("[]"), port=int(port), tls=scheme == "tls")


class Syslog:
    """Sends messages to ``target``. ``application`` is its name in them."""

    def __init__(self, target: SyslogTarget, application: str, tls: TlsPolicy | None = None) -> None:
        self._target = target
        self._header = f"{socket.gethostname() or '-'} {_printable(application)} {os.getpid()} {_MESSAGE_ID} -"
        self._tls = tls or TlsPolicy()
        self._connection: socket.socket | None = None
        self._not_before = 0.0

    @property
    def waits(self) -> bool:
        """It keeps nothing back: the file has everything."""
        return False

    def write(self, messages: Sequence[tuple[datetime, str]]) -> None:
        if time.monotonic() < self._not_before:
            return
        try:
            for at, text in messages:
                self._send(f"<{_PRIORITY}>1 {at.isoformat()} {self._header} \ufeff{text}".encode())
        except (OSError, BadInputError) as wrong:
            log.error("Audit messages do not reach %s:%d: %s", self._target.host, self._target.port, wrong)
            self._not_before = time.monotonic() + _PAUSE_S
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _send(self, line: bytes) -> None:
        if self._connection is None:
            self._connection = self._open_tls() if self._target.tls else self._open_udp()
        if self._target.tls:
            self._connection.sendall(b"%d %s" % (len(line), line))
        else:
            self._connection.send(line[:_DATAGRAM])

    def _open_tls(self) -> socket.socket:
        context = client_context(self._tls)
        target = self._target
        dialled = PlainDialler().dial(target.host, target.port, timeout=_TIMEOUT_S, association="", cause=None)
        if isinstance(dialled, DialFailure):
            raise OSError(dialled.reason)
        dialled.socket.settimeout(_TIMEOUT_S)
        try:
            return context.wrap_socket(dialled.socket, server_hostname=target.host)
        except (OSError, ssl.SSLError):
            dialled.socket.close()
            raise

    def _open_udp(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self._target.host, self._target.port, type=socket.SOCK_DGRAM
        )[0]
        if is_simulated(str(address[0])):
            raise OSError("a simulated address exists only inside a lab")
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(_TIMEOUT_S)
        connection.connect(address)
        return connection


def _printable(name: str) -> str:
    """A name as RFC 5424 takes it: no spaces, at most 48 characters."""
    return "".join(letter if "!" <= letter <= "~" else "_" for letter in name)[:48] or "-"
