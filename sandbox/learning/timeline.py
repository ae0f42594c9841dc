"""The timeline: fault, symptoms and recoveries of the department, what the trainee did, what people said, in lanes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.events.event import PROBE, STAGING, Event
from sandbox.events.kinds import (
    AssociationFailed,
    AssociationRejected,
    CommandFinished,
    CommandIssued,
    DiagnosisCommitted,
    EvidenceOpened,
    FaultApplied,
    QueueSent,
)
from sandbox.learning.acts import ActKind, kind_of
from sandbox.learning.evidence import is_telling
from sandbox.learning.story import NOT_PEOPLE, Story, Words
from sandbox.model.association import Side
from sandbox.model.debrief_view import Lane, TimelineEntry

GROUPS: Mapping[str, tuple[str, Lane]] = {
    "fault.applied": ("fault", Lane.DEPARTMENT),
    "ticket.received": ("ticket", Lane.PEOPLE),
    "ticket.asked": ("ticket", Lane.PEOPLE),
    "ticket.answered": ("ticket", Lane.PEOPLE),
    "ticket.updated": ("ticket", Lane.PEOPLE),
    "ticket.closed": ("ticket", Lane.PEOPLE),
    "attempt.evidence.opened": ("investigation", Lane.YOU),
    "attempt.evidence.pinned": ("pin", Lane.YOU),
    "attempt.note.written": ("note", Lane.YOU),
    "attempt.hint.revealed": ("hint", Lane.YOU),
    "attempt.diagnosis.committed": ("diagnosis", Lane.YOU),
    "attempt.check.finished": ("check", Lane.YOU),
    "lab.reset": ("change", Lane.YOU),
}
"""Kinds that are a line of the timeline whenever they occur."""

ACTS: Mapping[ActKind, str] = {
    ActKind.TEST: "investigation",
    ActKind.LOOK: "investigation",
    ActKind.CHANGE: "change",
}

SYMPTOMS = frozenset(
    {"association.rejected", "association.failed", "association.aborted", "queue.failed", "queue.entry.died"}
)
"""What a broken department shows of itself. The first between the same two counts, the rest is repetition."""

ALWAYS = frozenset({"archive.filled", "archive.watermark.passed", "queue.held"})
"""Symptoms that need no failure: the department says so once."""


def timeline_of(events: Sequence[Event], story: Story, words: Words) -> Iterator[TimelineEntry]:
    """The lines in order. Looks that follow each other at the same thing are one."""
    results = {event.cause: event.body for event in events if isinstance(event.body, CommandFinished)}
    seen: set[tuple[str, ...]] = set()
    looked: tuple[str, ...] = ()
    for event in events:
        group, lane, sentence = _line(event, results, seen, story, words)
        if not group:
            continue
        if isinstance(event.body, EvidenceOpened):
            this = (event.node, event.body.what, event.body.association)
            if this == looked:
                continue
            looked = this
        elif lane is Lane.YOU:
            looked = ()
        yield TimelineEntry(
            at=event.at,
            elapsed_s=story.elapsed(event.at),
            group=group,
            sentence=sentence,
            seq=event.seq,
            lane=lane,
        )


def _line(
    event: Event,
    results: Mapping[int | None, CommandFinished],
    seen: set[tuple[str, ...]],
    story: Story,
    words: Words,
) -> tuple[str, Lane, str]:
    if event.kind in GROUPS:
        body = event.body
        group, lane = GROUPS[event.kind]
        if isinstance(body, FaultApplied):
            return group, lane, body.explanation
        return group, lane, _diagnosis(body, story) if isinstance(body, DiagnosisCommitted) else words(event)
    if isinstance(event.body, CommandIssued) and event.actor not in NOT_PEOPLE:
        kind = kind_of(event.body.command)
        if kind is None or event.body.command == "lab.reset":
            return "", Lane.YOU, ""
        result = results.get(event.seq)
        return ACTS[kind], Lane.YOU, f"{words(event)} {result.sentence if result else ''}".strip()
    if event.actor in STAGING | {PROBE} or event.actor not in NOT_PEOPLE:
        return "", Lane.DEPARTMENT, ""
    return _department(event, seen, story, words)


def _diagnosis(body: DiagnosisCommitted, story: Story) -> str:
    layer = story.layers.get(body.layer, body.layer).partition(":")[0]
    sure = f" ({body.confidence})" if body.confidence else ""
    return f"Diagnosis{sure}: {body.node}; {layer}; {story.choices.get(body.fault, body.fault)}."


def _department(event: Event, seen: set[tuple[str, ...]], story: Story, words: Words) -> tuple[str, Lane, str]:
    """A symptom or a trace the first time that it shows, a recovery the first time that what failed goes through."""
    failing = event.kind in ALWAYS or (event.kind in SYMPTOMS and is_callers(event))
    if isinstance(event.body, QueueSent):
        failed = ("queue", event.node, event.body.destination)
        if failed in seen:
            seen.discard(failed)
            seen -= {key for key in seen if key[1] == event.node}
            return "recovery", Lane.DEPARTMENT, f"{event.node} sends to {event.body.destination} again."
    if not failing and not any(is_telling(event, clue) for clue in story.clues):
        return "", Lane.DEPARTMENT, ""
    sentence = words(event)
    keys = {alike(event), ("said", "", sentence)}
    if keys & seen:
        return "", Lane.DEPARTMENT, ""
    seen |= keys
    if event.kind in ("queue.failed", "queue.held"):
        seen.add(("queue", event.node, str(getattr(event.body, "destination", ""))))
    return ("symptom" if is_failure(event) else "trace"), Lane.DEPARTMENT, sentence


def is_failure(event: Event) -> bool:
    """Whether an event says that something went wrong; what tells and says no such thing is a trace."""
    return event.kind in SYMPTOMS or event.kind in ALWAYS or getattr(event.body, "level", "info") != "info"


def is_callers(event: Event) -> bool:
    """Both ends write a rejection; the caller's line is the symptom."""
    facts = getattr(event.body, "facts", None)
    return facts is None or facts.side is Side.REQUESTOR


def alike(event: Event) -> tuple[str, ...]:
    """The same for symptoms of one kind between the same two."""
    body = event.body
    if isinstance(body, AssociationRejected):
        return (event.kind, event.node, body.facts.called_ae, str(body.rejection))
    if isinstance(body, AssociationFailed):
        return (event.kind, event.node, body.facts.called_ae, body.failure.outcome)
    return (event.kind, event.node, str(getattr(body, "destination", "")))
