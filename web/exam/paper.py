"""The paper of one exam as data: what was drawn, what was answered, how its incidents stand. It is kept as JSON.

Frozen; every change makes a new paper. Nothing in here looks at a clock.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from sandbox.learning.questions import Answer, is_answered
from sandbox.model.base import Model
from sandbox.model.verdict import Finding


class IncidentState(StrEnum):
    """``SKIPPED`` is one that could not be started: it counts for nothing and costs nothing."""

    WAITING = "waiting"
    RUNNING = "running"
    JUDGING = "judging"
    ENDED = "ended"
    SKIPPED = "skipped"


class QuestionItem(Model):
    """A question of the paper, and what was answered."""

    kind: Literal["question"] = "question"
    question: str
    topic: str
    answer: Answer = ()
    flagged: bool = False

    @property
    def is_done(self) -> bool:
        return is_answered(self.answer)


class IncidentItem(Model):
    """A hands-on incident. ``lab`` is there once it was started, ``attempt`` (its number) once it was judged.

    ``points`` are 0 to 1, ``trouble`` says in words what went wrong with the lab itself.
    """

    kind: Literal["incident"] = "incident"
    scenario: str
    title: str
    family: str
    topics: tuple[str, ...]
    minutes: int
    state: IncidentState = IncidentState.WAITING
    lab: str = ""
    attempt: int | None = None
    solved: bool = False
    points: FiniteFloat | None = None
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    flagged: bool = False

    @property
    def is_done(self) -> bool:
        return self.state in (IncidentState.JUDGING, IncidentState.ENDED, IncidentState.SKIPPED)

    @property
    def counts(self) -> bool:
        """Whether it is part of the score: not where the console itself could not provide it."""
        return self.state is not IncidentState.SKIPPED


Item = Annotated[QuestionItem | IncidentItem, Field(discriminator="kind")]


class TopicRow(Model):
    """One line of a result: questions asked of a topic, how many were right in full, and the points they gave (0 to 1
    each); incidents that touch it, and how many were solved."""

    topic: str
    asked: int = 0
    right: int = 0
    points: FiniteFloat = 0.0
    incidents: int = 0
    solved: int = 0


class Paper(Model):
    """One exam. Without ``deadline`` it is untimed practice. ``rows`` are there once it is finished."""

    seed: int
    length: str
    focus: str
    begun: AwareDatetime
    deadline: AwareDatetime | None
    items: tuple[Item, ...]
    submitted: AwareDatetime | None = None
    by_time: bool = False
    rows: tuple[TopicRow, ...] = ()

    @property
    def questions(self) -> tuple[QuestionItem, ...]:
        return tuple(item for item in self.items if isinstance(item, QuestionItem))

    @property
    def incidents(self) -> tuple[IncidentItem, ...]:
        return tuple(item for item in self.items if isinstance(item, IncidentItem))

    @property
    def open_places(self) -> tuple[int, ...]:
        """The places (from 1) that are not answered or done yet."""
        return tuple(place for place, item in enumerate(self.items, 1) if not item.is_done)

    @property
    def is_judged(self) -> bool:
        return not any(item.state in (IncidentState.RUNNING, IncidentState.JUDGING) for item in self.incidents)

    def forbids(self, *, scenario: str = "", lab: str = "", answers: bool = False) -> bool:
        """Whether somebody who sits this paper may not have it: a lesson of the paper in another ``lab`` than the
        paper's own, or any answer that is explained."""
        own = any(lab and item.lab == lab for item in self.incidents)
        return answers or (not own and any(item.scenario == scenario for item in self.incidents))

    def item(self, place: int) -> QuestionItem | IncidentItem | None:
        """The item at ``place``, which counts from 1."""
        return self.items[place - 1] if 1 <= place <= len(self.items) else None

    def with_item(self, place: int, item: QuestionItem | IncidentItem) -> Paper:
        items = (*self.items[: place - 1], item, *self.items[place:])
        return self.model_copy(update={"items": items})

    def seconds_left(self, now: datetime) -> int | None:
        """Whole seconds until the deadline, 0 when it is past; None where there is none."""
        return None if self.deadline is None else max(0, round((self.deadline - now).total_seconds()))

    def is_overdue(self, now: datetime) -> bool:
        return self.submitted is None and self.deadline is not None and now >= self.deadline
