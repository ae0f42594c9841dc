"""The guided tour: begun in a fresh department, moved on by its reader or by what the lab has become, left at will."""

from __future__ import annotations

import pytest

from tests.web.conftest import Visitor
from tests.web.stand_in import StandInHost
from web.tour import steps


@pytest.fixture
def toured(visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the lab of a tour that has begun; its scenario is the stand-in's."""
    monkeypatch.setattr("web.pages.tour.SCENARIO", "drill")
    answer = visitor.post("/tour/")
    assert answer.status_code == 302
    return str(answer.headers["Location"]).rstrip("/")


def test_it_begins_with_the_phone_and_goes_on_and_back(visitor: Visitor, toured: str) -> None:
    assert "Guided tour, step 1 of 9" in visitor.page(f"{toured}/")
    visitor.post("/tour/move", {"to": "on"})
    assert "step 2 of 9" in visitor.page(f"{toured}/")
    visitor.post("/tour/move", {"to": "back"})
    assert "step 1 of 9" in visitor.page(f"{toured}/")


def test_elsewhere_it_shows_the_way_back(visitor: Visitor, toured: str) -> None:
    page = visitor.page(f"{toured}/associations/")
    assert "Take me there" in page
    assert f'href="{toured}/"' in page


def test_a_step_that_the_lab_has_done_is_over(visitor: Visitor, toured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[bool] = []
    waiting = steps.Step("Wait", "For it.", until=lambda _lab: bool(done))
    monkeypatch.setattr("web.tour.guide.STEPS", (waiting, steps.STEPS[-1]))
    assert "Goes on by itself" in visitor.page(f"{toured}/")
    done.append(True)
    assert "step 2 of 2" in visitor.page(f"{toured}/")


def test_leaving_it_leaves_the_department(visitor: Visitor, toured: str) -> None:
    assert visitor.post("/tour/end").headers["Location"].rstrip("/") == toured
    assert "Guided tour" not in visitor.page(f"{toured}/")


def test_it_ends_with_its_lab_and_is_not_shown_in_another(visitor: Visitor, toured: str) -> None:
    other = visitor.post("/labs", {"scenario": "drill", "seed": "8"}).headers["Location"].rstrip("/")
    assert "Guided tour" not in visitor.page(f"{other}/")
    visitor.post(f"{toured}/end")
    assert "Guided tour" not in visitor.page("/")


def test_a_session_that_says_nonsense_is_no_tour(visitor: Visitor, toured: str) -> None:
    with visitor.client.session_transaction() as session:
        session["tour"] = {"lab": 7}
    assert "Guided tour" not in visitor.page(f"{toured}/")


def test_the_lesson_is_there_and_its_steps_are_those_of_its_solution() -> None:
    from sandbox.drill.load import load_scenario

    scenario = load_scenario(steps.SCENARIO)
    first = scenario.solution[0].step[0]
    assert (first.command, first.params["node"]) == ("node.config.save", steps.NODE)
    assert first.params["set"] == {f"remotes.{steps.PEER}.port": steps.PORT}
    assert scenario.diagnosis.node == steps.NODE
