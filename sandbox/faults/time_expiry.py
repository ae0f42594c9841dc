"""Something that is valid until a moment, and not after it: works today, fails at midnight, and nobody touched it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.faults.on_certificate import OnCertificate
from sandbox.nodes.tls import NodeTls

_DAY_S = 86400.0


class CertificateExpires(OnCertificate):
    """``time.expiry``: the certificate of ``node`` is valid for ``in_s`` seconds more, by the machine's clock.

    Until then all is well. After that each new TLS handshake fails, though nothing was changed anywhere. Seen from
    outside: ``echoscu +tla`` with the authority's certificate against the published TLS port succeeds, and later fails;
    ``openssl s_client`` names the moment. Mended by: ``node.certificate.renew`` and, at a listener, a restart.
    """

    kind = "time.expiry"
    symptoms: ClassVar[tuple[str, ...]] = (
        "What worked stops from one moment to the next, without any change before it.",
        "TCP connects and the TLS handshake fails: certificate has expired.",
    )

    in_s: float = Field(gt=0, le=366 * _DAY_S)

    def spoil(self, tls: NodeTls) -> None:
        tls.issue(days=self.in_s / _DAY_S)

    def explanation(self) -> str:
        return (
            f"The certificate of {self.node} was valid until a moment in the middle of the work. Nothing was changed "
            "when it broke: what expires does so by itself, and a list of such dates would have told beforehand."
        )
