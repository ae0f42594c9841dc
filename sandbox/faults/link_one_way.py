"""Packets get lost in one direction only, so that one side thinks it was heard and the other hears nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.on_link import OnLink
from sandbox.network.links import Way


class LinkOneWay(OnLink):
    """``link.one_way``: what ``a`` sends to ``b`` is lost (``lost`` "there"), or what ``b`` sends to ``a`` ("back").

    No new connection comes about, since TCP needs both ways: it times out whoever calls. With ``after`` the loss begins
    only when a connection has carried that many bytes: the association is accepted, and then answers stay away. Seen
    from outside: ``echoscu`` against the published port of either end answers; a C-MOVE (``movescu -aem``) from one to
    the other fails in its sub-operations. Mended by: ``network.service_call`` with ``loss``.
    """

    kind = "link.one_way"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections between the two time out; nothing is refused.",
        "With after: associations are accepted, then an answer never comes and the DIMSE timeout ends them.",
    )

    lost: Way = Way.THERE
    after: int = Field(0, ge=0)

    def effect(self) -> dict[str, Any]:
        return {"blackhole": self.lost, "blackhole_after": self.after}

    def explanation(self) -> str:
        other = self.b or "anybody"
        sender, receiver = (self.a, other) if self.lost is Way.THERE else (other, self.a)
        which = "in both directions" if self.lost is Way.BOTH else f"from {sender} to {receiver}"
        when = f" after the first {self.after:,} bytes of a connection" if self.after else ""
        return (
            f"On {self.link}, packets {which} were lost{when}. A connection needs both directions, so one that is lost "
            "looks like silence from either side; nobody refused anything."
        )
