"""Rounds of the differential trainer: two departments with one complaint and two causes, the looks that somebody takes
at both, and what they were worth.

Pure values. What a look shows comes from the departments; which looks tell them apart is found by taking all of them
once the answer is given.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from itertools import combinations

from pydantic import Field, field_validator, model_validator

from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.generator.looks import COSTS_MIN, LOOKS, words_of
from sandbox.drill.generator.made import made_slug
from sandbox.drill.generator.ways import ExamWay, ways_of
from sandbox.lab.site import load_site
from sandbox.model.base import Model

SITE = "riverside"
LETTERS = ("A", "B")
RIGHT_POINTS = 60
"""Of 100 for the right answer; the rest is for what it cost beside the cheapest way."""


@cache
def _ways() -> Mapping[str, ExamWay]:
    """The ways of exams in the trainer's site, by their slugs."""
    return {way.slug: way for way in ways_of(load_site(SITE))}


class Pair(Model):
    """Two causes on one way. ``causes`` are those of department A and B, ``offered`` the same in the order shown."""

    way: str
    seed: int
    causes: tuple[str, str]
    offered: tuple[str, str]

    @model_validator(mode="after")
    def _known(self) -> Pair:
        """A round may come from a file, or from before a cause had another name."""
        if not {*self.causes, *self.offered} <= set(CAUSES) or self.way not in _ways():
            raise ValueError("no such way or cause")
        return self

    @property
    def where(self) -> ExamWay:
        return _ways()[self.way]

    @property
    def slugs(self) -> tuple[str, str]:
        """The drills that both departments are started for."""
        a, b = (made_slug(self.where, CAUSES[cause]) for cause in self.causes)
        return a, b


class Seen(Model):
    """One look at both departments and what it showed."""

    look: str
    a: str
    b: str

    @field_validator("look")
    @classmethod
    def _known(cls, look: str) -> str:
        """A look is filled in with names to be told in words, so nothing else that a file says may stand here."""
        if look not in LOOKS:
            raise ValueError("no such look")
        return look

    @property
    def tells(self) -> bool:
        return self.a != self.b

    @property
    def cost_min(self) -> int:
        return COSTS_MIN.get(self.look, 0)


class Round(Model):
    """One round. ``said`` is the cause that somebody gave to department A; ``everything`` are all looks, taken once the
    answer was given."""

    pair: Pair
    labs: tuple[str, str]
    seen: tuple[Seen, ...] = Field(())
    said: str = ""
    everything: tuple[Seen, ...] = Field(())

    @property
    def is_over(self) -> bool:
        return bool(self.said)

    @property
    def is_right(self) -> bool:
        return self.said == self.pair.causes[0]

    @property
    def cost_min(self) -> int:
        return sum(one.cost_min for one in self.seen)

    @property
    def cheapest(self) -> Seen | None:
        """The cheapest look that tells the two apart; the first of several in the order of the looks."""
        telling = [one for one in self.everything if one.tells]
        return min(telling, key=lambda one: one.cost_min, default=None)

    @property
    def told(self) -> bool:
        """Whether what was looked at told the two apart. Without it the answer was a guess."""
        return any(one.tells for one in self.seen)

    @property
    def score(self) -> int:
        """0 to 100: a guess earns little, however it came out; a dear look costs a part."""
        if not self.is_right:
            return 0
        if not self.told or self.cheapest is None:
            return RIGHT_POINTS // 3
        thrift = self.cheapest.cost_min / max(self.cost_min, 1)
        return RIGHT_POINTS + round((100 - RIGHT_POINTS) * min(1.0, thrift))

    def look_words(self, look: str) -> str:
        return words_of(look, self.pair.where)

    def look_left(self) -> tuple[str, ...]:
        """The looks that were not taken yet."""
        taken = {one.look for one in self.seen}
        return tuple(look for look in LOOKS if look not in taken)


def pairs() -> tuple[tuple[str, str], ...]:
    """Every two causes that can be told apart by a look, by their values."""
    return tuple(combinations(CAUSES, 2))


def make(seed: int) -> Pair:
    """A pair from its seed."""
    chance = random.Random(f"twins/{seed}")  # noqa: S311 - a lesson, not a secret
    way = chance.choice([found for found in _ways().values() if found.place.role == "workstation"])
    both = chance.choice(pairs())
    first, second = chance.sample(both, 2)
    shown = chance.sample(both, 2)
    return Pair(way=way.slug, seed=seed, causes=(first, second), offered=(shown[0], shown[1]))
