"""What an association does with its socket besides reading and writing PDUs: TLS begun, the end told, looks taken.

Functions on a connected socket, which may be an SSL socket. None of them knows of PDUs.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl

from sandbox.dicom.tls_failures import HANDSHAKE


def is_polled(connection: socket.socket) -> bool:
    """Whether bytes, or the end, have arrived. With TLS they need not be anybody's data."""
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return False


def read_now(connection: ssl.SSLSocket, into: memoryview) -> int | None:
    """Read what TLS has for us already: how many bytes (0 at the end), None if there is nothing. It leaves the socket
    without waiting; bytes on the wire do not say that there is something, since TLS has messages of its own."""
    connection.settimeout(0)
    try:
        return connection.recv_into(into)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    except OSError:
        # Whoever reads next will hear of it.
        return 0


def unheard_alert(connection: socket.socket) -> ssl.SSLError | None:
    """What the peer said in a TLS alert before it closed a connection on which we were sending: nobody has read it."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    try:
        connection.settimeout(0)
        connection.recv(1)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
        return None
    except ssl.SSLError as alert:
        return alert
    except (OSError, ValueError):
        return None
    return None


def begins_plain(connection: socket.socket) -> bool:
    """Whether what the peer says first is no TLS: a caller whose TLS is switched off is the usual case. Waits for its
    first byte; EOFError if none comes."""
    first = connection.recv(1, socket.MSG_PEEK)
    if not first:
        raise EOFError
    return first[0] != HANDSHAKE


def shutdown(connection: socket.socket, how: int) -> None:
    """Shut a direction down. The plain method even for an SSL socket: its own would give up encryption for both."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, how)


def say_goodbye(connection: socket.socket) -> None:
    """Tell the peer behind TLS that nothing was cut off (close_notify). Its own is not waited for."""
    if isinstance(connection, ssl.SSLSocket):
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(0)
            connection.unwrap()
