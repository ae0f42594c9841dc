"""Progress: what was practised, how strong each topic is, what is due; carrying it away, bringing it back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from sandbox.learning.topics import CIIP_ITEMS
from sandbox.model.errors import BadInputError
from web.context import account, console
from web.exam import closed_book
from web.exam.results import topic_results
from web.practice import archive, picture

pages = Blueprint("progress", __name__, url_prefix="/progress")
SHOWN = 40


@pages.url_value_preprocessor
def _larger(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A progress file may be larger than any other form; said before the form is read, which the CSRF check does."""
    if endpoint == f"{pages.name}.bring_in":
        request.max_content_length = archive.LARGEST + 100_000


@pages.get("/")
def progress() -> str:
    seen = console().practice.overview(account())
    questions = {one.topic: one for one in topic_results(account())}
    everything = request.args.get("history") == "all"
    return render_template(
        "practice/progress.html",
        seen=seen,
        pictures=[(body, picture.draw(seen.of_body(body), questions)) for body in ("cdip", "ciip")],
        share=picture.share,
        history=seen.history if everything else seen.history[:SHOWN],
        exams=console().practice.sittings(account()),
        items=CIIP_ITEMS,
    )


@pages.get("/progress.json")
def carry_away() -> Response:
    closed_book.hold_file()
    now = console().practice.now
    data = archive.written(console().database, account(), now)
    name = f"pacs-sandbox-progress-{now:%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, mimetype="application/json", headers=headers)


@pages.post("/import")
def bring_in() -> Answer:
    """Merge a file into what is here. What is wrong with it is said on the page, and nothing is changed."""
    file = request.files.get("file")
    try:
        found = archive.read(file.stream.read(archive.LARGEST + 1) if file else b"")
    except BadInputError as wrong:
        flash(" ".join((wrong.sentence, wrong.mend)), "bad")
        return redirect(url_for(".progress", _anchor="carry"))
    brought = archive.bring_in(console().database, account(), found, console().practice.now)
    said = [
        ngettext("%(num)s attempt was brought in.", "%(num)s attempts were brought in.", brought.attempts),
        ngettext("%(num)s exam or round, too.", "%(num)s exams and rounds, too.", brought.sittings)
        if brought.sittings
        else "",
        ngettext("%(num)s was here already.", "%(num)s were here already.", brought.known) if brought.known else "",
        ngettext(
            "%(num)s debrief cannot be read by this version and was left out.",
            "%(num)s debriefs cannot be read by this version and were left out.",
            brought.without_debrief,
        )
        if brought.without_debrief
        else "",
    ]
    flash(" ".join(part for part in said if part), "good")
    return redirect(url_for(".progress"))


@pages.post("/forget")
def forget() -> Answer:
    """Delete what was practised. Labs that run go on, and stay on record."""
    if request.form.get("sure") != "yes":
        raise BadInputError(_("Nothing was deleted."), _("Tick that you want it, then delete."))
    running = [row.attempt.lab for row in console().labs.of(account()) if row.running]
    gone = console().practice.forget(account(), keep=running)
    flash(
        ngettext("%(num)s attempt was deleted.", "%(num)s attempts were deleted.", gone)
        + " "
        + _("You begin anew; labs that run go on."),
        "good",
    )
    return redirect(url_for("start.start"))
