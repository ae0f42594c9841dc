"""A link that swallows everything without a word: an unplugged cable behind a switch, a route to nowhere."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink
from sandbox.network.links import Way


class LinkBlackhole(OnLink):
    """``link.blackhole``: between ``a`` and ``b`` nothing passes any more, and nobody says so.

    Connections and pings time out. With ``after``, each connection works until it has carried that many bytes. Seen
    from outside: ``echoscu`` against the published port of either end answers; a C-MOVE (``movescu -aem``) from one to
    the other fails in its sub-operations. Mended by: ``network.service_call`` with ``loss``.
    """

    kind = "link.blackhole"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections and pings between the two time out, whoever calls; nothing is refused.",
        "The node that is called has nothing in its log.",
    )

    after: int = Field(0, ge=0)

    def effect(self) -> dict[str, Any]:
        return {"blackhole": Way.BOTH, "blackhole_after": self.after}

    def explanation(self) -> str:
        when = f" after the first {self.after:,} bytes of a connection" if self.after else ""
        return (
            f"On {self.link}, every packet was lost{when}. Nobody refused anything: a refusal comes at once, silence "
            "lasts until the caller's own timeout."
        )
