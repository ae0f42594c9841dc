"""The history of the configuration: who changed what when, what waits for a restart, and putting a value back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import NotFoundError
from sandbox.model.history_view import ChangeKind, ChangeLine, HistoryEntry
from web.context import account, lab_client
from web.forms import whole
from web.pages.common import act, lab_page, wants_part

pages = Blueprint("history", __name__, url_prefix="/labs/<lab_id>/history")
PAGE = 60
ICONS = {
    ChangeKind.CONFIGURATION: "adjustments",
    ChangeKind.NETWORK: "world",
    ChangeKind.STATE: "power",
    ChangeKind.SERVICE: "tool",
    ChangeKind.ARCHIVE: "archive",
    ChangeKind.LAB: "building-hospital",
}


@pages.get("/")
def history(lab_id: str) -> str:
    node, before = request.args.get("node", ""), request.args.get("before", "")
    found = lab_client(lab_id).history(node=node, before=whole(before), limit=PAGE)
    values: dict[str, Any] = {
        "history": found,
        "chosen": node,
        "before": before,
        "icons": ICONS,
        "who": who,
        "older": found.entries[-1].seq if found.more and found.entries else 0,
    }
    if wants_part():
        return render_template("parts/history.html", lab_id=lab_id, **values)
    return lab_page(lab_id, "lab/history.html", **values)


@pages.post("/<int:seq>/back")
def back(lab_id: str, seq: int) -> Response:
    """Put the earlier value of one change back, by saving the node's configuration as anybody would."""
    client = lab_client(lab_id)
    path = request.form.get("path", "")
    onward = url_for(".history", lab_id=lab_id, node=request.form.get("node", ""))
    entries = client.history(before=seq + 1, limit=1).entries
    entry = next((one for one in entries if one.seq == seq), None)
    change = next((one for one in entry.changes if one.path == path), None) if entry is not None else None
    if entry is None or change is None:
        raise NotFoundError(_("That change is not in the history."), _("Reload the page and choose again."))
    if change.undo is None:
        flash(_("%(path)s: there is nothing to put back.", path=path), "quiet")
        return redirect(onward)
    return _put_back(lab_id, onward, entry, change)


def _put_back(lab_id: str, onward: str, entry: HistoryEntry, change: ChangeLine) -> Response:
    assert change.undo is not None
    params = {name: value for name, value in change.undo.model_dump(mode="json").items() if value}
    return act(lab_id, onward, "node.config.save", node=entry.node, **params)


def who(actor: str) -> str:
    """An actor of the lab's log in words."""
    if actor == account().actor:
        return _("you")
    known = {
        "system": _("the department itself"),
        "fault": _("what the drill broke"),
        "scene": _("the lesson itself, before its story begins"),
        "probe": _("a check"),
        "cli": _("the command line"),
        "trainee": _("a trainee"),
        "person": _("somebody"),
    }
    return known.get(actor) or actor.partition(":")[2] or actor
