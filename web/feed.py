"""The event feed: which events a person wants to see as they happen, with their look, and which only on request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.model.view import EventView

# One instance, one message or one log line at a time: hundreds for a single exam.
DETAIL = frozenset(
    {
        "dimse.exchanged",
        "instance.stored",
        "queue.sent",
        "node.logged",
        "association.requested",
        "association.accepted",
        "association.released",
        "command.issued",
        "connection.unspoken",
        "ticket.asked",
        "ticket.answered",
        "attempt.note.written",
        "attempt.note.removed",
        "attempt.evidence.pinned",
        "attempt.evidence.unpinned",
    }
)
ICONS = {
    "exam": "scan",
    "association": "arrows-exchange",
    "study": "route",
    "queue": "inbox",
    "node": "server",
    "command": "terminal-2",
    "attempt": "clipboard-check",
    "ticket": "message-circle",
    "lab": "building-hospital",
    "fault": "alert-triangle",
    "background": "activity",
}
# What changes the map, the list of nodes and the panels of a node's page.
CHANGES = (
    "node.",
    "queue.",
    "lab.",
    "exam.",
    "instance.",
    "association.failed",
    "association.rejected",
    "association.aborted",
    "association.released",
    "background.",
)


@dataclass(frozen=True)
class Row:
    """One line of the feed. ``tone`` is good, bad or quiet."""

    event: EventView
    icon: str
    tone: str


def rows(events: Iterable[EventView], everything: bool = False) -> list[Row]:
    """The lines to show, newest first."""
    shown: dict[tuple[str, str, str] | int, EventView] = {}
    said: set[tuple[int | None, str]] = set()
    for event in events:
        if event.sentence and (everything or event.kind not in DETAIL):
            # Both ends of an association tell the same; once is enough.
            key = (event.association, event.kind, event.sentence) if event.association else event.seq
            if event.kind == "command.finished" and (event.cause, event.sentence) in said:
                continue  # what came of it was told already, by the node that did it
            said.add((event.cause, event.sentence))
            shown.setdefault(key, event)
    return [_row(event) for event in sorted(shown.values(), key=lambda event: -event.seq)]


def told_so_far(events: Sequence[EventView]) -> list[Row]:
    """What the check that is running has found so far, in its order."""
    begun = max((event.seq for event in events if event.kind == "attempt.check.started"), default=0)
    return [_row(event) for event in events if event.kind == "attempt.check.finished" and event.seq > begun]


def changes_department(event: EventView) -> bool:
    return event.kind.startswith(CHANGES) and event.kind != "node.logged"


def _row(event: EventView) -> Row:
    tone = "quiet" if event.good is None else "good" if event.good else "bad"
    return Row(event, ICONS.get(event.kind.partition(".")[0], "circle-dot"), tone)
