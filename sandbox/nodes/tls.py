"""A node's certificate and whom it trusts: files of its own, made by the department's authority when they are needed.

They lie in ``tls/`` of the node's directory, so that a reset puts them back and a certificate can go wrong like any
other file. Rule: nothing is made for a node that neither listens for TLS nor calls with it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.dicom.authority import Authority, Flaw
from sandbox.dicom.tls import TlsIdentity, TlsPolicy
from sandbox.model.config import ClientCertificates
from sandbox.model.errors import UnavailableError
from sandbox.model.files import write_whole

if TYPE_CHECKING:
    from sandbox.network.network import Network

DAYS = 397.0
"""How long a certificate of the department is valid."""


class NodeTls:
    """``authority`` signs for the whole department. ``directory`` is the node's own."""

    def __init__(self, name: str, directory: Path, network: Network, authority: Authority | None) -> None:
        self._name = name
        self._directory = directory / "tls"
        self._network = network
        self._authority = authority
        self._lock = threading.Lock()
        self.identity = TlsIdentity(self._directory / "certificate.pem", self._directory / "key.pem")
        self.trusted = self._directory / "authority.pem"

    def server(self, client_certificates: ClientCertificates) -> TlsPolicy:
        """How the node listens for TLS."""
        self._ensure()
        return TlsPolicy(self.identity, self.trusted, client_certificates)

    def client(self) -> TlsPolicy:
        """How the node calls with TLS."""
        self._ensure()
        return TlsPolicy(self.identity, self.trusted)

    def issue(self, *, flaw: Flaw = Flaw.NONE, days: float = DAYS) -> None:
        """Replace the node's certificate. A running listener goes on with the old one until the node is restarted."""
        if self._authority is None:
            raise UnavailableError(
                f"{self._name} belongs to no department with a certificate authority.", "Do without TLS."
            )
        network = self._network
        domain = network.topology.plan.domain
        hosts = (
            f"{self._name}.{domain}".lower(),
            self._name.lower(),
            network.address_of(self._name),
            # For outside tools, which reach it where it is published.
            "localhost",
            network.publish_host,
        )
        self._authority.issue(self._directory, self._name, hosts, days=days, flaw=flaw)

    def _ensure(self) -> None:
        with self._lock:
            if not self.identity.certificate.exists():
                self.issue()
            if not self.trusted.exists() and self._authority is not None:
                write_whole(self.trusted, self._authority.ready().read_text(encoding="ascii"))
