"""The evidence there was: since when each clue could be seen, when the trainee looked, and whether they pinned it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from sandbox.events.event import PROBE, Event
from sandbox.events.kinds import EvidencePinned, EvidenceUnpinned
from sandbox.learning.story import NOT_PEOPLE, Clue, Story
from sandbox.model.debrief_view import EvidenceView


def evidence_of(events: Sequence[Event], story: Story) -> Iterator[EvidenceView]:
    """Every clue that the log really shows, in the order of the lesson."""
    pins = pins_of(events)
    for clue in story.clues:
        telling = [event for event in events if is_telling(event, clue)]
        first = next((event for event in telling if event.actor != PROBE), None)
        if first is None:
            continue
        opened = _opened(events, telling, clue, first.seq, story)
        available = max(0.0, story.elapsed(first.at))
        looked = None if opened is None else max(0.0, story.elapsed(opened.at))
        pinned = any(pin_tells(pin, telling) for pin in pins)
        yield EvidenceView(
            text=clue.text,
            node=clue.node,
            seq=first.seq,
            available_s=available,
            opened_s=looked,
            pinned=pinned,
            sentence=_sentence(available, looked, pinned),
        )


def pins_of(events: Sequence[Event]) -> tuple[Event, ...]:
    """What is pinned at the end, the last word of each pin."""
    held: dict[int, Event] = {}
    for event in events:
        if isinstance(event.body, EvidencePinned):
            held[event.body.pin] = event
        elif isinstance(event.body, EvidenceUnpinned):
            held.pop(event.body.pin, None)
    return tuple(held.values())


def pin_tells(pin: Event, telling: Sequence[Event]) -> bool:
    """Whether a pin holds one of these events, or its association, or a line of the node that tells."""
    body = pin.body
    if not isinstance(body, EvidencePinned):
        return False
    if body.seq and any(event.seq == body.seq for event in telling):
        return True
    if body.association and body.association in {association_of(event) for event in telling}:
        return True
    return not body.seq and not body.association and any(event.node == pin.node for event in telling)


def is_telling(event: Event, clue: Clue) -> bool:
    """Whether an event is the clue's."""
    if event.kind != clue.kind or event.node != clue.node:
        return False
    return not clue.about or clue.about in json.dumps(event.body.model_dump(mode="json"), ensure_ascii=False)


def association_of(event: Event) -> str:
    """The association an event belongs to, empty for none."""
    return str(getattr(getattr(event.body, "facts", None), "id", "") or getattr(event.body, "association", ""))


def _opened(events: Sequence[Event], telling: Sequence[Event], clue: Clue, since: int, story: Story) -> Event | None:
    """The first time somebody looked at this node or made the same thing happen with a tool, once it could be seen."""
    made = {event.seq for event in telling if event.actor not in NOT_PEOPLE}
    associations = {association_of(event) for event in telling} - {""}
    for event in events:
        if event.seq < since or event.actor in NOT_PEOPLE or event.at < story.started_at:
            continue
        looked = event.kind == "attempt.evidence.opened" and (
            event.node == clue.node or getattr(event.body, "association", "") in associations
        )
        if looked or event.seq in made:
            return event
    return None


def clock(seconds: float) -> str:
    """Minutes and seconds since the phone rang: "04:10"."""
    whole = round(abs(seconds))
    hours, rest = divmod(whole, 3600)
    shown = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{'-' if seconds < 0 else ''}{f'{hours}:' if hours else ''}{shown}"


def _sentence(available: float, looked: float | None, pinned: bool) -> str:
    there = "It was there when the phone rang" if available < 1 else f"It was there at {clock(available)}"
    if looked is None:
        then = "you did not look"
    elif looked - available < 1:
        then = "you looked at once"
    else:
        then = f"you looked at {clock(looked)}"
    return f"{there}; {then}{', and pinned it' if pinned else ''}."
