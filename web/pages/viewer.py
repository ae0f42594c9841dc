"""The image viewer: the series of a study and of earlier ones, hung by rules, and frames as the lab draws them.

What is shown is decided here; scrolling, windowing and measuring are the browser's (static/js/viewer).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError
from sandbox.model.view import SeriesSummary, StudyDetail, StudySummary
from web.context import lab_client
from web.errors import STATUSES
from web.hanging import RULES, Hung, hang
from web.lab_client import LabClient
from web.pages.common import node_page
from web.pages.headers import matching
from web.words import dicom_date

pages = Blueprint("viewer", __name__, url_prefix="/labs/<lab_id>/nodes/<node>")
PRIORS = 4
"""How many earlier studies of the patient are offered: the latest."""

NO_IMAGES = frozenset({"SR", "KO", "PR"})
"""Modalities of series that are no images (PS3.3 C.7.3.1.1.1): reports, key objects, presentation states."""

Preset = tuple[Any, float, float]
PRESETS: Mapping[str, tuple[Preset, ...]] = {
    "CT": (
        (_("Brain"), 40, 80),
        (_("Subdural"), 75, 215),
        (_("Bone"), 480, 2500),
        (_("Lung"), -600, 1500),
        (_("Soft tissue"), 50, 400),
    ),
    "MR": ((_("Soft"), 600, 1200), (_("Contrasty"), 500, 700)),
    "DX": ((_("Wide"), 2048, 4096), (_("Bright"), 1500, 2600), (_("Dense"), 2800, 2200)),
}
"""Names, centers and widths as workstations offer them, in HU for CT. Other modalities are windowed by hand."""

BEGIN: Mapping[str, tuple[float, float]] = {"CT": (40, 400), "MR": (500, 1000), "DX": (2048, 4096)}
"""Where windowing by hand begins when the header has no window."""


@pages.get("/studies/<study_uid>/view")
def view(lab_id: str, node: str, study_uid: str) -> str:
    client = lab_client(lab_id)
    detail = client.study(node, study_uid)
    if not detail.series:
        raise NotFoundError(
            gettext("There are no images of this study here."), gettext("Look at another node, or retrieve the study.")
        )
    priors = _priors(client, node, detail.study)
    shown = [_series(lab_id, node, detail.study, each, False) for each in detail.series]
    shown += [_series(lab_id, node, prior.study, each, True) for prior in priors for each in prior.series]
    hanging = hang([_hung(each) for each in shown])
    wanted = request.args.get("series", "")
    chosen = next((place for place, each in enumerate(shown) if each["uid"] == wanted), None)
    return node_page(
        lab_id,
        node,
        "node/viewer.html",
        tab="studies",
        detail=detail,
        series=shown,
        hanging=hanging,
        rules=RULES,
        layout="1x1" if chosen is not None else hanging.layout,
        places=[chosen] if chosen is not None else list(hanging.places),
        presets={kind: [[str(name), center, width] for name, center, width in each] for kind, each in PRESETS.items()},
        begin=BEGIN,
    )


@pages.get("/instances/<sop_instance>/frames/<int:frame>.png")
def frame(lab_id: str, node: str, sop_instance: str, frame: int) -> Response:
    """One frame as PNG. An instance never changes, so a browser may keep it while the page is open. The viewer is told
    in JSON why there is none."""
    try:
        png = lab_client(lab_id).frame(node, sop_instance, frame, _window())
    except SandboxError as wrong:
        if "application/json" not in request.headers.get("Accept", ""):
            raise
        return _why_not(wrong)
    return Response(png, mimetype="image/png", headers={"Cache-Control": "private, max-age=600"})


@pages.get("/instances/<sop_instance>/facts.json")
def facts(lab_id: str, node: str, sop_instance: str) -> Response:
    """What the viewer writes into the corners and measures by."""
    try:
        found = lab_client(lab_id).image_facts(node, sop_instance)
    except SandboxError as wrong:
        return _why_not(wrong)
    answer = jsonify(found.model_dump(mode="json"))
    answer.headers["Cache-Control"] = "private, max-age=600"
    return answer


@pages.get("/instances/<sop_instance>/tags")
def tags(lab_id: str, node: str, sop_instance: str) -> str:
    """The header beside the image."""
    words = request.args.get("q", "").strip()[:64]
    header = lab_client(lab_id).header(node, sop_instance)
    lines = [line for line in matching(header.lines, words) if not line.is_item]
    return render_template(
        "node/viewer_tags.html", lab_id=lab_id, node=node, sop_instance=sop_instance, lines=lines, q=words
    )


def _priors(client: LabClient, node: str, study: StudySummary) -> list[StudyDetail]:
    """The patient's other studies at this node, the latest first."""
    if not study.patient_id:
        return []
    others = [
        each
        for each in client.studies(node, study.patient_id)
        if each.patient_id == study.patient_id and each.study_uid != study.study_uid
    ]
    others.sort(key=lambda each: (each.study_date, each.study_time), reverse=True)
    found = []
    for each in others[:PRIORS]:
        try:
            found.append(client.study(node, each.study_uid))
        except (NotFoundError, ConflictError):  # gone since the list was made
            continue
    return found


def _series(lab_id: str, node: str, study: StudySummary, series: SeriesSummary, prior: bool) -> dict[str, Any]:
    """A series as the browser is told of it: ``images`` are SOP Instance UIDs with their frames."""
    has_images = series.modality not in NO_IMAGES
    middle = series.instances[len(series.instances) // 2].sop_instance if series.instances and has_images else ""
    return {
        "uid": series.series_uid,
        "study": study.study_uid,
        "study_text": study.description,
        "date": dicom_date(study.study_date),
        "modality": series.modality,
        "number": series.number,
        "text": series.description,
        "prior": prior,
        "images": [[each.sop_instance, each.frames] for each in series.instances] if has_images else [],
        "thumbnail": url_for(".frame", lab_id=lab_id, node=node, sop_instance=middle, frame=1) if middle else "",
        "count": len(series.instances),
    }


def _hung(series: Mapping[str, Any]) -> Hung:
    return Hung(series["modality"], series["study_text"], series["text"], series["prior"], bool(series["images"]))


def _why_not(wrong: SandboxError) -> Response:
    answer = jsonify(sentence=wrong.sentence, mend=wrong.mend)
    answer.status_code = STATUSES.get(type(wrong), 500)
    return answer


def _window() -> dict[str, float]:
    try:
        found = {key: float(request.args[key]) for key in ("center", "width") if request.args.get(key)}
    except ValueError:
        raise BadInputError(gettext("Window center and width are numbers."), gettext("Reset the window.")) from None
    return found if len(found) == 2 else {}
