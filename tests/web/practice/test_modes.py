"""What a mode allows is kept at the routes: guided goes step by step, an exam has no hints, one check and an end."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import web
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState, CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn, StandInHost
from web.checking import Checking
from web.db.tables import Attempt
from web.practice.modes import MODES, Mode, Rules, mode_of


def begin(visitor: Visitor, mode: str) -> str:
    answer = visitor.post("/labs", {"scenario": "drill", "mode": mode})
    assert answer.status_code == 302
    return str(answer.headers["Location"]).rstrip("/")


def lab_of(host: StandInHost, path: str) -> StandIn:
    return host.labs[path.rpartition("/")[2]]


def checked_in_vain(self: StandIn, name: str, params: dict[str, object]) -> CommandResult:
    if name == "attempt.check":
        self.findings = (Finding(id="ct", check="exam_arrives", verdict=Verdict.FAIL, sentence="It did not come."),)
    if name == "attempt.give_up":
        self.state = AttemptState.GIVEN_UP
    return self.result


def test_every_mode_has_its_rules_and_only_the_exam_forbids_hints() -> None:
    assert set(MODES) == set(Mode)
    assert all(rules.mode is mode for mode, rules in MODES.items())
    assert [mode for mode, rules in MODES.items() if not rules.hints] == [Mode.EXAM]
    assert mode_of("nonsense") is Mode.DRILL


def test_every_rule_is_kept_somewhere() -> None:
    home = Path(web.__file__).parent
    told = "".join(
        path.read_text(encoding="utf-8") for kind in ("*.py", "templates/**/*.html") for path in home.rglob(kind)
    )
    for rule in fields(Rules):
        assert re.search(rf"(rules|modes\[[^]]+\]|rules_of\([^)]*\))\.{rule.name}\b", told), f"nobody reads {rule.name}"


def test_a_guided_lesson_offers_steps_without_a_price(visitor: Visitor, host: StandInHost) -> None:
    path = begin(visitor, "guided")
    page = visitor.page(path + "/")
    assert "Your coach" in page
    assert "Find the place" in page
    assert "Stuck?" not in page
    assert "The debrief will say that you did" not in page
    visitor.post(path + "/drill/hint")
    assert [one["command"] for one in lab_of(host, path).commands] == ["attempt.hint"]


def test_a_drill_is_as_it_was(visitor: Visitor) -> None:
    page = visitor.page(begin(visitor, "drill") + "/")
    assert "Your coach" not in page
    assert 'id="hints"' in page


def test_what_is_practised_is_said_before_the_debrief_only_where_a_coach_goes_along(
    visitor: Visitor, host: StandInHost
) -> None:
    for mode, at_once in ((Mode.GUIDED, True), (Mode.DRILL, False), (Mode.EXAM, False)):
        path = begin(visitor, mode)
        page = visitor.page(path + "/")
        assert (("What you practise" in page), ("Read a rejection." in page)) == (at_once, at_once), mode
        lab_of(host, path).state = AttemptState.GIVEN_UP
        over = visitor.page(path + "/")
        assert "Read a rejection." in over, mode


def test_an_exam_gives_no_hint_and_says_no_objectives(visitor: Visitor, host: StandInHost) -> None:
    path = begin(visitor, "exam")
    page = visitor.page(path + "/")
    assert "15 minutes left" in page
    for words in ("What you practise", 'id="hints"', "Your coach"):
        assert words not in page
    refused = visitor.post(path + "/drill/hint")
    assert refused.status_code == 409
    assert "There are no hints in an exam." in refused.text
    assert not lab_of(host, path).commands


def test_an_exam_that_was_checked_in_vain_is_over(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandIn, "execute", checked_in_vain)
    path = begin(visitor, "exam")
    visitor.post(path + "/drill/check")
    for _ in range(1000):
        if lab_of(host, path).state is AttemptState.GIVEN_UP:
            break
        visitor.page(path + "/")
    page = visitor.page(path + "/")
    assert "Check again" not in page
    assert "minutes left" not in page
    assert "Exam not passed" in visitor.page("/progress/")


def test_a_drill_that_was_checked_in_vain_goes_on(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandIn, "execute", checked_in_vain)
    path = begin(visitor, "drill")
    visitor.post(path + "/drill/check")
    for _ in range(1000):
        if "It did not come." in (page := visitor.page(path + "/")):
            break
    assert "Check again" in page
    assert lab_of(host, path).state is AttemptState.RUNNING


def test_what_comes_after_the_time_is_not_done(visitor: Visitor, host: StandInHost) -> None:
    path = begin(visitor, "exam")
    long_ago = datetime.now(UTC) - timedelta(minutes=16)
    with visitor.client.application.extensions["console"].database.unit() as session:
        session.execute(update(Attempt).values(started=long_ago))
    answer = visitor.post(path + "/nodes/CT1/restart")
    assert answer.status_code == 302
    for _ in range(1000):
        if lab_of(host, path).commands:
            break
    assert [one["command"] for one in lab_of(host, path).commands] == ["attempt.check"], "checked as it is"


def test_what_comes_during_a_check_is_told_why_it_was_not_done(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(visitor, "exam")
    monkeypatch.setattr(Checking, "is_running", lambda *_: True)
    assert visitor.post(path + "/nodes/CT1/restart").status_code == 302
    assert "A check is under way" in visitor.page(path + "/")
    assert not lab_of(host, path).commands
    part = visitor.post(path + "/nodes/ROUTER/configuration/", {"act": "save"}, part=True)
    assert (part.status_code, part.headers["HX-Redirect"]) == (200, path + "/")
    assert not part.text, "a whole page has no place in the form"


def test_a_fresh_department_has_a_seed_that_was_not_had(visitor: Visitor, host: StandInHost, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    drawn = iter([5, 5, 9])
    monkeypatch.setattr("web.labs.secrets.randbelow", lambda _most: next(drawn))
    begin(visitor, "drill")
    begin(visitor, "drill")
    assert [seed for _site, _scenario, seed in host.asked] == [5, 9]
