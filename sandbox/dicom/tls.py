"""TLS for DICOM associations (PS3.15 annex B, the profiles of BCP 195): the values that say how, and contexts made
of them.

TLS 1.2 at least, 1.3 where both sides have it, and only cipher suites with forward secrecy and authenticated
encryption. A requestor always checks certificate and name of whom it calls. The handshake itself is the DUL's, on the
association's own thread.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.model.config import ClientCertificates
from sandbox.model.errors import BadInputError

# RFC 9325 4.2: the suites of TLS 1.2 it recommends, and the same with ChaCha20. Those of TLS 1.3 are all of this kind.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!SHA1"


@dataclass(frozen=True)
class TlsIdentity:
    """A certificate (PEM, those that lead to its authority after it) and its private key (PEM, without password)."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class TlsPolicy:
    """How one side uses TLS. ``identity`` is its own certificate: an acceptor must have one, a requestor shows it when
    it is asked. ``authority`` is a PEM file of those whose signatures it trusts.

    ``client_certificates`` is an acceptor's wish. ``server_name`` is the name that a requestor wants to find in the
    certificate, if it is another than the host it calls.
    """

    identity: TlsIdentity | None = None
    authority: Path | None = None
    client_certificates: ClientCertificates = ClientCertificates.NONE
    server_name: str = ""


def server_context(policy: TlsPolicy) -> ssl.SSLContext:
    """The acceptor's side. Raises BadInputError when a file of the policy is no good."""
    if policy.identity is None:
        raise BadInputError("A TLS port needs a certificate and its private key.", "Name both.")
    context = _context(ssl.PROTOCOL_TLS_SERVER, policy)
    if policy.client_certificates is not ClientCertificates.NONE:
        if policy.authority is None:
            raise BadInputError(
                "Client certificates cannot be checked without the authority that signs them.", "Name its certificate."
            )
        required = policy.client_certificates is ClientCertificates.REQUIRED
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    # A session that is taken up again would not have its certificates looked at again.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context


def client_context(policy: TlsPolicy) -> ssl.SSLContext:
    """The requestor's side: it always checks certificate and name. Raises BadInputError when a file is no good."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, policy)
    if policy.authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _context(protocol: ssl._SSLMethod, policy: TlsPolicy) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if policy.authority is not None:
        _load(policy.authority, lambda path: context.load_verify_locations(path))
    identity = policy.identity
    if identity is not None:
        _load(identity.certificate, lambda path: context.load_cert_chain(path, identity.key, password=_no_password))
    return context


def wrapped(connection: socket.socket, context: ssl.SSLContext, server_name: str | None) -> ssl.SSLSocket:
    """A connected socket as a TLS socket that has not shaken hands yet: the requestor's, which wants ``server_name``
    in the certificate, or the acceptor's."""
    return context.wrap_socket(
        connection, server_side=server_name is None, server_hostname=server_name, do_handshake_on_connect=False
    )


def describe(connection: ssl.SSLSocket) -> str:
    """What a handshake agreed on and who the peer proved to be: "TLSv1.3, TLS_AES_256_GCM_SHA384, certificate CT1"."""
    suite = connection.cipher()
    parts = [connection.version() or "TLS", suite[0] if suite else ""]
    certificate: dict[str, Any] = dict(connection.getpeercert() or {})
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return ", ".join(part for part in (*parts, f"certificate {names[-1]}" if names else "") if part)


def _load(path: Path, load: Callable[[Path], None]) -> None:
    try:
        load(path)
    except OSError as wrong:
        # ssl.SSLError is one of these, too.
        reason = wrong.reason if isinstance(wrong, ssl.SSLError) else wrong.strerror
        raise BadInputError(
            f"{path} cannot be used for TLS: {str(reason or wrong).replace('_', ' ').lower()}.",
            "It must be PEM, and the key must be the one of the certificate, without a password.",
        ) from wrong


def _no_password() -> str:
    # Without this OpenSSL would ask for one on the terminal of whoever started the process.
    return ""
