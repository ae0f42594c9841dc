"""A certificate that nobody renewed in time."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.faults.on_certificate import OnCertificate
from sandbox.nodes.tls import NodeTls


class CertificateExpired(OnCertificate):
    """``tls.expired``: the certificate of ``node`` expired ``ago_h`` hours ago, by the machine's clock.

    Whoever checks it ends the TLS handshake, so no association is ever asked for. Seen from outside: ``echoscu +tla``
    with the authority's certificate against the published TLS port fails, ``openssl s_client`` names the date. Mended
    by: ``node.certificate.renew`` and, at a listener, a restart.
    """

    kind = "tls.expired"
    symptoms: ClassVar[tuple[str, ...]] = (
        "TCP connects and the TLS handshake fails: certificate has expired.",
        "The called node never logs an association.",
    )

    ago_h: float = Field(24.0, gt=0, le=8760)

    def spoil(self, tls: NodeTls) -> None:
        tls.issue(days=-self.ago_h / 24.0)

    def explanation(self) -> str:
        return (
            f"The certificate of {self.node} had expired. Its peer ended the TLS handshake, which comes before the "
            "association: so there was no A-ASSOCIATE, no rejection and no AE title in any log; a handshake failed."
        )
