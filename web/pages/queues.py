"""A node's send queues: what waits for whom, and holding, resuming, retrying, re-driving, sending one
first, setting one aside and discarding."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError
from web.context import lab_client
from web.forms import whole
from web.pages.common import act, node_page, wants_part

pages = Blueprint("queues", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/queue")
ACTS = ("hold", "resume", "retry", "redrive", "discard", "promote", "set_aside")


@pages.get("/")
def queue(lab_id: str, node: str) -> str:
    client = lab_client(lab_id)
    queues = client.queues(node)
    wanted = request.args.get("destination", "")
    entries = client.queue_entries(node, wanted) if wanted in [queue.destination for queue in queues] else ()
    values: dict[str, Any] = {"queues": queues, "chosen": wanted, "entries": entries[:200], "total": len(entries)}
    if wants_part():
        return render_template("parts/queues.html", lab_id=lab_id, node_name=node, **values)
    return node_page(lab_id, node, "node/queue.html", tab="queue", node_name=node, **values)


@pages.post("/")
def handle(lab_id: str, node: str) -> Response:
    """One of ``ACTS`` on a destination, or on one entry of it."""
    wanted, destination = request.form.get("act", ""), request.form.get("destination", "")
    if wanted not in ACTS:
        raise BadInputError(
            _("The console does not know this act."), _("Choose one of %(acts)s.", acts=", ".join(ACTS))
        )
    params: dict[str, object] = {"node": node, "destination": destination}
    if wanted == "discard" and request.form.get("entry", ""):
        # Something that is no number names no entry, and never the whole queue.
        params["entry"] = whole(request.form["entry"])
    if wanted in ("promote", "set_aside"):
        params["study"] = request.form.get("study", "")
    if wanted in ("hold", "discard", "set_aside"):
        params["reason"] = request.form.get("reason", "").strip()[:200]
    onward = url_for(".queue", lab_id=lab_id, node=node, destination=destination)
    return act(lab_id, onward, f"queue.{wanted}", **params)
