"""Practising with questions: by topic, one at a time, explained at once; what was wrong comes again first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Question, is_answered
from sandbox.learning.topics import BODIES, TOPICS
from sandbox.model.errors import NotFoundError
from web.context import account, console
from web.exam import closed_book
from web.exam.forms import read_answer, shown
from web.exam.invigilator import utc_now
from web.exam.training import Record, Training, next_question

pages = Blueprint("questions", __name__, url_prefix="/questions")
WRONG = "wrong"
"""In place of a topic: only what the last answer was wrong to."""


def _training() -> Training:
    return Training(console().database)


def _of(topic: str) -> list[Question]:
    """The questions of a topic; all of them where none is named."""
    every = list(question_bank().values())
    return every if topic in ("", WRONG) else [one for one in every if one.topic == topic]


@pages.get("/")
def questions() -> str:
    """The topics, how many questions each has, and how they went."""
    record = _training().record(account())
    lines = [(topic, _line(record, _of(topic.id))) for topic in TOPICS]
    return render_template(
        "exam/questions.html",
        lines=lines,
        bodies=BODIES,
        wrong=len(record.wrong(_of(""))),
        every=_line(record, _of("")),
    )


@pages.get("/next")
def next_one() -> Response:
    """Whatever comes next of a topic."""
    topic = request.args.get("topic", "")
    found = next_question(_training().record(account()), _of(topic), only_wrong=topic == WRONG)
    if found is None:
        return redirect(url_for(".questions"))
    return redirect(url_for(".question", id=found.id, topic=topic or None))


@pages.get("/<id>")
def question(id: str) -> str:
    closed_book.hold_answers()
    return _page(id, request.args.get("topic", ""))


@pages.post("/<id>")
def answer(id: str) -> str:
    """Judge an answer, keep it, and explain. Without an answer nothing is kept, and the page says so."""
    closed_book.hold_answers()
    found = _find(id)
    record = _training().record(account())
    one = shown(found, read_answer(found, request.form), record.times(id))
    topic = request.form.get("topic", "")
    if not is_answered(one.answer):
        return _page(id, topic, nothing=True)
    record = _training().keep(account(), id, one.is_right, utc_now())
    return _render(one=one, topic=topic, record=record, answered=True)


def _page(id: str, topic: str, **values: Any) -> str:
    record = _training().record(account())
    return _render(one=shown(_find(id), (), record.times(id)), topic=topic, record=record, **values)


def _render(*, topic: str, record: Record, **values: Any) -> str:
    names = {one.id: one for one in TOPICS}
    return render_template(
        "exam/practise.html",
        topic=topic,
        topics=names,
        record=record,
        line=_line(record, _of(topic)),
        wrong=len(record.wrong(_of(topic))),
        scenarios={drill.slug: drill for drill in console().catalogue.drills()},
        **values,
    )


def _line(record: Record, found: list[Question]) -> dict[str, int]:
    known = [record.known[one.id] for one in found if one.id in record.known]
    return {"count": len(found), "asked": len(known), "right": sum(one.last_right for one in known)}


def _find(id: str) -> Question:
    found = question_bank().get(id)
    if found is None:
        raise NotFoundError(_("There is no such question."), _("Choose a topic from the list."))
    return found
