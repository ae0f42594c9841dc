"""The trainee's notebook: notes, and what is pinned as evidence, from any page of a lab."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as FlaskResponse
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import NotFoundError, SandboxError
from web import desk
from web.context import lab_client
from web.forms import whole
from web.pages.common import attempt_of, lab_page, no_drill, wants_part

pages = Blueprint("notebook", __name__, url_prefix="/labs/<lab_id>/notebook")


@pages.get("/")
def notebook(lab_id: str) -> str:
    if desk.desk_of(lab_id) is None:
        raise no_drill()
    return lab_page(lab_id, "lab/notebook.html")


@pages.get("/body")
def body(lab_id: str) -> str:
    """Notes and pins alone, for the drawer."""
    return render_template("parts/notebook_body.html", lab_id=lab_id)


@pages.get("/notebook.md")
def download(lab_id: str) -> FlaskResponse:
    """The notebook as Markdown, named by the lab: the slug of a drill that is made says which cause it is."""
    headers = {"Content-Disposition": f'attachment; filename="notebook-{lab_id}.md"'}
    return FlaskResponse(desk.as_markdown(attempt_of(lab_id)), mimetype="text/markdown", headers=headers)


@pages.post("/notes")
def write(lab_id: str) -> Response | str:
    params: dict[str, object] = {"text": request.form.get("text", "")}
    if number := whole(request.form.get("note", "")):
        params["note"] = number
    return _done(lab_id, "attempt.note", params, written=not number)


@pages.post("/notes/<int:number>/remove")
def remove(lab_id: str, number: int) -> Response | str:
    return _done(lab_id, "attempt.note.remove", {"note": number}, removed=number)


@pages.post("/notes/<int:number>/restore")
def restore(lab_id: str, number: int) -> Response | str:
    return _done(lab_id, "attempt.note.restore", {"note": number})


@pages.post("/pins")
def pin(lab_id: str) -> Response | str:
    """Pin what a page shows, or let go of it; the button that did it is drawn anew."""
    wanted = {field: request.form.get(field, "") for field in desk.PIN_FIELDS}
    shown = {**wanted, "seq": whole(wanted["seq"])}
    held = whole(request.form.get("pin", ""))
    try:
        if held:
            lab_client(lab_id).command("attempt.unpin", {"pin": held})
        else:
            lab_client(lab_id).command("attempt.pin", {key: value for key, value in shown.items() if value})
    except SandboxError as wrong:
        if not wants_part():
            flash(str(wrong), "bad")
        else:
            raise
    if wants_part():
        desk.forget(lab_id)
        return render_template("parts/pin.html", lab_id=lab_id, pin=shown, pin_next=_back(lab_id), just_pinned=True)
    return redirect(_back(lab_id))


@pages.post("/pins/<int:number>/unpin")
def unpin(lab_id: str, number: int) -> Response | str:
    return _done(lab_id, "attempt.unpin", {"pin": number})


@pages.post("/pins/<int:number>/means")
def means(lab_id: str, number: int) -> Response | str:
    """What a pin is taken to mean, in the trainee's words."""
    found = desk.desk_of(lab_id)
    held = next((one for one in found.pins if one.number == number), None) if found else None
    if held is None:
        raise NotFoundError(_("There is no pin %(number)s.", number=number), _("Choose one of the notebook."))
    said = {**held.model_dump(include=set(desk.PIN_FIELDS)), "points_to": request.form.get("points_to", "").strip()}
    return _done(lab_id, "attempt.pin", {key: value for key, value in said.items() if value})


def _done(
    lab_id: str, command: str, params: dict[str, object], *, removed: int = 0, written: bool = False
) -> Response | str:
    """Give a command of the notebook and show it again as it is now: the part, or the page. The part says when a new
    note was ``written``, so that its form is emptied then and no sooner."""
    trouble = ""
    try:
        lab_client(lab_id).command(command, params)
    except SandboxError as wrong:
        trouble = str(wrong)
    desk.forget(lab_id)
    if wants_part():
        part = render_template("parts/notebook_body.html", lab_id=lab_id, trouble=trouble, removed=removed)
        return FlaskResponse(part, headers={"HX-Trigger": "note-written"} if written and not trouble else {})
    if trouble:
        flash(trouble, "bad")
    return redirect(url_for(".notebook", lab_id=lab_id, removed=removed or None))


def _back(lab_id: str) -> str:
    """Where one was, if that is a page of this lab."""
    wanted = request.form.get("next", "")
    own = f"/labs/{lab_id}/"
    return wanted if wanted.startswith(own) else url_for("department.department", lab_id=lab_id)
