"""What went wrong for patients and staff: what the trainee's acts did, apart from what the fault did.

A claim that must always hold (an invariant) holds with the fault in, so whoever breaks it is the trainee. Doors that
were opened wide, images that were thrown away and nodes that were left stopped are read off the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.events.event import PROBE, STAGING, Event
from sandbox.events.kinds import (
    ArchiveBinEmptied,
    AttemptClosed,
    CheckFinished,
    ExamAcquired,
    NodeConfigSaved,
    NodeStarted,
    NodeStopped,
    QueueDiscarded,
    QueueFailed,
)
from sandbox.learning.acts import Done
from sandbox.learning.evidence import is_telling
from sandbox.learning.story import NOT_PEOPLE, Story
from sandbox.model.config_path import Change
from sandbox.model.debrief_view import HarmView, Impact
from sandbox.model.verdict import Verdict

MOST = 12
"""The most lines of harm that are told."""

OPENED: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "accept_unlisted_callers": (lambda before, after: bool(after) and not before, "let in callers that nobody knows"),
    "check_called_ae": (lambda before, after: before is True and after is False, "answered to any name"),
    "check_values": (lambda before, after: before is True and after is False, "took values that DICOM does not allow"),
    "query_limit": (lambda before, after: after == 0 and before != 0, "gave anybody everything at once"),
    "tls": (lambda before, after: before is True and after is False, "spoke without encryption"),
}
"""Settings by their last word: which change opens a door, and what stood open."""

OWN = NOT_PEOPLE - STAGING - {PROBE}
"""Whose events are the department's own doing."""

FAILURES = frozenset(
    {"association.rejected", "association.failed", "association.aborted", "queue.failed", "queue.entry.died"}
)
"""What a broken department shows of itself."""


def harm_of(events: Sequence[Event], done: Done, story: Story) -> tuple[HarmView, ...]:
    """What the trainee caused first, then what the fault did; a bounded number of lines."""
    own = sorted(_by_trainee(events, done, story), key=lambda line: line.seq)
    faults = list(_by_fault(events, story))
    return (*own[:MOST], *faults[: MOST // 2])


def impact_of(events: Sequence[Event], story: Story) -> Impact:
    """Which exams the failures of this incident were about, or what tells of it, and how long it lasted."""
    by_seq = {event.seq: event for event in events}
    made = {event.body.study_uid: event.body for event in events if isinstance(event.body, ExamAcquired)}
    held: dict[str, ExamAcquired] = {}
    failures = [event for event in events if event.kind in FAILURES and event.actor in OWN]
    traces = [event for clue in story.clues for event in events if event.actor in OWN and is_telling(event, clue)]
    for event in (*failures, *traces):
        exam = made.get(str(getattr(event.body, "study_uid", ""))) or _exam_behind(event, by_seq)
        if exam is not None:
            held[exam.accession_number] = exam
    patients = len({exam.patient_id for exam in held.values()})
    seconds = None
    # What was said afterwards belongs to the attempt and not to the outage: it lasted until the check that passed.
    recovered = next((event.at for event in events if isinstance(event.body, AttemptClosed)), None)
    if story.solved and story.broken and recovered is not None:
        since = min([event.at for event in failures] + [story.started_at])
        seconds = round((recovered - since).total_seconds(), 1)
    return Impact(
        exams=tuple(sorted(held)) if story.broken else (),
        patients=patients if story.broken else 0,
        failures=len(failures),
        seconds=seconds,
        sentence=_impact_in_words(story, len(held), patients, len(failures)),
    )


def _impact_in_words(story: Story, exams: int, patients: int, failures: int) -> str:
    if not story.broken:
        return "Nothing was broken: no exam was held up, and somebody could not find what was there."
    if not exams:
        return "Which exams it concerned, the callers said in their tickets; no log names one."
    failed = f"something failed {failures} time{'s' if failures != 1 else ''} in the log"
    return (
        f"{exams} exam{'s' if exams != 1 else ''} of {patients} patient{'s' if patients != 1 else ''} "
        f"{'were' if exams != 1 else 'was'} concerned; {failed if failures else 'no log shows a failure'}."
    )


def _exam_behind(event: Event, by_seq: Mapping[int, Event]) -> ExamAcquired | None:
    """The exam that a chain of causes begins with."""
    seen: Event | None = event
    while seen is not None:
        if isinstance(seen.body, ExamAcquired):
            return seen.body
        seen = by_seq.get(seen.cause) if seen.cause is not None else None
    return None


# --- by the trainee --------------------------------------------------------------------------------------------------


def _by_trainee(events: Sequence[Event], done: Done, story: Story) -> Iterator[HarmView]:
    yield from _broken_claims(events, done, story)
    stopped: dict[str, Event] = {}
    for event in events:
        if event.actor in NOT_PEOPLE or event.at < story.started_at:
            if isinstance(event.body, NodeStarted):
                stopped.pop(event.node, None)
            continue
        body = event.body
        if isinstance(body, QueueDiscarded):
            images = f"{body.entries} image{'s' if body.entries != 1 else ''}"
            yield _own(
                event, story, f"{images} that waited safely on {event.node} for {body.destination} were thrown away."
            )
        elif isinstance(body, ArchiveBinEmptied):
            yield _own(event, story, f"{event.node}: the bin was emptied; what it kept is gone for good.")
        elif isinstance(body, NodeConfigSaved):
            for change in body.changes:
                if words := _opened(change):
                    yield _own(event, story, f"{event.node} {words} from then on ({change.path}).")
        elif isinstance(body, NodeStopped) and body.reason != "restart":
            stopped[event.node] = event
        elif isinstance(body, NodeStarted):
            stopped.pop(event.node, None)
    for node, event in stopped.items():
        yield _own(event, story, f"{node} was stopped and stayed so; whoever needed it could not reach it.")


def _opened(change: Change) -> str:
    row = OPENED.get(change.path.rpartition(".")[2])
    return row[1] if row is not None and row[0](change.before, change.after) else ""


def _broken_claims(events: Sequence[Event], done: Done, story: Story) -> Iterator[HarmView]:
    """Invariants that a check found broken, each once, with what was changed before."""
    told: set[str] = set()
    for event in events:
        if not isinstance(event.body, CheckFinished) or not done.fixes or event.seq < done.fixes[0].seq:
            continue
        finding = event.body.finding
        if finding.invariant and finding.verdict is Verdict.FAIL and finding.id not in told:
            told.add(finding.id)
            yield _own(event, story, f"What must always hold was broken: {finding.sentence}")


def _own(event: Event, story: Story, sentence: str) -> HarmView:
    return HarmView(by_trainee=True, sentence=sentence, seq=event.seq, elapsed_s=story.elapsed(event.at))


# --- by the fault ----------------------------------------------------------------------------------------------------


def _by_fault(events: Sequence[Event], story: Story) -> Iterator[HarmView]:
    if not story.broken:
        return
    waited: dict[tuple[str, str], tuple[int, Event]] = {}
    died: dict[tuple[str, str], tuple[int, Event]] = {}
    for event in events:
        if event.actor not in OWN:
            continue
        if isinstance(event.body, QueueFailed):
            key = (event.node, event.body.destination)
            most, first = waited.get(key, (0, event))
            waited[key] = (max(most, event.body.waiting), first)
        elif event.kind == "queue.entry.died":
            key = (event.node, str(getattr(event.body, "destination", "")))
            count, first = died.get(key, (0, event))
            died[key] = (count + 1, first)
    for (node, destination), (most, event) in waited.items():
        yield _faults(event, story, f"Up to {most} image{'s' if most != 1 else ''} waited on {node} for {destination}.")
    for (node, destination), (count, event) in died.items():
        were = "images were" if count != 1 else "image was"
        yield _faults(event, story, f"{count} {were} given up on {node} for {destination}, and had to be found again.")


def _faults(event: Event, story: Story, sentence: str) -> HarmView:
    return HarmView(by_trainee=False, sentence=sentence, seq=event.seq, elapsed_s=story.elapsed(event.at))
