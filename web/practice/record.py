"""What somebody did, as mastery, spacing and the certificate read it: one row an attempt that is over or was left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from web.practice.modes import Mode

LONGEST = timedelta(hours=2)
"""More than this is not counted for one attempt: the lab was left open over lunch."""


class Outcome(StrEnum):
    """How an attempt ended, in the order of what it says about the person."""

    GAVE_UP = "gave-up"
    FAILED_EXAM = "failed-exam"
    GUIDED = "guided"
    SHOWN = "shown"
    HELPED = "helped"
    UNAIDED = "unaided"
    FLUENT = "fluent"


FLUENT_SCORE = 90
"""From here on of 100 an unaided attempt counts as fluent."""


@dataclass(frozen=True)
class Practised:
    """One attempt at a lesson. ``hints`` is how many rungs were read, ``rungs`` how many there are (0: not known);
    ``score`` is 0 to 100 or not known; ``kept`` whether its debrief was, under the number ``id``. ``finished`` is None
    while it is under way and for one that was left."""

    lab: str
    scenario: str
    title: str
    site: str
    seed: int
    mode: Mode
    state: str
    started: datetime
    finished: datetime | None = None
    score: int | None = None
    hints: int = 0
    closed: bool = False
    rungs: int = 0
    kept: bool = False
    id: int = 0

    @property
    def is_over(self) -> bool:
        return self.finished is not None and self.state != "running"

    @property
    def solved(self) -> bool:
        return self.state == "solved"

    @property
    def took(self) -> timedelta:
        """How long it took, as far as it is counted."""
        if self.finished is None:
            return timedelta()
        return max(timedelta(), min(self.finished - self.started, LONGEST))

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it has not."""
        if not self.is_over:
            return None
        if not self.solved:
            return Outcome.FAILED_EXAM if self.mode is Mode.EXAM else Outcome.GAVE_UP
        if self.mode is Mode.GUIDED:
            return Outcome.GUIDED
        if self.hints:
            return Outcome.SHOWN if self.rungs and self.hints >= self.rungs else Outcome.HELPED
        return Outcome.FLUENT if self.score is not None and self.score >= FLUENT_SCORE else Outcome.UNAIDED

    @property
    def unaided(self) -> bool:
        return self.outcome in (Outcome.UNAIDED, Outcome.FLUENT)
