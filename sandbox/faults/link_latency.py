"""A long way: everything on a link takes its time, as over a satellite, a VPN or a saturated line."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink


class LinkLatency(OnLink):
    """``link.latency``: on the link between ``a`` and ``b`` each packet takes ``ms`` milliseconds longer, each way.

    Every request and response pays it, so many small images suffer more than one large. Seen from outside: ``echoscu``
    against the published port of either end is quick, while a C-MOVE to ``b`` (``movescu -aem``) against ``a`` crawls.
    Mended by: ``network.service_call`` with ``latency``; lived with by timeouts that are longer than the delay.
    """

    kind = "link.latency"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Everything between the two is slow, ping included; small exchanges are slow, too.",
        "With a delay longer than a timeout, connections or associations are given up.",
    )

    ms: float = Field(gt=0, le=60_000)

    def effect(self) -> dict[str, Any]:
        return {"latency_ms": self.ms}

    def explanation(self) -> str:
        return (
            f"On {self.link}, each packet took {self.ms:g} ms, in each direction. DICOM waits for the answer to every "
            "single image before it sends the next, so the delay is paid twice for each of them."
        )
