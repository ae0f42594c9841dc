"""The associations of a lab: who called whom, what was proposed and accepted, what was said, and why not."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from web.context import lab_client
from web.pages.common import lab_page, wants_part

pages = Blueprint("associations", __name__, url_prefix="/labs/<lab_id>/associations")
BAD = ("rejected", "aborted", "failed")


@pages.get("/")
def associations(lab_id: str) -> str:
    node, outcome = request.args.get("node", ""), request.args.get("outcome", "")
    found = lab_client(lab_id).associations(node=node, limit=200)
    shown = [one for one in found if outcome != "bad" or one.outcome in BAD]
    values: dict[str, Any] = {"associations": shown, "chosen": node, "outcome": outcome}
    if wants_part():
        return render_template("parts/associations.html", lab_id=lab_id, **values)
    return lab_page(lab_id, "lab/associations.html", **values)


@pages.get("/<association_id>")
def association(lab_id: str, association_id: str) -> str:
    return lab_page(lab_id, "lab/association.html", association=lab_client(lab_id).association(association_id))


@pages.get("/capture.pcap")
def capture(lab_id: str) -> Response:
    """What was captured (all of it, or one association), for Wireshark."""
    wanted = request.args.get("association", "")
    name = f"{lab_id}-{wanted}.pcap" if wanted.replace("-", "").isalnum() else f"{lab_id}.pcap"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lab_client(lab_id).capture(wanted), mimetype="application/vnd.tcpdump.pcap", headers=headers)
