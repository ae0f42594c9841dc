"""The conversation on a ticket: asking, telling those who wait, closing. Answers come by themselves, as events."""

from __future__ import annotations

from functools import partial
from typing import cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import NotFoundError, SandboxError
from sandbox.model.view import AttemptState, AttemptView, TicketView
from web.context import account, console, lab_client
from web.drafts import Drafts
from web.forms import whole
from web.pages.common import act, attempt_of, tell, wants_part

pages = Blueprint("thread", __name__, url_prefix="/labs/<lab_id>/tickets")
CLOSING = ("cause", "done", "verified", "follow_up")


@pages.record_once
def _prepare(state: BlueprintSetupState) -> None:
    drafts = state.app.extensions["drafts"] = Drafts()
    state.app.jinja_env.globals.update(closing_words=drafts.get)


@pages.get("/<int:number>")
def messages(lab_id: str, number: int) -> str:
    """What was said on a ticket so far, drawn again when something was."""
    attempt = attempt_of(lab_id)
    return _messages(lab_id, attempt, _ticket(attempt, number))


@pages.get("/after/<int:number>")
def later(lab_id: str, number: int) -> str:
    """The tickets that came in since ticket ``number``, and the place where the next will appear."""
    attempt = attempt_of(lab_id)
    record = console().labs.attempt(account(), lab_id)
    return render_template("parts/tickets_later.html", lab_id=lab_id, attempt=attempt, record=record, after=number)


@pages.post("/<int:number>/ask")
def ask(lab_id: str, number: int) -> Response | str:
    """Ask somebody. With htmx the thread is drawn anew, and the answer appears in it when it comes."""
    params = {"ticket": number, "to": request.form.get("to", ""), "about": request.form.get("about", "")}
    trouble = ""
    try:
        lab_client(lab_id).command("attempt.ask", params)
    except SandboxError as wrong:
        trouble = str(wrong)
    if wants_part():
        attempt = attempt_of(lab_id)
        return _messages(lab_id, attempt, _ticket(attempt, number), trouble)
    if trouble:
        flash(trouble, "bad")
    return redirect(_place(lab_id, number))


@pages.post("/<int:number>/update")
def update(lab_id: str, number: int) -> Response:
    said = {key: request.form.get(key, "") for key in ("impact", "known", "unknown")}
    wanted = whole(request.form.get("next_update_min", ""), 15)
    return act(lab_id, _place(lab_id, number), "attempt.update", ticket=number, next_update_min=wanted, **said)


@pages.post("/<int:number>/close")
def close(lab_id: str, number: int) -> Response:
    """Close with a message. While the drill runs the caller tries first, behind the page, as for a check. What was
    typed is kept until the ticket is closed."""
    attempt = attempt_of(lab_id)
    params = {"ticket": number, **keep_closing(lab_id, attempt, number)}
    client, taken = lab_client(lab_id), partial(_drafts().taken, lab_id, number)
    if attempt.state is AttemptState.RUNNING:
        if not console().checking.start(lab_id, client, "attempt.close", params, taken):
            flash(_("A check is under way; close the ticket when it is done."), "warn")
        return redirect(url_for("department.department", lab_id=lab_id, _anchor="check"))
    try:
        result = client.command("attempt.close", params)
        tell(lab_id, result)
        if result.ok:
            taken()
    except SandboxError as wrong:
        flash(str(wrong), "bad")
    return redirect(_place(lab_id, number))


def keep_closing(lab_id: str, attempt: AttemptView, number: int) -> dict[str, str]:
    """The closing message that is in the request, kept so that the form has it again if it cannot be taken now."""
    words = {key: request.form.get(key, "") for key in CLOSING}
    _drafts().keep(lab_id, _ticket(attempt, number).number, words)
    return words


def _drafts() -> Drafts:
    return cast(Drafts, current_app.extensions["drafts"])


def _messages(lab_id: str, attempt: AttemptView, ticket: TicketView, trouble: str = "") -> str:
    return render_template("parts/thread_messages.html", lab_id=lab_id, attempt=attempt, ticket=ticket, trouble=trouble)


def _ticket(attempt: AttemptView, number: int) -> TicketView:
    for ticket in attempt.tickets:
        if ticket.number == number:
            return ticket
    raise NotFoundError(_("There is no ticket %(number)s.", number=number), _("Choose one that has come in."))


def _place(lab_id: str, number: int) -> str:
    return url_for("department.department", lab_id=lab_id, _anchor=f"ticket-{number}")
