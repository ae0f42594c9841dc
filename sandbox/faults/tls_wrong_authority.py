"""A certificate from an authority that nobody here trusts, though it has the right name."""

from __future__ import annotations

from typing import ClassVar

from sandbox.dicom.authority import Flaw
from sandbox.faults.on_certificate import OnCertificate
from sandbox.nodes.tls import NodeTls


class CertificateOfAnotherAuthority(OnCertificate):
    """``tls.wrong_authority``: the certificate of ``node`` was signed by another authority, which is called the same;
    with ``self_signed`` by nobody but itself.

    Seen from outside: ``echoscu +tla`` with the authority's certificate against the published TLS port fails,
    ``openssl s_client`` cannot verify the issuer. Mended by: ``node.certificate.renew`` and, at a listener, a restart.
    """

    kind = "tls.wrong_authority"
    symptoms: ClassVar[tuple[str, ...]] = (
        "TCP connects and the TLS handshake fails: the certificate's authority is not trusted.",
        "The called node never logs an association.",
    )

    self_signed: bool = False

    def spoil(self, tls: NodeTls) -> None:
        tls.issue(flaw=Flaw.SELF_SIGNED if self.self_signed else Flaw.WRONG_AUTHORITY)

    def explanation(self) -> str:
        who = "by nobody but itself" if self.self_signed else "by an authority of the right name with another key"
        return (
            f"The certificate of {self.node} was signed {who}. Whoever checked it against the department's authority "
            "ended the TLS handshake before any association."
        )
