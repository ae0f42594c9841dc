"""A thin line: a link that carries few bytes a second, as a switch port at 10 Mbit/s half duplex does."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink


class LinkBandwidth(OnLink):
    """``link.bandwidth``: the link between ``a`` and ``b`` carries ``bytes_per_s`` bytes a second, each way.

    C-ECHO and queries feel nothing; large images take so long that a DIMSE timeout may end them. Seen from outside:
    ``echoscu`` against the published port of either end is quick, ``findscu`` shows images coming in one by one.
    Mended by: ``network.service_call`` with ``bandwidth``.
    """

    kind = "link.bandwidth"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Ping, C-ECHO and queries are as quick as ever; large images take very long.",
        "Transfers that take longer than a timeout break off and begin anew.",
    )

    bytes_per_s: int = Field(ge=1)

    def effect(self) -> dict[str, Any]:
        return {"bytes_per_s": self.bytes_per_s}

    def explanation(self) -> str:
        return (
            f"On {self.link}, only {self.bytes_per_s:,} bytes a second passed. A C-ECHO is a few hundred bytes and "
            "proved nothing; an image is a few hundred thousand and took its time."
        )
