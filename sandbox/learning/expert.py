"""The expert's path: look, conclude, act, verify, tell; beside each step, when the trainee did the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.events.event import Event
from sandbox.events.kinds import CheckStarted, DiagnosisCommitted, TicketClosed
from sandbox.learning.acts import ActKind, Done
from sandbox.learning.marks import MARKS, same_answer, tells
from sandbox.learning.story import Story, WayStep
from sandbox.model.debrief_view import EvidenceView, PathStep

CLUES = 3
CLAIMS = 2


def path_of(events: Sequence[Event], done: Done, story: Story, evidence: Sequence[EvidenceView]) -> Iterator[PathStep]:
    """The steps in order, made of the lesson's hints, evidence and reference solution."""
    if story.hints:
        first = next(iter(done.of(ActKind.LOOK, ActKind.TEST)), None)
        yield _step(
            "look", story.hints[0], "Where it stops decides which half of the department you may forget.", first, story
        )
    for clue in evidence[:CLUES]:
        yield PathStep(
            kind="look",
            what=clue.text,
            why=_worth(clue, story),
            done_s=clue.opened_s,
            seq=clue.seq if clue.opened_s is not None else 0,
        )
    yield _step(
        "conclude",
        f"{story.right_words.get('node', '')}: {story.right_words.get('fault', '')}.",
        story.hints[2] if len(story.hints) > 2 else "",
        _right_diagnosis(done, story),
        story,
    )
    for step in story.ways[0] if story.ways else ():
        if step.command.startswith("attempt."):
            continue
        yield _step("act", step.words, "", _same(done, step), story)
    check = next((event for event in reversed(events) if isinstance(event.body, CheckStarted)), None)
    for finding in [finding for finding in story.findings if not finding.invariant][:CLAIMS]:
        yield _step("verify", finding.check, "An echo proves only that an echo works.", check, story)
    if not story.findings:
        yield _step("verify", "Try what the caller tried, from where they tried it.", "", check, story)
    closed = next((event for event in reversed(events) if isinstance(event.body, TicketClosed)), None)
    yield _step(
        "tell",
        "Tell the caller the cause, what was done, and how you know that it works.",
        "Who waits for an answer cannot see your screen.",
        closed,
        story,
    )


LOOK_AT: Mapping[str, str] = {
    "association": "open.log",
    "archive": "open.log",
    "commitment": "open.log",
    "dimse": "open.association",
    "exam": "open.studies",
    "instance": "open.studies",
    "node": "open.log",
    "queue": "open.queue",
    "study": "open.studies",
}
"""Where an event of an area is seen, as an act."""


def _worth(clue: EvidenceView, story: Story) -> str:
    """How many of the plausible causes a look at this leaves."""
    kind = next((entry.kind for entry in story.clues if entry.text == clue.text), "")
    look = tells(LOOK_AT.get(kind.partition(".")[0], ""))
    true = MARKS.get(story.right.get("fault", ""))
    if look is None or true is None or not story.choices:
        return ""
    left = sum(same_answer(look, true, MARKS.get(value)) for value in story.choices)
    return f"It leaves {left} of {len(story.choices)} plausible causes." if left < len(story.choices) else ""


def _step(kind: str, what: str, why: str, done: object, story: Story) -> PathStep:
    """``done`` is the event or the act by which the trainee did it."""
    event: Event | None = done if isinstance(done, Event) else getattr(done, "event", None)
    if event is None:
        return PathStep(kind=kind, what=what, why=why)
    return PathStep(kind=kind, what=what, why=why, done_s=max(0.0, story.elapsed(event.at)), seq=event.seq)


def _right_diagnosis(done: Done, story: Story) -> Event | None:
    for event in done.diagnoses:
        body = event.body
        if isinstance(body, DiagnosisCommitted) and body.fault == story.right.get("fault"):
            return event
    return None


def _same(done: Done, step: WayStep) -> object:
    """The first act that was this command on this node."""
    return next((act for act in done.acts if act.name == step.command and act.node == step.node), None)
