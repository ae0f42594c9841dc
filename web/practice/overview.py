"""Everything that home, catalogue, path and progress show of one person, made at once from the attempts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from web.catalogue import Drill
from web.practice import mastery
from web.practice.mastery import Level, Standing, TopicStanding
from web.practice.path import NextStep, Stage, StageStanding, along, next_step
from web.practice.record import Practised

STRONG, WEAK = 70, 45
"""From here on a topic is called a strength; below, it is what to practise next (of 100)."""
FEW = 3


@dataclass(frozen=True)
class Overview:
    """What somebody did and where they stand. ``history`` is the newest first; ``due`` the most overdue first."""

    now: datetime
    standings: dict[str, Standing]
    path: tuple[StageStanding, ...]
    topics: tuple[TopicStanding, ...]
    history: tuple[Practised, ...]

    @property
    def is_first_visit(self) -> bool:
        return not self.history

    @property
    def finished(self) -> tuple[Practised, ...]:
        return tuple(one for one in self.history if one.is_over)

    @property
    def due(self) -> tuple[Standing, ...]:
        found = [one for one in self.standings.values() if one.due and one.card is not None]
        return tuple(sorted(found, key=lambda one: one.card.due if one.card else self.now))

    @property
    def coming(self) -> tuple[Standing, ...]:
        """What falls due in the next seven days."""
        soon = [
            one
            for one in self.standings.values()
            if one.card is not None and self.now < one.card.due <= self.now + timedelta(days=7)
        ]
        return tuple(sorted(soon, key=lambda one: one.card.due if one.card else self.now))

    @property
    def next_step(self) -> NextStep | None:
        return next_step(self.path)

    @property
    def hours(self) -> float:
        """Time spent on attempts that were finished; see ``record.LONGEST``."""
        return sum((one.took for one in self.history), timedelta()).total_seconds() / 3600

    def of_body(self, body: str) -> tuple[TopicStanding, ...]:
        return tuple(one for one in self.topics if one.topic.body == body)

    @property
    def strengths(self) -> tuple[TopicStanding, ...]:
        found = [one for one in self.topics if one.lessons and one.strength >= STRONG]
        return tuple(sorted(found, key=lambda one: -one.strength)[:FEW])

    @property
    def weak(self) -> tuple[TopicStanding, ...]:
        """What to practise next: topics with lessons, the weakest first, and of those the heaviest."""
        found = [one for one in self.topics if one.lessons and one.strength < WEAK]
        return tuple(sorted(found, key=lambda one: (one.strength, -one.topic.weight, -one.lessons))[:FEW])

    @property
    def weighted(self) -> int:
        """Strength over the CIIP domains that have lessons, each with its weight: 0 to 100."""
        having = [one for one in self.of_body("ciip") if one.lessons]
        items = sum(one.topic.weight for one in having)
        return round(sum(one.strength * one.topic.weight for one in having) / items) if items else 0

    def count(self, level: Level) -> int:
        return sum(one.level == level for one in self.standings.values())

    @property
    def solved(self) -> int:
        return sum(one.level.is_solved for one in self.standings.values())


def overview(drills: Sequence[Drill], stages: Sequence[Stage], history: Sequence[Practised], now: datetime) -> Overview:
    """What there is to say of somebody with this ``history`` (any order) at the moment ``now``."""
    standings = mastery.standings(drills, history, now)
    return Overview(
        now=now,
        standings=standings,
        path=along(stages, standings),
        topics=mastery.topics(tuple(standings.values())),
        history=tuple(sorted(history, key=lambda one: one.started, reverse=True)),
    )
