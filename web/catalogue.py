"""The drills on offer, as the start page shows them: from the scenario files, by symptom and difficulty alone, since
what is wrong is for the trainee to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.lab.site import load_site, site_slugs
from sandbox.learning.topics import FAMILIES
from sandbox.model.errors import NotFoundError
from sandbox.model.scenario import Scenario

DEFAULT_SITE = "riverside"


@dataclass(frozen=True)
class Drill:
    """One card. ``difficulty`` is 1 to 5, ``minutes`` what it usually takes."""

    slug: str
    title: str
    family: str
    site: str
    hospital: str
    difficulty: int
    minutes: int
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """Drills that begin with the same complaint, the easiest first. What is behind it differs."""

    slug: str
    title: str
    drills: tuple[Drill, ...]


@dataclass(frozen=True)
class Hospital:
    """A department in which somebody may look around while nothing is broken."""

    slug: str
    title: str
    about: str


def drill_of(scenario: Scenario) -> Drill:
    return Drill(
        slug=scenario.slug,
        title=scenario.title,
        family=scenario.family,
        site=scenario.site,
        hospital=load_site(scenario.site).title,
        difficulty=scenario.difficulty,
        minutes=scenario.expected_minutes,
        topics=tuple(topic.partition(":")[2].replace("-", " ") or topic for topic in scenario.topics),
    )


class Catalogue:
    """The drills, read once per console by ``read`` (a scenario file does not change while it runs)."""

    def __init__(self, read: Callable[[], tuple[Scenario, ...]]) -> None:
        self._read = read
        self._drills: tuple[Drill, ...] | None = None

    def drills(self) -> tuple[Drill, ...]:
        """Every drill, the easiest first."""
        if self._drills is None:
            found = [drill_of(scenario) for scenario in self._read()]
            self._drills = tuple(sorted(found, key=lambda drill: (drill.difficulty, drill.minutes, drill.title)))
        return self._drills

    def families(self) -> tuple[Family, ...]:
        """The drills by complaint, in the order of the families; those of an unknown family come last."""
        drills = self.drills()
        slugs = dict.fromkeys([*FAMILIES, *(drill.family for drill in drills)])
        families = (
            Family(
                slug,
                FAMILIES.get(slug, slug.replace("-", " ").capitalize()),
                tuple(drill for drill in drills if drill.family == slug),
            )
            for slug in slugs
        )
        return tuple(family for family in families if family.drills)

    def drill(self, slug: str) -> Drill:
        for drill in self.drills():
            if drill.slug == slug:
                return drill
        raise NotFoundError(f"There is no drill {slug!r}.", "Choose one from the start page.")


def hospitals() -> tuple[Hospital, ...]:
    """The departments there are, the one that people begin with first."""
    slugs = sorted(site_slugs(), key=lambda slug: (slug != DEFAULT_SITE, slug))
    return tuple(Hospital(slug, site.title, site.about) for slug in slugs for site in (load_site(slug),))


def read_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that come with the project."""
    from sandbox.drill.load import load_scenario, scenario_slugs

    return tuple(load_scenario(slug) for slug in scenario_slugs())
