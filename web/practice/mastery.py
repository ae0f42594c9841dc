"""What somebody can do, from what they did: a level for each lesson, a figure for each topic. Pure functions.

Solving a lesson once shows little, since the debrief of the attempt before told the answer. It is mastered when it was
met before and then solved without a hint in another department.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sandbox.learning.topics import TOPICS, Topic
from web.catalogue import Drill
from web.practice.modes import Mode
from web.practice.record import Outcome, Practised
from web.practice.schedule import RETENTION, Spaced, cards


class Level(StrEnum):
    """How far somebody is with a lesson, from nothing on."""

    NEW = "new"
    TRIED = "tried"
    GUIDED = "guided"
    HELPED = "helped"
    SOLVED = "solved"
    MASTERED = "mastered"

    @property
    def rank(self) -> int:
        return list(Level).index(self)

    @property
    def is_solved(self) -> bool:
        """Solved by oneself, with or without hints."""
        return self.rank >= Level.HELPED.rank


LEVELS: Mapping[Outcome, Level] = {
    Outcome.GAVE_UP: Level.TRIED,
    Outcome.FAILED_EXAM: Level.TRIED,
    Outcome.GUIDED: Level.GUIDED,
    Outcome.SHOWN: Level.HELPED,
    Outcome.HELPED: Level.HELPED,
    Outcome.UNAIDED: Level.SOLVED,
    Outcome.FLUENT: Level.SOLVED,
}
"""What one attempt shows. Mastery takes more than one."""
CREDITS: Mapping[Outcome, int] = {
    Outcome.GAVE_UP: 10,
    Outcome.FAILED_EXAM: 15,
    Outcome.SHOWN: 30,
    Outcome.GUIDED: 35,
    Outcome.HELPED: 55,
    Outcome.UNAIDED: 80,
    Outcome.FLUENT: 90,
}
"""What the best attempt counts towards its topics, of 100. A lesson that is mastered counts in full."""
NEXT_MODE: Mapping[Level, Mode] = {
    Level.NEW: Mode.GUIDED,
    Level.TRIED: Mode.GUIDED,
    Level.GUIDED: Mode.DRILL,
    Level.HELPED: Mode.DRILL,
    Level.SOLVED: Mode.EXAM,
    Level.MASTERED: Mode.EXAM,
}


@dataclass(frozen=True)
class Standing:
    """How somebody stands with one lesson. ``strength`` is 0 to 100: what was shown, less what is likely forgotten
    since practice fell due. ``best`` is the best score of attempts that are scored."""

    drill: Drill
    level: Level = Level.NEW
    strength: int = 0
    attempts: int = 0
    best: int | None = None
    card: Spaced | None = None
    due: bool = False
    exam_passed: bool = False

    @property
    def next_mode(self) -> Mode:
        return NEXT_MODE[self.level]


@dataclass(frozen=True)
class TopicStanding:
    """How somebody stands with a topic. ``strength`` is the mean of its lessons, 0 to 100."""

    topic: Topic
    lessons: int
    solved: int
    mastered: int
    strength: int


def standings(drills: Sequence[Drill], history: Sequence[Practised], now: datetime) -> dict[str, Standing]:
    """How somebody stands with every lesson, by slug, in the order of ``drills``."""
    spaced = cards(history)
    by_lesson: dict[str, list[Practised]] = {}
    for done in history:
        if done.outcome is not None:
            by_lesson.setdefault(done.scenario, []).append(done)
    return {
        drill.slug: _standing(drill, by_lesson.get(drill.slug, ()), spaced.get(drill.slug), now) for drill in drills
    }


def _standing(drill: Drill, done: Sequence[Practised], card: Spaced | None, now: datetime) -> Standing:
    outcomes = [one.outcome for one in done if one.outcome is not None]
    if not outcomes:
        return Standing(drill)
    mastered = is_mastered(done)
    shown = 100 if mastered else max(CREDITS[outcome] for outcome in outcomes)
    kept = min(1.0, card.retention(now) / RETENTION) if card else 1.0
    scores = [one.score for one in done if one.score is not None and one.mode is not Mode.GUIDED]
    return Standing(
        drill,
        level=Level.MASTERED if mastered else max((LEVELS[outcome] for outcome in outcomes), key=lambda one: one.rank),
        strength=round(shown * kept),
        attempts=len(done),
        best=max(scores, default=None),
        card=card,
        due=card is not None and card.is_due(now),
        exam_passed=any(one.mode is Mode.EXAM and one.solved for one in done),
    )


def is_mastered(done: Sequence[Practised]) -> bool:
    """Whether a lesson was solved unaided in a department of its own after it had been met in another."""
    met: set[int] = set()
    for one in sorted(done, key=lambda each: each.started):
        if one.unaided and met - {one.seed} and one.seed not in met:
            return True
        if one.is_over:
            met.add(one.seed)
    return False


def topics(standing: Collection[Standing]) -> tuple[TopicStanding, ...]:
    """How somebody stands with every topic. One without lessons has none, and no strength."""
    return tuple(_topic(topic, [one for one in standing if topic in one.drill.topics]) for topic in TOPICS)


def _topic(topic: Topic, of: Sequence[Standing]) -> TopicStanding:
    return TopicStanding(
        topic,
        lessons=len(of),
        solved=sum(one.level.is_solved for one in of),
        mastered=sum(one.level is Level.MASTERED for one in of),
        strength=round(sum(one.strength for one in of) / len(of)) if of else 0,
    )
