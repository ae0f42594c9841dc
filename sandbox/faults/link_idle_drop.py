"""A firewall that forgets connections which have been silent for a while, and says so to neither side."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink


class LinkIdleDrop(OnLink):
    """``link.idle_drop``: a connection between ``a`` and ``b`` that was silent for ``idle_s`` seconds is forgotten.

    Neither side is told. Who speaks next speaks into a void, until its own timeout; a new connection works at once.
    Only who keeps associations open between two jobs feels it. Seen from outside: ``echoscu`` against the published
    port of either end answers at any time. Mended by: ``network.service_call`` with ``idle-timeout``, or at the caller,
    by ending associations before they are idle for so long.
    """

    kind = "link.idle_drop"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The first job after a pause hangs until a timeout; the second attempt works at once.",
        "No reset, no refusal: one side waits, the other has heard nothing.",
    )

    idle_s: float = Field(gt=0)

    def effect(self) -> dict[str, Any]:
        return {"idle_drop_s": self.idle_s}

    def explanation(self) -> str:
        return (
            f"On {self.link}, the firewall forgot each connection that had been silent for {self.idle_s:g} s, without "
            "a word to either end. The association was open on both sides and dead in between, so the next request "
            "over it ran into the timeout; the attempt after that used a new connection and worked."
        )
