"""Drills that are written nowhere: composed by their slug, alike in what is seen of them, and looked at by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.drill.attempt import Attempt
from sandbox.drill.finding import find_scenario
from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.generator.looks import LOOKS
from sandbox.drill.generator.made import is_made, made_scenario, made_slug, way_of
from sandbox.drill.generator.ways import ExamWay, ways_of
from sandbox.lab.site import load_site
from sandbox.model.errors import NotFoundError
from tests.drill.support import running_lab


@pytest.fixture(scope="module")
def where() -> ExamWay:
    return next(found for found in ways_of(load_site("riverside")) if found.slug == "ct1-to-ws1")


def test_every_cause_is_loaded_by_its_slug_and_complains_alike(where: ExamWay) -> None:
    made = [find_scenario(made_slug(where, cause)) for cause in CAUSES.values()]
    assert {(one.title, one.texts["ticket.md"], one.ticket[0].sender) for one in made} == {
        (made[0].title, made[0].texts["ticket.md"], made[0].ticket[0].sender)
    }
    assert [one.diagnosis.fault for one in made] == list(CAUSES)
    assert way_of(made[0].slug) == where


def test_every_drill_offers_every_cause_in_one_order(where: ExamWay) -> None:
    """Of two with one complaint, what one does not offer, or has at the place of the right one, is the other's."""
    for cause in CAUSES.values():
        choices = made_scenario(made_slug(where, cause)).diagnosis.choices
        assert [choice.value for choice in choices] == list(CAUSES)


@pytest.mark.parametrize("slug", ["made--", "made--moon--ct1-to-ws1--x", "made--riverside--ct1-to-ws1--000000"])
def test_a_slug_that_names_none_is_told(slug: str) -> None:
    assert is_made(slug)
    with pytest.raises(NotFoundError):
        made_scenario(slug)


def test_looks_tell_two_departments_apart(where: ExamWay, tmp_path: Path) -> None:
    shown = []
    for cause in ("wrong-port", "destination-held"):
        scenario = made_scenario(made_slug(where, CAUSES[cause]))
        with running_lab(tmp_path / cause, scenario=scenario.slug) as lab:
            attempt = Attempt(lab, scenario)
            attempt.begin()
            look = next(iter(LOOKS))
            shown.append(lab.execute(lab.parse("twin.look", {"look": look}), "trainee").sentence)
            with pytest.raises(NotFoundError):
                lab.execute(lab.parse("twin.look", {"look": "the moon"}), "trainee")
            attempt.close()
    assert shown == ["it waits: refused", "nothing waits"]
