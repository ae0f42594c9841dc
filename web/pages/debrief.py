"""The debrief of an attempt: first the trainee's own account, then what really happened, and the report to take along.

It is read from the lab while there is one, and from what the console keeps when the lab is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from sandbox.learning.report import incident_report, markdown
from sandbox.model.debrief_view import AccountView, DebriefView
from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.model.view import LabView
from web import debrief_picture
from web.context import account, console, lab_client
from web.db.tables import Attempt
from web.exam import closed_book
from web.pages.common import no_drill
from web.report_pdf import report_pdf

pages = Blueprint("debrief", __name__)
QUESTIONS = ("wrong", "did", "differently")
LONGEST = 2000


@dataclass(frozen=True)
class Told:
    """A debrief, whose attempt it is, and the lab if there is one."""

    record: Attempt
    debrief: DebriefView | None
    lab: LabView | None = None


# --- while there is a lab --------------------------------------------------------------------------------------------


@pages.get("/labs/<lab_id>/debrief")
def live(lab_id: str) -> str | Answer:
    """The debrief in the frame of its lab; of a lab that is gone, what was kept."""
    try:
        return _page(_live(lab_id))
    except NotFoundError:
        record = console().labs.attempt(account(), lab_id)
        if console().attempts.debrief(record.id) is None:
            raise
        return redirect(url_for(".kept", attempt_id=record.id))


@pages.post("/labs/<lab_id>/debrief/account")
def write_live(lab_id: str) -> Answer:
    """Keep the account in the lab's log, where everything of the attempt is."""
    written = _written()
    told = _live(lab_id)
    if written is not None and told.debrief is not None and told.debrief.account is None:
        lab_client(lab_id).command("attempt.account", written.model_dump())
        _live(lab_id)
    return redirect(url_for(".live", lab_id=lab_id))


@pages.get("/labs/<lab_id>/debrief/report.<form>")
def live_report(lab_id: str, form: str) -> Response:
    return _report(_live(lab_id), form)


# --- afterwards ------------------------------------------------------------------------------------------------------


@pages.get("/attempts/<int:attempt_id>/debrief")
def kept(attempt_id: int) -> str:
    """The debrief that the console kept."""
    return _page(_kept(attempt_id))


@pages.post("/attempts/<int:attempt_id>/debrief/account")
def write_kept(attempt_id: int) -> Answer:
    """Keep the account beside the debrief, since there is no lab any more."""
    written = _written()
    told = _kept(attempt_id)
    if written is not None and told.debrief is not None and told.debrief.account is None:
        console().attempts.write_account(attempt_id, written)
    return redirect(url_for(".kept", attempt_id=attempt_id))


@pages.get("/attempts/<int:attempt_id>/debrief/report.<form>")
def kept_report(attempt_id: int, form: str) -> Response:
    return _report(_kept(attempt_id), form)


# --- inside ----------------------------------------------------------------------------------------------------------


def _live(lab_id: str) -> Told:
    record = console().labs.attempt(account(), lab_id)
    client = lab_client(lab_id)
    attempt = client.attempt()
    if attempt is None:
        raise no_drill()
    console().labs.note(lab_id, attempt)
    return Told(record, attempt.debrief, client.lab())


def _kept(attempt_id: int) -> Told:
    record = console().attempts.by_id(attempt_id)
    if record is None or not (account().sees_all or record.user_id == account().id):
        raise NotFoundError(_("There is no such attempt."), _("Choose one from the start page."))
    closed_book.hold_lesson(record.scenario, record.lab)
    debrief = console().attempts.debrief(attempt_id)
    if debrief is None:
        raise NotFoundError(
            _("No debrief of this attempt was kept."), _("It is kept when a drill is solved or given up.")
        )
    return Told(record, debrief)


def _page(told: Told) -> str:
    view = told.debrief
    shown = view if view is not None and view.account is not None else None
    return render_template(
        "debrief/page.html",
        layout="base.html" if told.lab is None else "lab/base.html",
        lab=told.lab,
        lab_id=told.record.lab,
        record=told.record,
        over=view is not None,
        solved=view is not None and view.solved,
        debrief=shown,
        lanes=debrief_picture.lanes(shown) if shown else None,
        graph=debrief_picture.graph(shown) if shown else None,
        led_to=debrief_picture.led_to(shown) if shown else (),
        account_address=_account_address(told),
        reports={form: _report_address(told, form) for form in ("pdf", "md")},
    )


def _account_address(told: Told) -> str:
    if told.lab is not None:
        return url_for(".write_live", lab_id=told.record.lab)
    return url_for(".write_kept", attempt_id=told.record.id)


def _report_address(told: Told, form: str) -> str:
    if told.lab is not None:
        return url_for(".live_report", lab_id=told.record.lab, form=form)
    return url_for(".kept_report", attempt_id=told.record.id, form=form)


def _written() -> AccountView | None:
    """What the form says; None, said on the next page, when it says nothing."""
    if request.form.get("skip"):
        return AccountView(skipped=True)
    said = {name: request.form.get(name, "").strip()[:LONGEST] for name in QUESTIONS}
    if any(said.values()):
        return AccountView(**said)
    flash(_("Your account is empty. Write a line, or skip it."), "bad")
    return None


def _report(told: Told, form: str) -> Response:
    if told.debrief is None or told.debrief.account is None:
        raise ConflictError(_("The report comes with the debrief."), _("Write your own account first, or skip it."))
    report = incident_report(told.debrief)
    name = f"incident-report-{told.record.scenario}.{form}"
    if form == "pdf":
        answer = Response(report_pdf(report), mimetype="application/pdf")
    elif form == "md":
        answer = Response(markdown(report), mimetype="text/markdown")
    else:
        raise NotFoundError(_("There is no report of that kind."), _("There is pdf and md."))
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
