"""The certificate of completion: what the records say that somebody did, and nothing else. Pure.

Its content is a document of its own (JSON, always written the same way), and its SHA-256 is what the printed page
shows: whoever is given both can compute it with any tool and see that nothing was changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from sandbox.model.base import Model
from web.practice.modes import Mode
from web.practice.overview import Overview
from web.practice.record import Outcome, Practised

FORMAT = "pacs-sandbox-certificate"
LONGEST_NAME = 80


class Passed(Model):
    """The best solve of a lesson in one mode. ``score`` is missing where none was given."""

    on: date
    outcome: Outcome
    score: Annotated[int, Field(ge=0, le=100)] | None = None


class Lesson(Model):
    """One lesson that was solved, by the modes in which it was; ``departments`` is in how many different ones."""

    title: str
    slug: str
    hospital: str
    difficulty: int
    guided: Passed | None = None
    drill: Passed | None = None
    exam: Passed | None = None
    departments: int
    mastered: bool


class Examined(Model):
    """An exam simulation that was handed in."""

    on: date
    score: int


class Certificate(Model):
    """What stands on the certificate. ``solved`` counts lessons solved as a drill or as an exam; ``hours`` is the time
    spent on finished attempts, at most two for each."""

    format: Literal["pacs-sandbox-certificate"] = "pacs-sandbox-certificate"
    version: Literal[1] = 1
    name: str
    issued: date
    first: date | None
    last: date | None
    attempts: int
    hours: float
    solved: int
    mastered: int
    of: int
    stages: tuple[str, ...]
    lessons: tuple[Lesson, ...]
    exams: tuple[Examined, ...]

    @property
    def is_empty(self) -> bool:
        return not self.lessons and not self.exams

    def document(self) -> bytes:
        """The content, byte for byte the same whenever it says the same."""
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.document()).hexdigest()

    @property
    def digest_in_groups(self) -> str:
        """The digest for reading aloud and comparing by eye."""
        return " ".join(self.digest[at : at + 8] for at in range(0, 64, 8))


def clean_name(text: str) -> str:
    """A name as it may stand on the page: printable, one line, not too long."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_NAME]


def certificate(seen: Overview, exams: Sequence[tuple[datetime, int]], name: str) -> Certificate:
    """The certificate of whoever ``seen`` is about; ``exams`` are those handed in, with their scores."""
    done = seen.finished
    lessons = tuple(
        _lesson(standing.drill.slug, seen, solved)
        for standing in seen.standings.values()
        if (solved := [one for one in done if one.scenario == standing.drill.slug and one.solved])
    )
    days = sorted(one.finished.date() for one in done if one.finished is not None)
    return Certificate(
        name=clean_name(name),
        issued=seen.now.date(),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        attempts=len(done),
        hours=round(seen.hours, 1),
        solved=sum(one.drill is not None or one.exam is not None for one in lessons),
        mastered=sum(one.mastered for one in lessons),
        of=len(seen.standings),
        stages=tuple(one.stage.title for one in seen.path if one.is_mastered),
        lessons=lessons,
        exams=tuple(Examined(on=at.date(), score=score) for at, score in sorted(exams)),
    )


def _lesson(slug: str, seen: Overview, solved: Sequence[Practised]) -> Lesson:
    standing = seen.standings[slug]
    return Lesson(
        title=standing.drill.title,
        slug=slug,
        hospital=standing.drill.hospital,
        difficulty=standing.drill.difficulty,
        guided=_best(solved, Mode.GUIDED),
        drill=_best(solved, Mode.DRILL),
        exam=_best(solved, Mode.EXAM),
        departments=len({one.seed for one in solved}),
        mastered=standing.level.value == "mastered",
    )


def _best(solved: Sequence[Practised], mode: Mode) -> Passed | None:
    """The best solve in ``mode``: by how much help, then by score, then the latest."""
    order = list(Outcome)
    found = [one for one in solved if one.mode is mode and one.outcome is not None and one.finished is not None]
    if not found:
        return None
    best = max(found, key=lambda one: (order.index(one.outcome or Outcome.GAVE_UP), one.score or 0, one.started))
    return Passed(
        on=(best.finished or best.started).date(),
        outcome=best.outcome or Outcome.GUIDED,
        score=None if mode is Mode.GUIDED else best.score,
    )
