"""The drill's own acts: hints, diagnosis, checking the fix, giving up."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web import feed
from web.context import account, console, lab_client
from web.forms import whole
from web.pages.common import act, attempt_of, give, wants_part

pages = Blueprint("drill", __name__, url_prefix="/labs/<lab_id>/drill")


@pages.post("/hint")
def hint(lab_id: str) -> Response:
    give(lab_id, "attempt.hint")  # the hint itself is on the page, in the ladder
    return redirect(_page(lab_id, "hints"))


@pages.post("/diagnosis")
def diagnosis(lab_id: str) -> Response:
    said: dict[str, object] = {key: request.form.get(key, "") for key in ("node", "layer", "fault", "evidence")}
    if pins := _numbers(request.form.getlist("pins")):
        said["pins"] = pins
    if confidence := request.form.get("confidence", ""):
        said["confidence"] = confidence
    return act(lab_id, _page(lab_id, "diagnosis"), "attempt.diagnose", **said)


@pages.get("/pins")
def pins(lab_id: str) -> str:
    """The evidence that a diagnosis can rest on, with what is ticked in the form at this moment."""
    chosen = _numbers(request.args.getlist("pins"))
    return render_template("parts/pin_choices.html", lab_id=lab_id, attempt=attempt_of(lab_id), chosen=chosen)


@pages.post("/step")
def step(lab_id: str) -> Response:
    """Do a step of the worked solution, after giving up."""
    return act(lab_id, _page(lab_id, "solution"), "attempt.step", number=whole(request.form.get("number", "")))


@pages.post("/rehearse")
def rehearse(lab_id: str) -> Response:
    """Try the department after the solution was walked through."""
    return act(lab_id, _page(lab_id, "solution"), "attempt.rehearse")


@pages.post("/give-up")
def give_up(lab_id: str) -> Response:
    answer = act(lab_id, _page(lab_id, "debrief"), "attempt.give_up")
    console().labs.note(lab_id, attempt_of(lab_id))
    return answer


@pages.post("/check")
def check(lab_id: str) -> Response | str:
    """Begin the checks. They go on behind the page, which asks for their state until they are done."""
    console().checking.start(lab_id, lab_client(lab_id))
    return state(lab_id) if wants_part() else redirect(_page(lab_id, "check"))


@pages.get("/check")
def state(lab_id: str) -> Response | str:
    attempt = attempt_of(lab_id)
    checking = console().checking.is_running(lab_id) or attempt.checking
    trouble = console().checking.trouble(lab_id)
    if trouble:
        # It could not be run, and ended between the two questions.
        checking = False
    if not checking:
        console().labs.note(lab_id, attempt)
    if attempt.debrief is not None and wants_part():
        return Response("", headers={"HX-Redirect": _over(lab_id)})
    return render_template(
        "parts/check.html",
        lab_id=lab_id,
        attempt=attempt,
        record=console().labs.attempt(account(), lab_id),
        checking=checking,
        told=feed.told_so_far(lab_client(lab_id).events(limit=300)) if checking else [],
        trouble=trouble,
    )


def _numbers(texts: Iterable[str]) -> list[int]:
    return [number for number in map(whole, texts) if number]


def _page(lab_id: str, place: str) -> str:
    return url_for("department.department", lab_id=lab_id, _anchor=place)


def _over(lab_id: str) -> str:
    # Another address than the page's own, so that the browser fetches it instead of scrolling.
    return url_for("department.department", lab_id=lab_id, over="yes", _anchor="debrief")
