"""The debrief: what happened, told afterwards from the event log alone, beside what the scenario's author knows.

A timeline of fault, symptoms, looks, changes and checks; the evidence there was and when the trainee opened it; the
diagnosis part by part. Words for events come from whoever asks, since sentences live above this package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.events.event import FAULT, PROBE, SYSTEM, Event
from sandbox.events.kinds import (
    AssociationFailed,
    AssociationRejected,
    CheckStarted,
    CommandFinished,
    CommandIssued,
    FaultApplied,
    HintRevealed,
)
from sandbox.model.association import Side
from sandbox.model.verdict import Finding
from sandbox.model.view import DebriefView, EvidenceView, TimelineEntry

Words = Callable[[Event], str]

NOT_PEOPLE = frozenset({SYSTEM, PROBE, FAULT})
"""Actors that are nobody's hand."""

GROUPS: Mapping[str, str] = {
    "fault.applied": "fault",
    "ticket.received": "ticket",
    "attempt.evidence.opened": "investigation",
    "attempt.hint.revealed": "hint",
    "attempt.diagnosis.committed": "diagnosis",
    "attempt.check.finished": "check",
    "lab.reset": "change",
}
"""Kinds that are a line of the timeline whenever they occur."""

COMMAND_GROUPS: Mapping[str, str] = {
    "tool": "investigation",
    "exam": "investigation",
    "study": "investigation",
    "node": "change",
    "queue": "change",
    "network": "change",
    "background": "change",
}
"""What a person's command is, by the area it belongs to. Areas that are not here (attempt, lab) tell themselves."""

SYMPTOMS = frozenset(
    {"association.rejected", "association.failed", "association.aborted", "queue.failed", "queue.entry.died"}
)
"""What a broken department shows of itself. The first between the same two counts, the rest is repetition."""


@dataclass(frozen=True)
class Clue:
    """Something that told the answer: an event of ``kind`` on ``node`` that mentions ``about``, and what it meant."""

    kind: str
    node: str
    text: str
    about: str = ""


@dataclass(frozen=True)
class Story:
    """What the author of the lesson knows, and how the attempt stands. ``right`` and ``committed`` are by part."""

    text: str
    started_at: datetime
    right: Mapping[str, str] = field(default_factory=dict)
    right_words: Mapping[str, str] = field(default_factory=dict)
    committed: Mapping[str, str] | None = None
    solution: tuple[str, ...] = ()
    clues: tuple[Clue, ...] = ()
    findings: tuple[Finding, ...] = ()
    topics: tuple[str, ...] = ()
    solved: bool = False
    gave_up: bool = False


def debrief(events: Sequence[Event], story: Story, words: Words) -> DebriefView:
    """The debrief of one attempt, of which ``events`` are the whole log."""
    ended = next((event for event in reversed(events) if event.kind == "attempt.closed"), None)
    told = events if ended is None else events[: ended.seq]
    hints = sum(isinstance(event.body, HintRevealed) for event in told)
    checks = sum(isinstance(event.body, CheckStarted) for event in told)
    elapsed = _seconds(ended.at if ended else events[-1].at, story.started_at) if events else 0.0
    return DebriefView(
        solved=story.solved,
        gave_up=story.gave_up,
        sentence=_sentence(story, elapsed, hints, checks),
        text=story.text,
        faults=tuple(
            event.body.explanation for event in told if isinstance(event.body, FaultApplied) and event.body.explanation
        ),
        diagnosis_right={
            part: story.committed is not None and story.committed.get(part) == value
            for part, value in story.right.items()
        },
        right_diagnosis=dict(story.right_words),
        solution=story.solution,
        findings=story.findings,
        evidence=tuple(_evidence(told, story)),
        timeline=tuple(_timeline(told, story, words)),
        hints_used=hints,
        checks_used=checks,
        elapsed_s=elapsed,
        topics=story.topics,
    )


def _sentence(story: Story, elapsed: float, hints: int, checks: int) -> str:
    how = "Solved" if story.solved else "Given up" if story.gave_up else "Still open"
    minutes = round(elapsed / 60)
    time = "in under a minute" if minutes < 1 else f"after {minutes} minute{'s' if minutes > 1 else ''}"
    helped = f"{hints or 'no'} hint{'' if hints == 1 else 's'}, {checks or 'no'} check{'' if checks == 1 else 's'}"
    right = sum(1 for part, value in story.right.items() if story.committed and story.committed.get(part) == value)
    if story.committed is None:
        diagnosis = "no diagnosis committed"
    elif right == len(story.right):
        diagnosis = "the diagnosis right in every part"
    else:
        diagnosis = f"the diagnosis right in {right} of {len(story.right)} parts"
    return f"{how} {time}: {helped}, {diagnosis}."


# --- timeline --------------------------------------------------------------------------------------------------------


def _timeline(events: Sequence[Event], story: Story, words: Words) -> Iterator[TimelineEntry]:
    results = {event.cause: event.body for event in events if isinstance(event.body, CommandFinished)}
    seen: set[tuple[str, ...]] = set()
    for event in events:
        group, sentence = _line(event, results, seen, words)
        if group:
            yield TimelineEntry(
                at=event.at,
                elapsed_s=_seconds(event.at, story.started_at),
                group=group,
                sentence=sentence,
                seq=event.seq,
            )


def _line(
    event: Event, results: Mapping[int | None, CommandFinished], seen: set[tuple[str, ...]], words: Words
) -> tuple[str, str]:
    if event.kind in GROUPS:
        body = event.body
        return GROUPS[event.kind], body.explanation if isinstance(body, FaultApplied) else words(event)
    if isinstance(event.body, CommandIssued) and event.actor not in NOT_PEOPLE:
        group = COMMAND_GROUPS.get(event.body.command.partition(".")[0], "")
        result = results.get(event.seq)
        return group, f"{words(event)} {result.sentence if result else ''}".strip() if group else ""
    if event.kind in SYMPTOMS and event.actor not in (PROBE, FAULT) and _is_callers(event):
        key = _alike(event)
        if key not in seen:
            seen.add(key)
            return "symptom", words(event)
    return "", ""


def _is_callers(event: Event) -> bool:
    """Both ends write a rejection; the caller's line is the symptom."""
    facts = getattr(event.body, "facts", None)
    return facts is None or facts.side is Side.REQUESTOR


def _alike(event: Event) -> tuple[str, ...]:
    body = event.body
    if isinstance(body, AssociationRejected):
        return (event.kind, event.node, body.facts.called_ae, str(body.rejection))
    if isinstance(body, AssociationFailed):
        return (event.kind, event.node, body.facts.called_ae, body.failure.outcome)
    return (event.kind, event.node, getattr(body, "destination", ""))


# --- evidence --------------------------------------------------------------------------------------------------------


def _evidence(events: Sequence[Event], story: Story) -> Iterator[EvidenceView]:
    for clue in story.clues:
        telling = [event for event in events if _tells(event, clue)]
        first = next((event for event in telling if event.actor != PROBE), None)
        if first is None:
            continue
        opened = _opened(events, telling, clue, first.seq)
        yield EvidenceView(
            text=clue.text,
            node=clue.node,
            seq=first.seq,
            available_s=max(0.0, _seconds(first.at, story.started_at)),
            opened_s=None if opened is None else _seconds(opened.at, story.started_at),
        )


def _tells(event: Event, clue: Clue) -> bool:
    if event.kind != clue.kind or event.node != clue.node:
        return False
    return not clue.about or clue.about in json.dumps(event.body.model_dump(mode="json"), ensure_ascii=False)


def _opened(events: Sequence[Event], telling: Sequence[Event], clue: Clue, since: int) -> Event | None:
    """The first time somebody looked at this node or made the same thing happen with a tool, once it could be seen."""
    made = {event.seq for event in telling if event.actor not in NOT_PEOPLE}
    associations = {_association(event) for event in telling} - {""}
    for event in events:
        if event.seq < since or event.actor in NOT_PEOPLE:
            continue
        looked = event.kind == "attempt.evidence.opened" and (
            event.node == clue.node or getattr(event.body, "association", "") in associations
        )
        if looked or event.seq in made:
            return event
    return None


def _association(event: Event) -> str:
    return getattr(getattr(event.body, "facts", None), "id", "")


def _seconds(moment: datetime, start: datetime) -> float:
    return round((moment - start).total_seconds(), 1)
