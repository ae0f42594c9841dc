"""Every scenario that comes with the product: well written, and proven fair.

`make test` proves each lesson on as many seeds as there is time for (PACS_SANDBOX_SEEDS says how many, at most those of
`scenario verify`); lessons begin with different ones, so that every seed is tried on many. Before a release, and after
a lesson or the verifier was changed, `pacs-sandbox scenario verify --all` proves all of them on every seed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sandbox.drill.lint import lint
from sandbox.drill.load import load_scenario, scenario_slugs, scenarios_folder
from sandbox.drill.surface import pretended_surface
from sandbox.drill.verify import SEEDS, Verification, verify_all
from sandbox.lab.site import load_site
from tests.lab.support import shared_cache

SLUGS = scenario_slugs()
MANY = min(len(SEEDS), max(1, int(os.environ.get("PACS_SANDBOX_SEEDS", "1"))))


def seeds_of(slug: str) -> tuple[int, ...]:
    """The seeds that a lesson is proven on here."""
    first = SLUGS.index(slug) % len(SEEDS)
    return tuple((*SEEDS, *SEEDS)[first : first + MANY])


def test_there_are_scenarios() -> None:
    assert len(SLUGS) >= 3


@pytest.mark.parametrize("slug", SLUGS)
def test_it_lints(slug: str) -> None:
    assert [str(problem) for problem in lint(scenarios_folder() / slug)] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_no_ticket_names_the_broken_setting(slug: str) -> None:
    """The caller sees images that are missing, not AE titles, rules and queues."""
    scenario = load_scenario(slug)
    for ticket in scenario.ticket:
        text = scenario.texts[ticket.text].lower()
        for word in ("ae title", "association", "router", "queue", "rule", "reject", "config", "held"):
            assert not re.search(rf"\b{word}", text), f"{ticket.text} says {word!r}"


@pytest.mark.parametrize("slug", SLUGS)
def test_two_seeds_look_different(slug: str) -> None:
    scenario = load_scenario(slug)
    site = load_site(scenario.site)
    seen = set()
    for seed in range(6):
        surface = pretended_surface(scenario.exam, site, seed)
        faults = [fault.model_dump_json() for fault in scenario.faults(surface)]
        seen.add((*faults, *(surface.fill(text) for text in scenario.texts.values())))
    assert len(seen) > 2


class Proofs:
    """All scenarios that were asked for, proven over all processors; each test takes its own as soon as it is there."""

    def __init__(self, slugs: list[str], cache: Path) -> None:
        self._coming = verify_all([scenarios_folder() / slug for slug in slugs], seeds_of=self._seeds, cache=cache)
        self._there: dict[str, Verification] = {}

    def _seeds(self, folder: Path) -> tuple[int, ...]:
        return seeds_of(folder.name)

    def of(self, slug: str) -> Verification:
        while slug not in self._there:
            come = next(self._coming)
            self._there[come.scenario] = come
        return self._there[slug]


@pytest.fixture(scope="module")
def proofs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    chosen = [
        item.callspec.params["slug"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_it_is_proven_fair
    ]
    return Proofs(chosen, shared_cache(tmp_path_factory))


@pytest.mark.verify
@pytest.mark.timeout(900)
@pytest.mark.parametrize("slug", SLUGS)
def test_it_is_proven_fair(slug: str, proofs: Proofs) -> None:
    told = proofs.of(slug)
    for result in told.seeds:
        for stage in result.stages:
            print(f"seed {result.seed} {'ok ' if stage.ok else 'BAD'} {stage.seconds:6.2f} s {stage.name}")
    assert told.failures == ()
    assert told.ok
    assert tuple(result.seed for result in told.seeds) == seeds_of(slug)
