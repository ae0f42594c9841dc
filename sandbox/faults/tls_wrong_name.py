"""A certificate that is good, and somebody else's: it names another host than the one that shows it."""

from __future__ import annotations

from typing import ClassVar

from sandbox.dicom.authority import Flaw
from sandbox.faults.on_certificate import OnCertificate
from sandbox.nodes.tls import NodeTls


class CertificateForAnotherName(OnCertificate):
    """``tls.wrong_name``: the certificate of ``node`` is for the server it replaced.

    Callers compare the name they called with the names in the certificate. Seen from outside: ``echoscu +tla`` with the
    authority's certificate against the published TLS port connects as long as it does not check names, and
    ``openssl s_client -verify_hostname`` says what is wrong. Mended by: ``node.certificate.renew`` and a restart.
    """

    kind = "tls.wrong_name"
    symptoms: ClassVar[tuple[str, ...]] = (
        "TCP connects and the TLS handshake fails at the caller: the certificate is for another name or address.",
        "The called node sees that its certificate was not accepted.",
    )

    def spoil(self, tls: NodeTls) -> None:
        tls.issue(flaw=Flaw.WRONG_NAME)

    def explanation(self) -> str:
        return (
            f"{self.node} showed the certificate of the server that it replaced. It was signed and valid, but for "
            "another name than the one that was called, so callers ended the TLS handshake before any association."
        )
