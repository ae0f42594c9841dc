"""The drills on offer: from the scenario files, by symptom, topic and difficulty alone, since what is wrong is for the
trainee to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from flask_babel import gettext as _

from sandbox.drill.generator.made import is_made, made_scenario
from sandbox.lab.site import load_site, site_slugs
from sandbox.learning.topics import FAMILIES, Topic, topic_of
from sandbox.model.errors import NotFoundError
from sandbox.model.scenario import Scenario

DEFAULT_SITE = "riverside"


@dataclass(frozen=True)
class Drill:
    """One card. ``difficulty`` is 1 to 5, ``minutes`` what it usually takes, ``rungs`` how many hints there are;
    ``words`` what a search looks through."""

    slug: str
    title: str
    family: str
    site: str
    hospital: str
    difficulty: int
    minutes: int
    topics: tuple[Topic, ...]
    rungs: int = 0
    words: str = ""

    @property
    def family_title(self) -> str:
        return family_title(self.family)


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


def family_title(slug: str) -> str:
    """A complaint in words; of one that is not in the table, its slug."""
    return FAMILIES.get(slug, slug.replace("-", " ").capitalize())


def drill_of(scenario: Scenario) -> Drill:
    topics = tuple(topic_of(topic) for topic in scenario.topics)
    hospital = load_site(scenario.site).title
    said = (scenario.title, family_title(scenario.family), hospital, *(topic.title for topic in topics))
    return Drill(
        slug=scenario.slug,
        title=scenario.title,
        family=scenario.family,
        site=scenario.site,
        hospital=hospital,
        difficulty=scenario.difficulty,
        minutes=scenario.expected_minutes,
        topics=topics,
        rungs=len(scenario.hint),
        words=" ".join(said).casefold(),
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
                family_title(slug),
                tuple(drill for drill in drills if drill.family == slug),
            )
            for slug in slugs
        )
        return tuple(family for family in families if family.drills)

    def drill(self, slug: str) -> Drill:
        for drill in self.drills():
            if drill.slug == slug:
                return drill
        if is_made(slug):
            return drill_of(made_scenario(slug))
        raise NotFoundError(_("There is no drill “%(drill)s”.", drill=slug), _("Choose one from the catalogue."))


@cache
def hospitals() -> tuple[Hospital, ...]:
    """The departments there are, the one that people begin with first. Read once; a site's file does not change while
    the console runs."""
    slugs = sorted(site_slugs(), key=lambda slug: (slug != DEFAULT_SITE, slug))
    return tuple(Hospital(slug, site.title, site.about) for slug in slugs for site in (load_site(slug),))


def read_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that come with the project."""
    from sandbox.drill.load import load_scenario, scenario_slugs

    return tuple(load_scenario(slug) for slug in scenario_slugs())
