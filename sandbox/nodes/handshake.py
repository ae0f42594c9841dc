"""A TLS handshake with somebody's port, tried from a node: what was agreed on, what was shown, and what is wrong.

The first try is the one that counts: with certificate and name checked, as the node's own associations are. If that
fails because of the certificate, a second one without checks has a look at what was shown. Nothing of DICOM is said.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.dicom.authority import CertificateFacts, describe_certificate
from sandbox.dicom.tls import TlsPolicy, client_context, wrapped
from sandbox.dicom.tls_failures import explain_tls_failure
from sandbox.model.association import DialFailure
from sandbox.model.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

OnCancel = Callable[[Callable[[str], None]], None]
HANDSHAKE_S = 10.0


@dataclass(frozen=True)
class Handshake:
    """What came of it. ``trouble`` is a clause that says why it failed, empty where it did not; ``protocol`` is empty
    where none was agreed on. ``name_matches`` and ``is_current`` tell of the first certificate of the ``chain``."""

    address: str
    protocol: str = ""
    cipher: str = ""
    chain: tuple[CertificateFacts, ...] = ()
    trouble: str = ""
    wanted: str = ""
    at: datetime | None = None

    @property
    def name_matches(self) -> bool:
        """Whether the certificate is for the name that was wanted (RFC 6125, without wildcards)."""
        return bool(self.chain) and self.wanted.lower() in [name.lower() for name in self.chain[0].names]

    @property
    def is_current(self) -> bool:
        """Whether the certificate is valid by date."""
        return bool(self.chain) and self.at is not None and self.chain[0].since <= self.at <= self.chain[0].until


def shake_hands(
    node: Node, host: str, port: int, name: str = "", when_cancelled: OnCancel = lambda close: None
) -> Handshake | DialFailure:
    """Try TLS with ``host``:``port`` in the way in which ``node`` would; ``name`` is wanted in the certificate instead
    of the host's."""
    wanted = name or host
    trusted = node.tls.trusted
    authority = trusted if trusted.exists() else _departments(node)
    identity = node.tls.identity if node.tls.identity.certificate.exists() else None
    try:
        checking = client_context(TlsPolicy(identity, authority))
    except SandboxError as wrong:
        return Handshake(address="", trouble=wrong.sentence.rstrip("."), wanted=wanted)
    first = _try(node, host, port, checking, wanted, when_cancelled)
    if isinstance(first, DialFailure) or first.chain or not first.trouble:
        return first
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    if identity is not None:
        blind.load_cert_chain(identity.certificate, identity.key)
    second = _try(node, host, port, blind, wanted, when_cancelled)
    if isinstance(second, DialFailure) or not second.chain:
        return first
    return Handshake(second.address, "", "", second.chain, first.trouble, wanted, datetime.now(UTC))


def _departments(node: Node) -> Path | None:
    authority = node.context.authority
    return authority.ready() if authority is not None else None


def _try(
    node: Node, host: str, port: int, context: ssl.SSLContext, wanted: str, when_cancelled: OnCancel
) -> Handshake | DialFailure:
    dialler = node.context.network.dialler(node.name)
    when_cancelled(lambda reason: dialler.close())
    made = dialler.dial(host, port, timeout=node.running.connect_timeout_s)
    if isinstance(made, DialFailure):
        return made
    address = made.peer
    made.socket.settimeout(HANDSHAKE_S)
    try:
        with wrapped(made.socket, context, wanted) as connection:
            connection.do_handshake()
            suite = connection.cipher()
            return Handshake(
                address=address,
                protocol=connection.version() or "",
                cipher=suite[0] if suite else "",
                chain=_chain(connection),
                wanted=wanted,
                at=datetime.now(UTC),
            )
    except TimeoutError:
        return Handshake(address, trouble=f"no answer to the handshake within {HANDSHAKE_S:g} s", wanted=wanted)
    except (OSError, ValueError) as wrong:
        return Handshake(address, trouble=explain_tls_failure(wrong), wanted=wanted)
    finally:
        made.socket.close()


def _chain(connection: ssl.SSLSocket) -> tuple[CertificateFacts, ...]:
    """The certificates that were shown, the peer's own first. Python gives no more than that one to everybody."""
    encoded = connection.getpeercert(binary_form=True)
    if encoded is None:
        return ()
    return (describe_certificate(encoded),)
