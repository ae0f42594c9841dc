"""An exam is closed-book: its lessons, what was kept of them and explained answers wait until it is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import right_answer
from sandbox.model.view import AttemptState
from tests.web.conftest import Visitor
from tests.web.exam.test_exam_pages import exams, fields
from tests.web.stand_in import StandIn, StandInHost
from web.accounts import LOCAL
from web.exam.paper import IncidentItem

QUESTION = question_bank()["wrong-name-called"]


def sit(visitor: Visitor) -> int:
    """Begin a short exam; the only drill there is here is its incident."""
    begun = visitor.post("/exam/", {"length": "short", "focus": "both"}, token_from="/exam/")
    return int(re.findall(r"/exam/(\d+)/1$", begun.headers["Location"])[0])


@pytest.fixture(autouse=True)
def _judged(app: Flask) -> Iterator[None]:
    yield
    exams(app).judging.wait(30)


def held(visitor: Visitor, number: int, path: str, values: dict[str, str | list[str]] | None = None) -> bool:
    """Whether the page says that somebody is in an exam, and leads back there."""
    answer = visitor.get(path) if values is None else visitor.post(path, values)
    back = f'href="/exam/{number}/"' in answer.text
    assert back is ("You are in an exam" in answer.text) is (answer.status_code == 409), answer.text
    return back


def test_its_lesson_is_not_begun_beside_it(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.tour.SCENARIO", "drill")
    number = sit(visitor)
    assert held(visitor, number, "/labs", {"scenario": "drill"})
    assert held(visitor, number, "/tour/", {})
    assert not host.labs
    assert visitor.post("/labs", {"scenario": ""}).status_code == 302, "a department in which nothing is broken is open"
    visitor.post(f"/exam/{number}/submit")
    assert visitor.post("/labs", {"scenario": "drill"}).status_code == 302


def test_a_lab_of_its_lesson_from_before_waits(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    number = sit(visitor)
    for path in ("/", "/debrief", "/debrief/report.md", "/drill/check", "/notebook/"):
        assert held(visitor, number, lab_path + path), path
    for path in ("/drill/give-up", "/drill/hint", "/debrief/account", "/drill/step"):
        assert held(visitor, number, lab_path + path, {"skip": "yes"}), path
    assert not lab.commands
    visitor.post(f"/exam/{number}/submit")
    assert visitor.get(lab_path + "/").status_code == 200
    sit(visitor)
    assert visitor.post(lab_path + "/end").status_code == 302, "ending it tells nothing"


def test_what_was_kept_of_its_lesson_waits(app: Flask, visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.state = AttemptState.SOLVED
    visitor.post(lab_path + "/end")
    kept = f"/attempts/{app.extensions['console'].attempts.get(lab_path.rpartition('/')[2]).id}/debrief"
    number = sit(visitor)
    for path in (kept, kept + "/report.md", kept + "/report.pdf", "/progress/progress.json"):
        assert held(visitor, number, path), path
    assert held(visitor, number, kept + "/account", {"skip": "yes"})
    visitor.post(f"/exam/{number}/submit")
    for path in (kept, "/progress/progress.json"):
        assert visitor.get(path).status_code == 200, path


def test_answers_are_explained_afterwards(visitor: Visitor) -> None:
    earlier = sit(visitor)
    visitor.post(f"/exam/{earlier}/submit")
    number = sit(visitor)
    path = f"/questions/{QUESTION.id}"
    assert held(visitor, number, path)
    assert held(visitor, number, path, fields(QUESTION, right_answer(QUESTION)))
    assert held(visitor, number, f"/exam/{earlier}/result"), "every question with its explanation"
    visitor.post(f"/exam/{number}/submit")
    assert visitor.post(path, fields(QUESTION, right_answer(QUESTION))).status_code == 200
    assert visitor.get(f"/exam/{earlier}/result").status_code == 200


def test_its_own_incident_is_open(app: Flask, visitor: Visitor, host: StandInHost) -> None:
    number = sit(visitor)
    items = exams(app).get(LOCAL, number).paper.items
    place = next(place for place, item in enumerate(items, 1) if isinstance(item, IncidentItem))
    address = visitor.post(f"/exam/{number}/{place}/start").headers["Location"]
    assert visitor.get(address).status_code == 200
    assert visitor.post(address + "drill/give-up").status_code == 302
    assert visitor.get(address + "debrief").status_code == 200
