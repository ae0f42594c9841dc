"""A path that takes small packets and swallows large ones (a path MTU black hole, RFC 2923 2.1)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink


class LinkMtu(OnLink):
    """``link.mtu``: between ``a`` and ``b`` whatever is sent in pieces larger than ``largest`` bytes is lost.

    C-ECHO works, C-STORE hangs until a timeout. Seen from outside: ``echoscu`` against the published port of either
    end answers, ``findscu`` never shows the images. Mended by: ``network.service_call`` with ``large-packets``.
    """

    kind = "link.mtu"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Ping, port test and C-ECHO succeed; a C-STORE of any size never ends.",
        "The receiver sees an association and then nothing, until a timeout.",
    )

    largest: int = Field(4096, ge=512)

    def effect(self) -> dict[str, Any]:
        return {"largest_packet": self.largest}

    def explanation(self) -> str:
        return (
            f"On {self.link}, packets larger than {self.largest:,} bytes were lost, and the message that should have "
            "said so was filtered. Whatever is small passed, ping and C-ECHO among it; images did not."
        )
