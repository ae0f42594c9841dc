"""The exam simulation: choosing one, sitting it, handing it in, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.drill.question_bank import question_bank
from sandbox.learning.topics import BODIES, TOPICS
from sandbox.model.errors import NotFoundError, SandboxError
from web.context import account, console
from web.exam import closed_book, results
from web.exam.closed_book import exams
from web.exam.drawing import FOCUSES, LENGTHS, weights
from web.exam.forms import Shown, read_answer, shown
from web.exam.invigilator import Exam, Exams
from web.exam.paper import IncidentItem, IncidentState, QuestionItem
from web.forms import whole
from web.pages.common import wants_part

if TYPE_CHECKING:
    from web.app import Console

pages = Blueprint("exam", __name__, url_prefix="/exam")


@pages.record_once
def _prepare(state: BlueprintSetupState) -> None:
    known = cast("Console", state.app.extensions["console"])
    state.app.extensions["exams"] = Exams(known.database, known.labs, known.attempts, known.catalogue)
    state.app.jinja_env.globals.update(exam_of_lab=exam_of_lab)


pages.before_app_request(closed_book.before_a_lab)


def exam_of_lab(lab_id: str) -> dict[str, Any] | None:
    """The open exam in which this lab is an incident, for the way back to it from the lab's pages."""
    exam = exams().open(account())
    if exam is None:
        return None
    for place, item in enumerate(exam.paper.items, 1):
        if isinstance(item, IncidentItem) and item.lab == lab_id:
            return {"exam": exam, "place": place}
    return None


# --- before ----------------------------------------------------------------------------------------------------------


@pages.get("/")
def intro() -> str:
    """What an exam consists of, choosing one, and those of before."""
    known = exams().of(account())
    opened = exams().open(account())
    return render_template(
        "exam/intro.html",
        open_exam=opened,
        past=[exam for exam in known if opened is None or exam.number != opened.number],
        lengths=LENGTHS,
        focuses=FOCUSES,
        shares={topic: share * 100 for topic, share in weights(FOCUSES["both"]).items()},
        bodies=BODIES,
        topics=TOPICS,
        questions=len(question_bank()),
        pass_line=results.PASS_LINE,
        incident_worth=results.INCIDENT_WORTH,
        left=opened.paper.seconds_left(exams().now()) if opened else None,
    )


@pages.post("/")
def begin() -> Response:
    asked = request.form
    timed = asked.get("timed", "yes") != "no"
    number = exams().begin(account(), asked.get("length", ""), asked.get("focus", ""), timed=timed)
    return redirect(url_for(".item", number=number, place=1))


# --- while it lasts --------------------------------------------------------------------------------------------------


@pages.get("/<int:number>/")
def overview(number: int) -> str | Response:
    """All places of the paper and how they stand; handing it in."""
    exam = exams().get(account(), number)
    if not exam.is_open:
        return _over(exam)
    return _page(exam, "exam/overview.html")


@pages.get("/<int:number>/<int:place>")
def item(number: int, place: int) -> str | Response:
    """One place of the paper: a question, or an incident."""
    exam = exams().get(account(), number)
    if not exam.is_open:
        return _over(exam)
    found = exam.paper.item(place)
    if isinstance(found, QuestionItem):
        return _page(exam, "exam/question.html", place=place, item=found, one=_shown(exam, found))
    if isinstance(found, IncidentItem):
        found = exams().refresh_incident(account(), number, place)
        running = [other for other in exam.paper.incidents if other.state is IncidentState.RUNNING and other != found]
        exam = exams().get(account(), number)
        return _page(exam, "exam/incident.html", place=place, item=found, other=running[0] if running else None)
    raise NotFoundError(_("There is no such place in this exam."), _("Choose one from its overview."))


@pages.post("/<int:number>/<int:place>")
def answer(number: int, place: int) -> Response | str:
    """Keep the answer that stands in the form, and go where the button says. Alone (htmx), only keep it."""
    exam = exams().get(account(), number)
    found = exam.paper.item(place)
    if isinstance(found, QuestionItem) and found.question in question_bank():
        given = read_answer(question_bank()[found.question], request.form)
        if not exam.is_open or not exams().answer(account(), number, place, given):
            if wants_part():
                return Response("", headers={"HX-Redirect": url_for(".overview", number=number)})
            flash(_("The time was over: this answer was not kept."), "bad")
            return redirect(url_for(".overview", number=number))
    if wants_part():
        return render_template("exam/saved.html", at=exams().now().astimezone())
    act = request.form.get("act", "")
    if act in ("flag", "unflag"):
        exams().flag(account(), number, place, act == "flag")
    return redirect(_onward(number, place, act, len(exam.paper.items)))


@pages.post("/<int:number>/<int:place>/start")
def start_incident(number: int, place: int) -> Response:
    """Start the incident's lab and go there; what cannot be started is skipped, and the page says so."""
    try:
        found = exams().start_incident(account(), number, place)
    except SandboxError as wrong:
        flash(str(wrong), "bad")
        return redirect(url_for(".item", number=number, place=place))
    if found.state is IncidentState.RUNNING:
        return redirect(url_for("department.department", lab_id=found.lab))
    return redirect(url_for(".item", number=number, place=place))


@pages.post("/<int:number>/<int:place>/end")
def end_incident(number: int, place: int) -> Response:
    exams().end_incident(account(), number, place)
    return redirect(url_for(".item", number=number, place=place))


@pages.post("/<int:number>/submit")
def submit(number: int) -> Response:
    exams().submit(account(), number)
    return redirect(url_for(".result", number=number))


# --- afterwards ------------------------------------------------------------------------------------------------------


@pages.get("/<int:number>/result")
def result(number: int) -> str | Response:
    """Score by topic, incidents with what the checks found, and every question with its explanation."""
    exam = exams().get(account(), number)
    if exam.is_open:
        return redirect(url_for(".overview", number=number))
    closed_book.hold_answers()
    bank = question_bank()
    names = {topic.id: topic for topic in TOPICS}
    wanted = request.args.get("show", "")
    told = [
        (place, one, _shown(exam, one))
        for place, one in enumerate(exam.paper.items, 1)
        if isinstance(one, QuestionItem) and one.question in bank
    ]
    return render_template(
        "exam/result.html",
        exam=exam,
        bodies=BODIES,
        topics=names,
        told=[line for line in told if wanted != "wrong" or not line[2].is_right],
        right=sum(line[2].is_right for line in told),
        asked=len(told),
        show=wanted,
        weak=[names[topic] for topic in results.weak_topics(exam.paper.rows) if topic in names],
        pass_line=results.PASS_LINE,
        incident_worth=results.INCIDENT_WORTH,
        length=LENGTHS.get(exam.paper.length),
        focus=FOCUSES.get(exam.paper.focus),
        scenarios={drill.slug: drill for drill in console().catalogue.drills()},
    )


@pages.get("/<int:number>/judged")
def judged(number: int) -> dict[str, bool]:
    """Whether everything is judged, for the page that waits for it."""
    return {"judged": exams().get(account(), number).score is not None}


# --- what they share -------------------------------------------------------------------------------------------------


def _page(exam: Exam, template: str, **values: Any) -> str:
    now = exams().now()
    return render_template(template, exam=exam, paper=exam.paper, left=exam.paper.seconds_left(now), **values)


def _shown(exam: Exam, found: QuestionItem) -> Shown:
    question = question_bank().get(found.question)
    if question is None:
        raise NotFoundError(
            _("This question is not in the bank any more."),
            _("Hand the exam in; it does not count for or against you."),
        )
    return shown(question, found.answer, exam.paper.seed)


def _over(exam: Exam) -> Response:
    if exam.paper.by_time:
        flash(_("The time is over; the exam was handed in as it was."), "quiet")
    return redirect(url_for(".result", number=exam.number))


def _onward(number: int, place: int, act: str, count: int) -> str:
    """Where a button leads: a place by its number, the next or previous one, the overview, or the same place."""
    steps = {"next": place + 1, "previous": place - 1}
    wanted = steps.get(act, whole(act, place))
    if act == "overview" or not 1 <= wanted <= count:
        return url_for(".overview", number=number)
    return url_for(".item", number=number, place=wanted)
