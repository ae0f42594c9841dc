"""A lab's own page: the ticket and the drill's panels where there is a drill, the map and the feed."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.model.view import AttemptState
from web import department_map, feed
from web.context import console, lab_client
from web.pages.common import act, attempt_of, lab_page

pages = Blueprint("department", __name__, url_prefix="/labs/<lab_id>")
SHOWN = 60


@pages.get("/")
def department(lab_id: str) -> str:
    client = lab_client(lab_id)
    lab = client.lab()
    attempt = client.attempt()
    everything = request.args.get("feed") == "all"
    events = client.events(after=max(0, lab.last_event - 600), limit=600)
    if attempt is not None and attempt.state is not AttemptState.RUNNING:
        console().labs.note(lab_id, attempt)
    return lab_page(
        lab_id,
        "lab/department.html",
        lab,
        attempt=attempt,
        map=department_map.draw(lab),
        rows=feed.rows(events, everything)[:SHOWN],
        everything=everything,
        checking=console().checking.is_running(lab_id) or bool(attempt and attempt.checking),
        told=[],
        trouble=console().checking.trouble(lab_id),
    )


@pages.get("/map")
def live_map(lab_id: str) -> str:
    lab = lab_client(lab_id).lab()
    return render_template("parts/map_live.html", lab=lab, lab_id=lab_id, map=department_map.draw(lab))


@pages.get("/side")
def side(lab_id: str) -> str:
    """The list of nodes at the side, drawn again when something changed."""
    lab = lab_client(lab_id).lab()
    return render_template("parts/side.html", lab=lab, lab_id=lab_id, here=request.args.get("here", ""))


@pages.get("/next")
def next_steps(lab_id: str) -> str:
    """What to do next, drawn again as the drill goes on; nothing when it is over."""
    attempt = attempt_of(lab_id)
    running = attempt.state is AttemptState.RUNNING
    return render_template("parts/next.html", lab_id=lab_id, attempt=attempt) if running else ""


@pages.post("/reset")
def reset(lab_id: str) -> Response:
    return act(lab_id, url_for(".department", lab_id=lab_id), "lab.reset")


@pages.post("/background")
def background(lab_id: str) -> Response:
    command = "background.resume" if request.form.get("act") == "resume" else "background.pause"
    return act(lab_id, url_for(".department", lab_id=lab_id), command)
