"""Following a study or a patient: searched for anywhere in the department, then hop by hop, on the map and in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.model.follow_view import FollowedStudy
from sandbox.model.view import LabView
from web import department_map
from web.context import lab_client
from web.pages.common import lab_page

pages = Blueprint("follow", __name__, url_prefix="/labs/<lab_id>/follow")
LONGEST = 200


@pages.get("/")
def search(lab_id: str) -> str | Response:
    words = request.args.get("q", "").strip()[:LONGEST]
    found = lab_client(lab_id).find_studies(words)
    if words and len(found.studies) == 1:
        return redirect(url_for(".study", lab_id=lab_id, study_uid=found.studies[0].study.study_uid))
    patients = {(each.study.patient_id, each.study.patient_name) for each in found.studies}
    return lab_page(
        lab_id, "follow/search.html", found=found, q=words, is_one_patient=bool(words) and len(patients) == 1
    )


@pages.get("/<study_uid>")
def study(lab_id: str, study_uid: str) -> str:
    client = lab_client(lab_id)
    followed, lab = client.followed(study_uid), client.lab()
    return lab_page(lab_id, "follow/study.html", lab, followed=followed, **_on_the_map(lab_id, lab, followed))


@pages.get("/<study_uid>/map")
def live_map(lab_id: str, study_uid: str) -> str:
    """The map with the study on it, drawn again when something changed."""
    client = lab_client(lab_id)
    lab, followed = client.lab(), client.followed(study_uid)
    return render_template("parts/map_live.html", lab=lab, lab_id=lab_id, **_on_the_map(lab_id, lab, followed))


def _on_the_map(lab_id: str, lab: LabView, followed: FollowedStudy) -> dict[str, Any]:
    address = url_for("follow.live_map", lab_id=lab_id, study_uid=followed.study.study_uid)
    shares = {share.node: share for share in followed.shares}
    return {"map": department_map.draw(lab), "shares": shares, "map_address": address}
