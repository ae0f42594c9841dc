"""A node's certificate and whom it trusts: files of its own, made by the department's authority when they are needed.

They lie in ``tls/`` of the node's directory, so that a reset puts them back and a certificate can go wrong like any
other file. Rule: nothing is made for a node that neither listens for TLS nor has a line in its AE table that calls
with it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.dicom.authority import PRIVATE, Authority, Flaw
from sandbox.dicom.tls import TlsIdentity, TlsPolicy
from sandbox.model.config import ClientCertificates
from sandbox.model.errors import UnavailableError
from sandbox.model.files import write_whole

if TYPE_CHECKING:
    from sandbox.network.network import Network

READABLE = 0o644
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

    def ready(self) -> None:
        """Make what a node needs that listens for TLS or calls with it, if it is not there."""
        self._ensure()

    def trust(self, authority: str) -> None:
        """Trust the authority whose certificate (PEM) this is, and no other. What calls from now on goes by it; a
        running listener goes on with what it has until the node is restarted."""
        write_whole(self.trusted, authority)

    def trust_department(self) -> None:
        """Trust the department's own authority, as every node does in the beginning."""
        self.trust(self._signing().ready().read_text(encoding="ascii"))

    def trust_another(self) -> None:
        """Trust an authority of the same name that has never signed anything here, as after an unannounced change."""
        self.trust(self._signing().another())

    def files(self) -> Mapping[Path, str]:
        """What is there now: certificate, key and whom it trusts."""
        paths = (self.identity.certificate, self.identity.key, self.trusted)
        return {path: path.read_text(encoding="ascii") for path in paths if path.exists()}

    def put_back(self, files: Mapping[Path, str]) -> None:
        """Make the files what ``files`` gave once."""
        for path in (self.identity.key, self.identity.certificate, self.trusted):
            if path in files:
                write_whole(path, files[path], mode=PRIVATE if path == self.identity.key else READABLE)
            else:
                path.unlink(missing_ok=True)

    def _signing(self) -> Authority:
        if self._authority is None:
            raise UnavailableError(
                f"{self._name} belongs to no department with a certificate authority.", "Do without TLS."
            )
        return self._authority

    def issue(self, *, flaw: Flaw = Flaw.NONE, days: float = DAYS) -> None:
        """Replace the node's certificate. A running listener goes on with the old one until the node is restarted."""
        authority = self._signing()
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
        authority.issue(self._directory, self._name, hosts, days=days, flaw=flaw)

    def _ensure(self) -> None:
        with self._lock:
            if not self.identity.certificate.exists():
                self.issue()
            if not self.trusted.exists() and self._authority is not None:
                write_whole(self.trusted, self._authority.ready().read_text(encoding="ascii"))
