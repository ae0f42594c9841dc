"""The time that a node believes in: reading it, setting it by the department's time server, and its time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

NODE = Field(**shown("Node", "The node whose clock it is."))


class ToolClock(Command):
    """Read a node's clock, and beside it the department's time server."""

    name = "tool.clock"
    title: ClassVar[str] = "Read the clock"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        now = lab.clock.now()
        shown_there = node.now()
        off = round((shown_there - now).total_seconds())
        told = (
            "as the time server does" if not off else f"{_span(off)} {'ahead of' if off > 0 else 'behind'} the server"
        )
        return CommandResult(
            ok=True,
            sentence=f"{node.name} shows {shown_there:%Y-%m-%d %H:%M:%S}, {told}.",
            facts=(f"Time server: {now:%Y-%m-%d %H:%M:%S}",),
        )


class ClockSync(Command):
    """Set a node's clock by the department's time server. What it dated before stays as it is.

    A time server tells universal time; which time zone the node makes of it is a setting of its own.
    """

    name = "node.clock.sync"
    title: ClassVar[str] = "Set the clock"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        node.impair(node.impairments.without("clock", "skews"))
        return CommandResult(ok=True, sentence=f"The clock of {node.name} was set by the time server.")


class ClockZone(Command):
    """Set a node to the department's own time zone. What it dated before stays as it is."""

    name = "node.clock.zone"
    title: ClassVar[str] = "Set the time zone"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        node.impair(node.impairments.without("clock", "zones"))
        return CommandResult(ok=True, sentence=f"{node.name} goes by the department's time zone.")


def _span(seconds: int) -> str:
    """ "1 d 2 h", "6 h", "45 s"."""
    left = abs(seconds)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])
