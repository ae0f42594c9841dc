"""What can be wrong with the link between two hosts, as values. ``relay`` carries it out, ``topology`` keeps it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from sandbox.model.base import Model


class Way(StrEnum):
    """One way of a link between a and b, as the link was named: there is a to b, back is b to a."""

    THERE = "there"
    BACK = "back"
    BOTH = "both"

    def reversed(self) -> Way:
        """The same way, told from the other end."""
        return {Way.THERE: Way.BACK, Way.BACK: Way.THERE, Way.BOTH: Way.BOTH}[self]


class LinkFault(Model):
    """What a link does to connections. With no field set it only carries them, so that a fault can come later.

    ``latency_ms`` is added each way. ``bytes_per_s`` limits each way. ``blackhole`` swallows packets without a word:
    new connections time out, open ones stall and go on when it ends; with ``blackhole_after`` it begins only after that
    many bytes of a connection, so the handshake still passes. ``largest_packet`` swallows whatever is sent in bigger
    pieces (a path MTU black hole: C-ECHO works, C-STORE hangs). ``reset_after`` resets a connection once it has carried
    that many bytes, ``reset_after_instances`` when it begins with the image after that many (C-STORE requests in one
    direction, not seen inside TLS). ``idle_drop_s`` forgets a connection that was silent so long: nothing passes any
    more, for good.
    """

    latency_ms: float = Field(default=0.0, ge=0, le=60_000)
    bytes_per_s: int | None = Field(default=None, ge=1)
    blackhole: Way | None = None
    blackhole_after: int = Field(default=0, ge=0)
    largest_packet: int | None = Field(default=None, ge=1)
    reset_after: int | None = Field(default=None, ge=0)
    reset_after_instances: int | None = Field(default=None, ge=0)
    idle_drop_s: float | None = Field(default=None, gt=0)

    @property
    def swallows_handshake(self) -> bool:
        """Whether not even a SYN and its answer pass. One way lost is enough for that."""
        return self.blackhole is not None and self.blackhole_after == 0

    def reversed(self) -> LinkFault:
        """The same fault, told from the other end of the link."""
        return self if self.blackhole is None else self.model_copy(update={"blackhole": self.blackhole.reversed()})
