"""The drills on offer, as the start page shows them: from the scenario files, by symptom and difficulty alone, since
what is wrong is for the trainee to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.model.errors import NotFoundError
from sandbox.model.scenario import Scenario

DEFAULT_SITE = "riverside"
FAMILIES = {
    "it-will-not-send": "It won't send",
    "where-is-my-study": "Where is my study?",
    "cannot-pull": "I can find it but can't pull it",
    "worklist": "My worklist is empty or wrong",
}


@dataclass(frozen=True)
class Drill:
    """One card. ``difficulty`` is 1 to 5, ``minutes`` what it usually takes."""

    slug: str
    title: str
    family: str
    site: str
    difficulty: int
    minutes: int
    topics: tuple[str, ...]


def drill_of(scenario: Scenario) -> Drill:
    return Drill(
        slug=scenario.slug,
        title=scenario.title,
        family=FAMILIES.get(scenario.family, scenario.family.replace("-", " ").capitalize()),
        site=scenario.site,
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

    def drill(self, slug: str) -> Drill:
        for drill in self.drills():
            if drill.slug == slug:
                return drill
        raise NotFoundError(f"There is no drill {slug!r}.", "Choose one from the start page.")


def read_scenarios() -> tuple[Scenario, ...]:
    """The scenarios that come with the project."""
    from sandbox.drill.load import load_scenario, scenario_slugs

    return tuple(load_scenario(slug) for slug in scenario_slugs())
