"""A node's overview and log, and its starting and stopping."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from web.context import lab_client
from web.pages.common import act, node_page, wants_part

pages = Blueprint("node", __name__, url_prefix="/labs/<lab_id>/nodes/<node>")
LEVELS = ("", "warning", "error")


@pages.get("/")
def overview(lab_id: str, node: str) -> str:
    client = lab_client(lab_id)
    return node_page(
        lab_id,
        node,
        "node/overview.html",
        tab="overview",
        config=client.config(node),
        associations=client.associations(node=node, limit=8),
        queues=client.queues(node),
    )


@pages.get("/log")
def log(lab_id: str, node: str) -> str:
    lines = lab_client(lab_id).log(node, limit=400)
    wanted, words = request.args.get("level", ""), request.args.get("q", "").strip().lower()
    bad = {"warning": ("warning", "error"), "error": ("error",)}.get(wanted)
    kept = [
        line for line in reversed(lines) if (not bad or line.level in bad) and (not words or words in line.text.lower())
    ]
    values: dict[str, Any] = {"lines": kept, "level": wanted, "q": request.args.get("q", ""), "total": len(lines)}
    if wants_part():
        return render_template("parts/log.html", lab_id=lab_id, **values)
    return node_page(lab_id, node, "node/log.html", tab="log", **values)


@pages.post("/restart")
def restart(lab_id: str, node: str) -> Response:
    return act(lab_id, _back(lab_id, node), "node.restart", node=node)


@pages.post("/stop")
def stop(lab_id: str, node: str) -> Response:
    return act(lab_id, _back(lab_id, node), "node.stop", node=node)


@pages.post("/start")
def start(lab_id: str, node: str) -> Response:
    return act(lab_id, _back(lab_id, node), "node.start", node=node)


def _back(lab_id: str, node: str) -> str:
    place = ".overview" if request.form.get("from") != "configuration" else "configuration.configuration"
    return url_for(place, lab_id=lab_id, node=node)
