"""A node's overview, and its starting and stopping."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from web.context import lab_client
from web.pages.common import act, node_page

pages = Blueprint("node", __name__, url_prefix="/labs/<lab_id>/nodes/<node>")


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
