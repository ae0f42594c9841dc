"""Finding a drill: what the catalogue's form asks for, which lessons fit, and how many each choice would give.

A count says what one would get by making that choice and leaving the others as they are. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from web.practice.mastery import Level, Standing


class State(StrEnum):
    """What the catalogue tells apart about somebody and a lesson. A lesson that is due was met before, too."""

    NEW = "new"
    TRIED = "tried"
    SOLVED = "solved"
    DUE = "due"


def states(standing: Standing) -> frozenset[State]:
    found = {State.DUE} if standing.due else set[State]()
    if standing.level.is_solved:
        found.add(State.SOLVED)
    else:
        found.add(State.NEW if standing.level is Level.NEW else State.TRIED)
    return frozenset(found)


@dataclass(frozen=True)
class Asked:
    """The filters; an empty one asks for everything. ``q`` are words that all must occur."""

    q: str = ""
    family: str = ""
    topic: str = ""
    difficulty: str = ""
    site: str = ""
    state: str = ""

    @property
    def anything(self) -> bool:
        return self != Asked()

    def query(self) -> dict[str, str]:
        """The filters that are set, as the address has them."""
        return {name: value for name, value in vars(self).items() if value}


FACETS: Mapping[str, Callable[[Standing], Iterable[str]]] = {
    "family": lambda one: (one.drill.family,),
    "topic": lambda one: tuple(topic.id for topic in one.drill.topics),
    "difficulty": lambda one: (str(one.drill.difficulty),),
    "site": lambda one: (one.drill.site,),
    "state": lambda one: tuple(sorted(states(one))),
}
"""What a lesson answers to each filter, by the filter's name."""
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Choice:
    """A choice of a filter, and how many drills it would give."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Result:
    """The lessons that fit, and the choices of every filter."""

    asked: Asked
    found: tuple[Standing, ...]
    total: int
    choices: Mapping[str, tuple[Choice, ...]]


def asked(args: Mapping[str, str]) -> Asked:
    """The filters of an address. What it does not name, or names too long, is not asked for."""
    known = {name: args.get(name, "").strip() for name in (*FACETS, "q")}
    return Asked(**{name: value[:LONGEST_SEARCH] for name, value in known.items()})


def find(standings: Sequence[Standing], wish: Asked) -> Result:
    """The lessons that fit ``wish``, in the order given."""
    values = {name: _values(standings, name) for name in FACETS}
    return Result(
        asked=wish,
        found=tuple(one for one in standings if fits(one, wish)),
        total=len(standings),
        choices={
            name: tuple(
                Choice(
                    value,
                    sum(fits(one, replace(wish, **{name: value})) for one in standings),
                    getattr(wish, name) == value,
                )
                for value in values[name]
            )
            for name in FACETS
        },
    )


def fits(one: Standing, wish: Asked) -> bool:
    said = one.drill.words
    if not all(word in said for word in wish.q.casefold().split()):
        return False
    return all(getattr(wish, name) in ("", *answer(one)) for name, answer in FACETS.items())


def _values(standings: Sequence[Standing], name: str) -> list[str]:
    if name == "state":
        return [state.value for state in State]
    found = dict.fromkeys(value for one in standings for value in FACETS[name](one))
    return sorted(found) if name == "difficulty" else list(found)
