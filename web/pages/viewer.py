"""A simple image viewer: frames drawn by the lab, scrolled and windowed in the browser, by mouse or keyboard."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.view import SeriesSummary
from web.context import lab_client
from web.pages.common import node_page

pages = Blueprint("viewer", __name__, url_prefix="/labs/<lab_id>/nodes/<node>")
# Names, centers and widths in HU as CT workstations offer them; other modalities are windowed by hand.
PRESETS = {
    "CT": (
        ("Brain", 40, 80),
        ("Subdural", 75, 215),
        ("Bone", 480, 2500),
        ("Lung", -600, 1500),
        ("Soft tissue", 50, 400),
    )
}
# Where windowing by hand begins, while the image is still shown as it was stored.
BEGIN = {"CT": (40, 400), "MR": (500, 1000), "DX": (2048, 4096)}


@pages.get("/studies/<study_uid>/view")
def view(lab_id: str, node: str, study_uid: str) -> str:
    detail = lab_client(lab_id).study(node, study_uid)
    if not detail.series:
        raise NotFoundError("There are no images of this study here.", "Look at another node, or retrieve the study.")
    wanted = request.args.get("series", "")
    largest = max(detail.series, key=lambda one: len(one.instances))
    series = next((one for one in detail.series if one.series_uid == wanted), largest)
    return node_page(
        lab_id,
        node,
        "node/viewer.html",
        tab="studies",
        detail=detail,
        series=series,
        frames=frames(lab_id, node, series),
        presets=PRESETS.get(series.modality, ()),
        begin=BEGIN.get(series.modality, (128, 256)),
    )


@pages.get("/instances/<sop_instance>/frames/<int:frame>.png")
def frame(lab_id: str, node: str, sop_instance: str, frame: int) -> Response:
    """One frame as PNG. An instance never changes, so a browser may keep it while the page is open."""
    png = lab_client(lab_id).frame(node, sop_instance, frame, _window())
    return Response(png, mimetype="image/png", headers={"Cache-Control": "private, max-age=600"})


def frames(lab_id: str, node: str, series: SeriesSummary) -> list[str]:
    """The addresses of the series' frames, in order."""
    return [
        url_for(".frame", lab_id=lab_id, node=node, sop_instance=instance.sop_instance, frame=number)
        for instance in series.instances
        for number in range(1, instance.frames + 1)
    ]


def _window() -> dict[str, float]:
    try:
        found = {key: float(request.args[key]) for key in ("center", "width") if request.args.get(key)}
    except ValueError:
        raise BadInputError("Window center and width are numbers.", "Reset the window.") from None
    return found if len(found) == 2 else {}
