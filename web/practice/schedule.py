"""When to practise a lesson again: FSRS, fed with how each attempt went. Nothing is drilled twice a day.

The state of a lesson's card follows from the attempts alone (``cards``), so that what is imported, deleted or was
counted by an older version comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fsrs import Card, Rating, Scheduler

from web.practice.record import Outcome, Practised

RATINGS: Mapping[Outcome, Rating] = {
    Outcome.GAVE_UP: Rating.Again,
    Outcome.FAILED_EXAM: Rating.Again,
    Outcome.SHOWN: Rating.Again,
    Outcome.GUIDED: Rating.Hard,
    Outcome.HELPED: Rating.Hard,
    Outcome.UNAIDED: Rating.Good,
    Outcome.FLUENT: Rating.Easy,
}
"""What the scheduler is told. Guided counts as hard: somebody else did the thinking, so it comes back tomorrow."""
RETENTION = 0.9
"""A lesson is due when it is expected to be solved nine times in ten."""
SOONEST = timedelta(hours=20)
"""Before that it would be memory of this morning's department."""

_SCHEDULER = Scheduler(
    desired_retention=RETENTION,
    learning_steps=(),
    relearning_steps=(),
    maximum_interval=365,
    enable_fuzzing=False,
)


@dataclass(frozen=True)
class Spaced:
    """A lesson's card. ``due`` is when to practise it again, ``last`` when it was practised last."""

    subject: str
    due: datetime
    last: datetime
    card: Card

    def retention(self, now: datetime) -> float:
        """How likely it is that it would be solved now, as the scheduler expects: 0 to 1."""
        return float(_SCHEDULER.get_card_retrievability(self.card, now.astimezone(UTC)))

    def is_due(self, now: datetime) -> bool:
        return now >= self.due

    @property
    def state(self) -> dict[str, Any]:
        return dict(self.card.to_dict())


def cards(history: Iterable[Practised]) -> dict[str, Spaced]:
    """The card of every lesson that was finished at least once, by the lesson's slug."""
    found: dict[str, Spaced] = {}
    over = [done for done in history if done.outcome is not None]
    for done in sorted(over, key=lambda one: one.finished or one.started):
        known = found.get(done.scenario)
        found[done.scenario] = review(known.card if known else None, done)
    return found


def review(card: Card | None, done: Practised) -> Spaced:
    """The card after ``done``, which must be over."""
    if done.outcome is None or done.finished is None:
        raise ValueError("an attempt that is not over says nothing yet")
    at = done.finished.astimezone(UTC)
    before = card or Card(card_id=1, due=at)
    after, _log = _SCHEDULER.review_card(before, RATINGS[done.outcome], at)
    return Spaced(done.scenario, max(after.due, at + SOONEST), at, after)
