"""A node that trusts the wrong authority: everybody's certificate is good, and it accepts none of them."""

from __future__ import annotations

from typing import ClassVar

from sandbox.faults.on_certificate import OnCertificate
from sandbox.nodes.tls import NodeTls


class AuthorityNotTrusted(OnCertificate):
    """``tls.untrusted``: ``node`` trusts another authority of the same name, not the one that signs here.

    It accepts no peer's certificate when it calls, nor, if it asks callers for one, when it is called. Seen from
    outside: ``echoscu +tla`` with the authority's certificate against the published TLS port of its peer succeeds, so
    the peer's certificate is good. Mended by: ``node.certificate.trust`` and, at a listener, a restart.
    """

    kind = "tls.untrusted"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Each TLS handshake of this node fails: the peer's certificate comes from an authority that is not trusted.",
        "Others talk to the same peer over TLS without trouble.",
    )

    def spoil(self, tls: NodeTls) -> None:
        tls.trust_another()

    def explanation(self) -> str:
        return (
            f"{self.node} trusted an old authority of the same name and not the one that signs certificates here. The "
            "others' certificates were good; it was the one who checked them that was out of date."
        )
