"""Working with one's own tools: dcmtk, Orthanc, dcm4che, Wireshark and others against the published ports of a lab.

Lines are made in web.own_tools for one node at a time, with its real host, port and AE titles. Being called back needs
a line in that node's AE table, which can be entered here.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as Redirect

from sandbox.model.errors import SandboxError
from sandbox.model.view import LabView, NodeView
from web import own_tools
from web.context import lab_client
from web.forms import port as port_of
from web.lab_client import LabClient
from web.own_tools import OWN_PORT, OWN_TITLE, Reach
from web.pages.common import give, lab_page, node_of, tell

pages = Blueprint("outside", __name__, url_prefix="/labs/<lab_id>/tools")

TOOLS = {
    "dcmtk": "dcmtk",
    "orthanc": "Orthanc",
    "dcm4che": "dcm4che",
    "wireshark": "Wireshark",
    "python": lazy_gettext("pynetdicom, 3D Slicer"),
    "dicomweb": "DICOMweb",
    "back": lazy_gettext("Being called back"),
}


@pages.get("/", strict_slashes=False)
def outside(lab_id: str) -> str:
    client = lab_client(lab_id)
    lab = client.lab()
    tool = request.args.get("tool", "dcmtk")
    chosen = _node(lab, request.args.get("node", ""))
    at = _reach(client, lab, chosen)
    own, port = _own(at)
    return lab_page(
        lab_id,
        "lab/outside.html",
        lab,
        at=chosen,
        reach=at,
        tools=TOOLS,
        tool=tool if tool in TOOLS else "dcmtk",
        own=own,
        own_port=port,
        lines=own_tools,
    )


@pages.get("/orthanc.json")
def orthanc(lab_id: str) -> Response:
    """A configuration for Orthanc with every node of this lab in it."""
    lab = lab_client(lab_id).lab()
    own = own_tools.safe_title(request.args.get("ae", "")) or "ORTHANC"
    reached = [at for at in (own_tools.reach_of(node, ()) for node in lab.nodes) if at is not None]
    text = own_tools.orthanc(reached, own, port_of(request.args.get("port", "")) or 4242)
    headers = {"Content-Disposition": 'attachment; filename="orthanc.json"'}
    return Response(text, mimetype="application/json", headers=headers)


@pages.post("/register")
def register(lab_id: str) -> Redirect:
    """Enter one's own AE in the AE table of a node: saved, and in force after a restart."""
    node, own = request.form.get("node", ""), own_tools.safe_title(request.form.get("ae", ""))
    port = port_of(request.form.get("port", ""))
    onward = url_for(".outside", lab_id=lab_id, node=node, tool="back", ae=own, port=port or OWN_PORT)
    if not own or not port:
        flash(_("An AE title of up to 16 letters and digits and a port from 1 to 65535 are needed."), "bad")
        return redirect(onward)
    row = {"name": own.replace(" ", "_"), "ae_title": own, "host": "127.0.0.1", "port": port}
    try:
        tell(lab_id, give(lab_id, "node.config.save", node=node, add={"remotes": [row]}))
    except SandboxError as wrong:
        flash(str(wrong), "bad")
    return redirect(onward)


def _node(lab: LabView, wanted: str) -> NodeView:
    """The node that was chosen; else the archive, as most come for that."""
    if wanted:
        return node_of(lab, wanted)
    return next((node for node in lab.nodes if node.role == "archive"), lab.nodes[0])


def _reach(client: LabClient, lab: LabView, node: NodeView) -> Reach | None:
    table = client.ae_table(node.name)
    titles = tuple(remote.ae_title for remote in table.remotes)
    screens = [one.ae_title for one in lab.nodes if one.role == "workstation" and one.ae_title in titles]
    return own_tools.reach_of(node, titles, next(iter(screens), ""), table.newest_study)


def _own(at: Reach | None) -> tuple[str, int]:
    """The AE title to call as: the one asked for, else one that the node lets in."""
    known = at.friends if at is not None else ()
    own = own_tools.safe_title(request.args.get("ae", ""))
    return own or next(iter(known), OWN_TITLE), port_of(request.args.get("port", "")) or OWN_PORT
