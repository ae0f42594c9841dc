"""The pages of questions and exams, as a visitor without JavaScript uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Answer, Kind, Question, right_answer
from tests.web.conftest import Visitor
from tests.web.stand_in import StandInHost
from web.accounts import LOCAL
from web.exam.forms import read_answer, shown
from web.exam.invigilator import Exams
from web.exam.paper import IncidentItem, QuestionItem
from web.exam.results import topic_results
from web.exam.training import Record, next_question


def exams(app: Flask) -> Exams:
    found = app.extensions["exams"]
    assert isinstance(found, Exams)
    return found


@pytest.fixture
def sitting(app: Flask, visitor: Visitor) -> Iterator[int]:
    """A short exam that was begun."""
    begun = visitor.post("/exam/", {"length": "short", "focus": "both"}, token_from="/exam/")
    yield int(re.findall(r"/exam/(\d+)/1$", begun.headers["Location"])[0])
    exams(app).judging.wait(30)


def fields(question: Question, answer: Answer) -> dict[str, str | list[str]]:
    """``answer`` as a browser would send it."""
    match question.kind:
        case Kind.SINGLE | Kind.NUMBER:
            return {"answer": answer[0]}
        case Kind.SEVERAL:
            return {"answer": list(answer)}
        case Kind.ORDER:
            return {f"place-{key}": str(place) for place, key in enumerate(answer, 1)}
        case Kind.MATCH:
            return {f"partner-{key}": given for key, given in zip(question.keys, answer, strict=True)}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_shown_answered_and_explained(app: Flask, visitor: Visitor, kind: Kind) -> None:
    question = next(one for one in question_bank().values() if one.kind is kind)
    page = visitor.page(f"/questions/{question.id}")
    assert "Because" not in page or question.why not in page
    assert not any(option.why in page for option in question.choices)
    answered = visitor.post(f"/questions/{question.id}", fields(question, right_answer(question)))
    assert answered.status_code == 200
    assert "Right" in answered.text
    assert question.reference[0] in answered.text
    again = visitor.page("/questions/")
    assert f"1 of {len(question_bank())} questions right" in again


def test_what_was_wrong_comes_again_first(visitor: Visitor) -> None:
    question = question_bank()["wrong-name-called"]
    other = question_bank()["context-result-three"]
    visitor.post(f"/questions/{question.id}", {"answer": "b"})
    assert "Again what I got wrong" in visitor.page("/questions/")
    assert visitor.get("/questions/next?topic=wrong").headers["Location"].startswith(f"/questions/{question.id}")
    visitor.post(f"/questions/{other.id}", fields(other, right_answer(other)))
    assert visitor.get("/questions/next").headers["Location"].startswith(f"/questions/{question.id}")
    visitor.post(f"/questions/{question.id}", fields(question, right_answer(question)))
    assert "Again what I got wrong" not in visitor.page("/questions/")
    assert visitor.get("/questions/next?topic=wrong").headers["Location"] == "/questions/"


def test_nothing_answered_is_not_kept(visitor: Visitor) -> None:
    answer = visitor.post("/questions/wrong-name-called", {})
    assert "Nothing was answered yet" in answer.text
    assert "0 of 169" not in answer.text
    assert visitor.get("/questions/nowhere").status_code == 404


def test_forms_take_only_what_they_offer() -> None:
    from werkzeug.datastructures import MultiDict

    single = question_bank()["wrong-name-called"]
    order = question_bank()["life-of-an-association"]
    assert read_answer(single, MultiDict({"answer": "z"})) == ()
    assert read_answer(order, MultiDict({"place-a": "2", "place-b": "2", "place-c": "77"})) == ("", "a", "", "", "", "")
    one = shown(order, ("b", "a", "", "", "", ""), 3)
    assert one.places == {"b": 1, "a": 2}


def test_the_page_before_says_what_it_is_and_whose_it_is_not(visitor: Visitor) -> None:
    page = visitor.page("/exam/")
    assert "independent practice" in page
    assert "no certifying body" in page
    assert "Untimed practice" in page
    assert 'aria-current="page"' in page
    assert visitor.post("/exam/", {"length": "endless", "focus": "both"}, token_from="/exam/").status_code == 400


def test_a_whole_exam_without_javascript(app: Flask, visitor: Visitor, host: StandInHost, sitting: int) -> None:
    paper = exams(app).get(LOCAL, sitting).paper
    for place, item in enumerate(paper.items, 1):
        path = f"/exam/{sitting}/{place}"
        page = visitor.page(path)
        assert "minute" in page
        if isinstance(item, QuestionItem):
            question = question_bank()[item.question]
            given = fields(question, right_answer(question)) | {"act": "next"}
            onward = visitor.post(path, given, token_from=path).headers["Location"]
            assert onward == (f"/exam/{sitting}/{place + 1}" if place < len(paper.items) else f"/exam/{sitting}/")
        else:
            assert "The telephone rings" in page
            assert item.title not in page
            started = visitor.post(path + "/start", token_from=path)
            lab = started.headers["Location"]
            assert lab.startswith("/labs/")
            assert "Back to the exam" in visitor.page(lab)
            visitor.post(path + "/end", token_from=path)
            exams(app).judging.wait(30)
            assert "has ended" in visitor.page(path)
    assert "Everything is done." in visitor.page(f"/exam/{sitting}/")
    assert visitor.post(f"/exam/{sitting}/submit").headers["Location"] == f"/exam/{sitting}/result"
    page = visitor.page(f"/exam/{sitting}/result")
    assert "10 of 10 questions" in page
    assert "1 of 1 incidents" in page
    assert "Above the pass line of 70" in page
    assert "Debrief" in page
    assert "Every question was right." in visitor.page(f"/exam/{sitting}/result?show=wrong")
    assert host.labs == {}
    with app.test_request_context():
        rows = topic_results(LOCAL)
    assert sum(row.asked for row in rows) == sum(row.right for row in rows) == 10
    assert sum(row.solved for row in rows) == 1


def test_marking_moving_and_going_on_later(app: Flask, visitor: Visitor, sitting: int) -> None:
    path = f"/exam/{sitting}/1"
    assert visitor.post(path, {"act": "flag"}, token_from=path).headers["Location"] == path
    assert "Marked for later" in visitor.page(path)
    assert visitor.post(path, {"act": "4"}, token_from=path).headers["Location"] == f"/exam/{sitting}/4"
    assert visitor.post(path, {"act": "999"}, token_from=path).headers["Location"] == f"/exam/{sitting}/"
    page = visitor.page("/exam/")
    assert "You are in an exam" in page
    assert "Go on" in page
    assert visitor.get(f"/exam/{sitting}/99").status_code == 404
    assert visitor.get(f"/exam/{sitting}/result").headers["Location"] == f"/exam/{sitting}/"


def test_an_answer_is_kept_while_the_page_stays(app: Flask, visitor: Visitor, sitting: int) -> None:
    items = exams(app).get(LOCAL, sitting).paper.items
    place, item = next((place, one) for place, one in enumerate(items, 1) if isinstance(one, QuestionItem))
    question = question_bank()[item.question]
    path = f"/exam/{sitting}/{place}"
    kept = visitor.post(path, fields(question, right_answer(question)), part=True, token_from=path)
    assert "Saved at" in kept.text
    found = exams(app).get(LOCAL, sitting).paper.item(place)
    assert isinstance(found, QuestionItem)
    assert found.answer == right_answer(question)


def test_handed_in_is_handed_in(app: Flask, visitor: Visitor, sitting: int) -> None:
    visitor.post(f"/exam/{sitting}/submit")
    for path in (f"/exam/{sitting}/", f"/exam/{sitting}/1"):
        assert visitor.get(path).headers["Location"] == f"/exam/{sitting}/result"
    late = visitor.post(f"/exam/{sitting}/1", {"answer": "a", "act": "next"})
    assert late.headers["Location"] == f"/exam/{sitting}/"
    paper = exams(app).get(LOCAL, sitting).paper
    assert not any(item.is_done for item in paper.items if not isinstance(item, IncidentItem))
    page = visitor.page(f"/exam/{sitting}/result")
    assert "Below the pass line" in page
    assert "Not started" in page
    assert "What to practise next" in page


def test_no_question_comes_twice_in_a_row_while_there_is_another() -> None:
    first, second = list(question_bank().values())[:2]
    at = datetime(2026, 11, 23, tzinfo=UTC)
    record = Record().with_answer(second.id, True, at).with_answer(first.id, False, at)
    assert next_question(record, [first, second]) == second
    assert next_question(record, [first]) == first
    assert next_question(record, [first, second], only_wrong=True) == first
    assert next_question(Record(), []) is None
