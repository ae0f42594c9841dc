"""The start page: the drills, the labs that run, and starting and ending them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError
from web.catalogue import hospitals
from web.context import account, console
from web.practice.modes import mode_of

pages = Blueprint("start", __name__)


@pages.get("/")
def start() -> str:
    labs = console().labs.of(account())
    return render_template(
        "start.html",
        families=console().catalogue.families(),
        hospitals=hospitals(),
        running=[row.attempt for row in labs if row.running],
        past=[row.attempt for row in labs if not row.running][:8],
        solved={row.attempt.scenario for row in labs if row.attempt.state == "solved"},
    )


@pages.post("/labs")
def begin() -> Response:
    asked = request.form
    lab_id = console().labs.start(
        account(),
        asked.get("scenario", ""),
        _seed(asked.get("seed", "")),
        asked.get("site", ""),
        mode_of(asked.get("mode", "")),
    )
    return redirect(url_for("department.department", lab_id=lab_id))


@pages.post("/labs/<lab_id>/end")
def end(lab_id: str) -> Response:
    record = console().labs.attempt(account(), lab_id)
    console().labs.end(lab_id)
    flash(f"{record.title}: the lab has ended.", "good")
    return redirect(url_for("start.start"))


@pages.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


def _seed(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdigit() or int(text) > 2**31 - 1:
        raise BadInputError("The seed is not a number from 0 to 2147483647.", "Leave it empty for a fresh department.")
    return int(text)
