"""The associations of a lab: who called whom, what was proposed and accepted, what was said down to the byte, and why
not. The page of one is a summary; messages and PDUs come a page at a time, each with an address of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from sandbox.model.inspection import AssociationDetail, PduDetail
from web.context import lab_client
from web.forms import filters, whole
from web.hexdump import hex_lines
from web.pages.common import lab_page, wants_part
from web.words import duration

pages = Blueprint("associations", __name__, url_prefix="/labs/<lab_id>/associations")
FILTERS = ("node", "ae", "outcome", "service", "q")
MOST = 200
STEPS, PDUS = 40, 60
"""How many messages, and how many PDUs, a page shows."""

WINDOW = 1024
"""How many bytes of a PDU are shown at once, as the lab gives them."""


@pages.get("/")
def associations(lab_id: str) -> str:
    client = lab_client(lab_id)
    asked = filters(request.args, FILTERS)
    values: dict[str, Any] = {
        "associations": client.associations(limit=MOST, **asked),
        "connections": client.connections(node=asked["node"]),
        "asked": asked,
        "given": {name: value for name, value in asked.items() if value},
        "is_narrowed": any(asked.values()),
        "most": MOST,
    }
    if wants_part():
        return render_template("parts/associations.html", lab_id=lab_id, **values)
    return lab_page(lab_id, "lab/associations.html", **values)


@pages.get("/<association_id>")
def association(lab_id: str, association_id: str) -> str:
    client = lab_client(lab_id)
    found = client.association(association_id)
    return lab_page(
        lab_id,
        "lab/association.html",
        association=found,
        lasted=_lasted(found),
        steps=client.steps(association_id, limit=STEPS),
        after=0,
        size=STEPS,
        logged=client.logs(association=association_id, limit=60),
    )


@pages.get("/<association_id>/messages")
def messages(lab_id: str, association_id: str) -> str:
    """A page of what was said."""
    after = whole(request.args.get("after", ""))
    client = lab_client(lab_id)
    values: dict[str, Any] = {
        "steps": client.steps(association_id, after=after, limit=STEPS),
        "after": after,
        "size": STEPS,
        "association": client.association(association_id),
    }
    if wants_part():
        return render_template("inspect/steps.html", lab_id=lab_id, **values)
    return lab_page(lab_id, "inspect/messages.html", **values)


@pages.get("/<association_id>/messages/<int:number>")
def message(lab_id: str, association_id: str, number: int) -> str:
    """One message, down to its elements."""
    client = lab_client(lab_id)
    values: dict[str, Any] = {"detail": client.step(association_id, number), "association_id": association_id}
    if wants_part():
        return render_template("inspect/step.html", lab_id=lab_id, **values)
    total = client.steps(association_id, after=number, limit=1).total
    return lab_page(
        lab_id, "inspect/message.html", association=client.association(association_id), total=total, **values
    )


@pages.get("/<association_id>/pdus")
def pdus(lab_id: str, association_id: str) -> str:
    """A page of the PDUs as they went over the wire."""
    after = whole(request.args.get("after", ""))
    client = lab_client(lab_id)
    return lab_page(
        lab_id,
        "inspect/pdus.html",
        association=client.association(association_id),
        pdus=client.pdus(association_id, after=after, limit=PDUS),
        after=after,
        size=PDUS,
    )


@pages.get("/<association_id>/pdus/<int:number>")
def pdu(lab_id: str, association_id: str, number: int) -> str:
    """One PDU in pieces, with its bytes; ``piece`` is the one whose bytes are marked."""
    client = lab_client(lab_id)
    chosen, start = whole(request.args.get("piece", "")), whole(request.args.get("start", ""))
    detail = client.pdu(association_id, number, start=start)
    piece = detail.pieces[chosen - 1] if 0 < chosen <= len(detail.pieces) else None
    if piece is not None and "start" not in request.args and piece.start + min(piece.length, 64) > WINDOW:
        detail = client.pdu(association_id, number, start=piece.start)
    values: dict[str, Any] = {
        "detail": detail,
        "chosen": piece,
        "lines": _lines(detail, chosen),
        "association_id": association_id,
        "window": WINDOW,
    }
    if wants_part():
        return render_template("inspect/pdu_parts.html", lab_id=lab_id, **values)
    total = client.pdus(association_id, limit=1).total
    return lab_page(lab_id, "inspect/pdu.html", association=client.association(association_id), total=total, **values)


@pages.get("/capture.pcap")
def capture(lab_id: str) -> Response:
    """What was captured (all of it, or one association), for Wireshark."""
    wanted = request.args.get("association", "")
    name = f"{lab_id}-{wanted}.pcap" if wanted.isascii() and wanted.replace("-", "").isalnum() else f"{lab_id}.pcap"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lab_client(lab_id).capture(wanted), mimetype="application/vnd.tcpdump.pcap", headers=headers)


def _lasted(one: AssociationDetail) -> str:
    """How long it took, as exactly as makes sense; empty while it lasts."""
    if one.ended_at is None:
        return ""
    seconds = max(0.0, (one.ended_at - one.at).total_seconds())
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _lines(detail: PduDetail, chosen: int) -> Any:
    piece = detail.pieces[chosen - 1] if 0 < chosen <= len(detail.pieces) else None
    marked = range(piece.start, piece.start + piece.length) if piece is not None else range(0)
    return hex_lines(bytes.fromhex(detail.data), detail.start, marked)
