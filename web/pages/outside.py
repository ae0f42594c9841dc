"""Working with one's own tools: dcmtk, Orthanc, dcm4che, Wireshark and others against the published ports of a lab."""

from __future__ import annotations

from flask import Blueprint

from web.pages.common import lab_page

pages = Blueprint("outside", __name__, url_prefix="/labs/<lab_id>/tools")


@pages.get("/")
def outside(lab_id: str) -> str:
    return lab_page(lab_id, "lab/outside.html")
