"""The debrief: what happened, told afterwards from the event log alone, beside what the scenario's author knows.

This module puts the parts together; each is a module beside it: the timeline, evidence, harm, score, the value of
tests, the graph, the expert's path. Words for events come from whoever asks, since sentences live above this package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.events.event import Event
from sandbox.events.kinds import (
    AccountWritten,
    CheckStarted,
    FaultApplied,
    HintRevealed,
    TicketAnswered,
    TicketAsked,
    TicketClosed,
    TicketReceived,
    TicketUpdated,
)
from sandbox.learning.acts import read_acts
from sandbox.learning.evidence import evidence_of
from sandbox.learning.expert import path_of
from sandbox.learning.graph import graph_of
from sandbox.learning.harm import harm_of, impact_of
from sandbox.learning.score import score_of
from sandbox.learning.story import Clue as Clue
from sandbox.learning.story import Story as Story
from sandbox.learning.story import WayStep as WayStep
from sandbox.learning.story import Words as Words
from sandbox.learning.tests_value import value_of_tests
from sandbox.learning.timeline import timeline_of
from sandbox.model.debrief_view import AccountView, DebriefView, DiagnosisPart, Message

LATE = frozenset({"attempt.account.written", "ticket.answered", "ticket.closed"})
"""What belongs to an attempt though it comes after its end: the caller tries, and only then is the ticket closed. The
account says from when on the trainee knew what was wrong."""

QUESTIONS = {"node": "Where", "layer": "In which layer", "fault": "What"}
"""The parts of a diagnosis in words."""


def debrief(events: Sequence[Event], story: Story, words: Words) -> DebriefView:
    """The debrief of one attempt, of which ``events`` are the whole log."""
    ended = next((event for event in reversed(events) if event.kind == "attempt.closed"), None)
    told = events
    if ended is not None:
        told = [*events[: ended.seq], *(event for event in events[ended.seq :] if event.kind in LATE)]
    done = read_acts(told, story)
    hints = sum(isinstance(event.body, HintRevealed) for event in told)
    checks = sum(isinstance(event.body, CheckStarted) for event in told)
    elapsed = story.elapsed(ended.at if ended else events[-1].at) if events else 0.0
    evidence = tuple(evidence_of(told, story))
    return DebriefView(
        solved=story.solved,
        gave_up=story.gave_up,
        sentence=_sentence(story, elapsed, hints, checks),
        text=story.text,
        scenario=story.scenario,
        title=story.title,
        site=story.site,
        seed=story.seed,
        started_at=story.started_at,
        faults=tuple(
            event.body.explanation for event in told if isinstance(event.body, FaultApplied) and event.body.explanation
        ),
        diagnosis_right={
            part: story.committed is not None and story.committed.get(part) == value
            for part, value in story.right.items()
        },
        right_diagnosis=dict(story.right_words),
        diagnosis=tuple(_diagnosis(story)),
        said_evidence="" if story.committed is None else story.committed.get("evidence", ""),
        solution=story.solution,
        findings=story.findings,
        evidence=evidence,
        timeline=tuple(timeline_of(told, story, words)),
        hints_used=hints,
        checks_used=checks,
        elapsed_s=elapsed,
        topics=story.topics,
        objectives=story.objectives,
        score=score_of(told, done, story),
        harm=harm_of(told, done, story),
        graph=graph_of(told, done, story, words),
        tests=value_of_tests(done, story),
        path=tuple(path_of(told, done, story, evidence)),
        impact=impact_of(told, story),
        messages=tuple(_messages(told, story)),
        account=account_in(events),
    )


def account_in(events: Sequence[Event]) -> AccountView | None:
    """The trainee's own account, the last that was written."""
    for event in reversed(events):
        if isinstance(event.body, AccountWritten):
            body = event.body
            return AccountView(wrong=body.wrong, did=body.did, differently=body.differently, skipped=body.skipped)
    return None


def _sentence(story: Story, elapsed: float, hints: int, checks: int) -> str:
    how = "Solved" if story.solved else "Given up" if story.gave_up else "Still open"
    minutes = round(elapsed / 60)
    time = "in under a minute" if minutes < 1 else f"after {minutes} minute{'s' if minutes > 1 else ''}"
    helped = f"{hints or 'no'} hint{'' if hints == 1 else 's'}, {checks or 'no'} check{'' if checks == 1 else 's'}"
    right = story.right_parts(story.committed)
    if story.committed is None:
        diagnosis = "no diagnosis committed"
    elif right == len(story.right):
        diagnosis = "the diagnosis right in every part"
    else:
        diagnosis = f"the diagnosis right in {right} of {len(story.right)} parts"
    return f"{how} {time}: {helped}, {diagnosis}."


def _diagnosis(story: Story) -> Iterator[DiagnosisPart]:
    words = {"layer": story.layers, "fault": story.choices}
    for part, value in story.right.items():
        said = "" if story.committed is None else story.committed.get(part, "")
        yield DiagnosisPart(
            part=part,
            title=QUESTIONS.get(part, part),
            said=words.get(part, {}).get(said, said),
            right=story.right_words.get(part, value),
            was_right=said == value,
        )


def _messages(events: Sequence[Event], story: Story) -> Iterator[Message]:
    for event in events:
        kind, who, text = "", "", ""
        match event.body:
            case TicketReceived():
                kind, who, text = "ticket", event.body.sender, event.body.subject
            case TicketAsked():
                kind, who, text = "asked", event.body.to, event.body.text
            case TicketAnswered():
                kind, who, text = "answered", event.body.sender, event.body.text
            case TicketUpdated():
                kind, text = "updated", event.body.text
            case TicketClosed():
                body = event.body
                said = (("Cause", body.cause), ("Done", body.done), ("Verified", body.verified))
                kind, text = "closed", " ".join(f"{name}: {value.rstrip('.')}." for name, value in said if value)
        if kind:
            yield Message(kind=kind, who=who, text=text, elapsed_s=story.elapsed(event.at), seq=event.seq)
