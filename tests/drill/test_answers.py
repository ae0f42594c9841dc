"""Whom one can ask about a drill, read off its calls: no lab is needed for that."""

from __future__ import annotations

from sandbox.drill.answers import Answers
from sandbox.drill.load import load_scenario
from sandbox.drill.mail import calls
from sandbox.drill.surface import NOON, pretended_surface
from sandbox.lab.site import load_site


def test_who_will_call_later_is_nobody_to_ask_yet() -> None:
    """Neither their call nor what the author wrote for them is to tell beforehand of what comes in 90 seconds."""
    scenario = load_scenario("the-3d-lab-pulls-and-nothing-comes")
    assert {answer.to for answer in scenario.answer} >= {"three_d_tech", "ed_physician"}
    site = load_site(scenario.site)
    surface = pretended_surface(scenario.exam, site)
    answers = Answers(surface, scenario.answer, scenario.exam)
    first, second = calls(scenario, site, surface, NOON)
    assert (first.sender_id, second.sender_id) == ("three_d_tech", "ed_physician")
    first = first.model_copy(update={"event": 1})
    before = [person.id for person in answers.people([first, second])]
    assert before[0] == "three_d_tech"
    assert "service_engineer" in before
    assert "ed_physician" not in before
    after = [person.id for person in answers.people([first, second.model_copy(update={"event": 2})])]
    assert set(after) - set(before) >= {"ed_physician"}
    assert set(after[:2]) == {"three_d_tech", "ed_physician"}, "callers first"
