"""What a node holds: studies, their series and images; sending or retrieving one."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from web.context import lab_client
from web.pages.common import act, node_page, wants_part

pages = Blueprint("studies", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/studies")
MOST = 200


@pages.get("/")
def studies(lab_id: str, node: str) -> str:
    words = request.args.get("q", "").strip()[:64]
    found = lab_client(lab_id).studies(node, words, MOST)
    if wants_part():
        return render_template("parts/studies.html", lab_id=lab_id, node_name=node, studies=found, q=words, most=MOST)
    return node_page(
        lab_id, node, "node/studies.html", tab="studies", node_name=node, studies=found, q=words, most=MOST
    )


@pages.get("/<study_uid>")
def study(lab_id: str, node: str, study_uid: str) -> str:
    client = lab_client(lab_id)
    return node_page(
        lab_id,
        node,
        "node/study.html",
        tab="studies",
        detail=client.study(node, study_uid),
        remotes=client.ae_table(node).remotes,
    )


@pages.post("/<study_uid>/send")
def send(lab_id: str, node: str, study_uid: str) -> Response:
    onward = url_for(".study", lab_id=lab_id, node=node, study_uid=study_uid)
    return act(lab_id, onward, "exam.send", node=node, study=study_uid, to=request.form.get("to", ""))


@pages.post("/<study_uid>/retrieve")
def retrieve(lab_id: str, node: str, study_uid: str) -> Response:
    onward = url_for(".studies", lab_id=lab_id, node=node)
    return act(lab_id, onward, "study.retrieve", node=node, study=study_uid)
