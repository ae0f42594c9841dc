"""The guided tour: beginning it in a fresh department, going on and back, leaving it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from web.context import account, console
from web.exam import closed_book
from web.practice.modes import Mode
from web.tour import guide
from web.tour.steps import SCENARIO

pages = Blueprint("tour", __name__, url_prefix="/tour")


@pages.record_once
def _shown_everywhere(state: Any) -> None:
    app: Flask = state.app
    app.jinja_env.globals.update(tour=guide.showing, lab_of_tour=guide.lab_of_tour)


@pages.post("/")
def begin() -> Response:
    closed_book.hold_lesson(SCENARIO)
    lab_id = console().labs.start(account(), SCENARIO, mode=Mode.GUIDED)
    guide.begin(lab_id)
    return redirect(guide.address())


@pages.post("/move")
def move() -> Response:
    guide.move(-1 if request.form.get("to") == "back" else 1)
    return redirect(guide.address())


@pages.post("/end")
def end() -> Response:
    """Leave the tour. The department stays: whoever wants goes on in it alone."""
    lab_id = guide.lab_of_tour()
    guide.end()
    return redirect(url_for("department.department", lab_id=lab_id) if lab_id else url_for("start.start"))
