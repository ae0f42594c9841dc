"""Trying things from a node, with that node's identity: network tests, DICOM echo, query, retrieve, and a test exam."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from sandbox.model.errors import BadInputError, SandboxError
from sandbox.model.view import CommandResult
from web.context import lab_client
from web.pages.common import give, node_page, wants_part

pages = Blueprint("tools", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/tools")

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
KEYS: Mapping[str, str] = {
    "PatientName": "Patient's name",
    "PatientID": "Patient ID",
    "AccessionNumber": "Accession number",
    "StudyDate": "Study date",
    "ModalitiesInStudy": "Modality",
    "StudyInstanceUID": "Study Instance UID",
    "SeriesInstanceUID": "Series Instance UID",
}
Form = MultiDict[str, str]


@pages.get("/")
def tools(lab_id: str, node: str) -> str:
    return _page(lab_id, node, None, "")


@pages.post("/")
def run(lab_id: str, node: str) -> str:
    tool = request.form.get("tool", "")
    if tool not in TOOLS:
        raise BadInputError("There is no such tool.", f"Choose one of {', '.join(TOOLS)}.")
    command, params = TOOLS[tool]
    try:
        result = give(lab_id, command, node=node, **params(request.form))
    except SandboxError as wrong:
        result = CommandResult(ok=False, sentence=wrong.sentence, facts=(wrong.mend,) if wrong.mend else ())
    if wants_part():
        return render_template(
            "parts/result.html", lab_id=lab_id, result=result, node_name=node, uids=_uids(lab_id, node, result)
        )
    return _page(lab_id, node, result, tool)


def _page(lab_id: str, node: str, result: CommandResult | None, tool: str) -> str:
    client = lab_client(lab_id)
    config = client.config(node)
    return node_page(
        lab_id,
        node,
        "node/tools.html",
        tab="tools",
        config=config,
        remotes=config.running.get("remotes", []),
        procedures=client.procedures(str(config.running.get("modality", ""))) if config.role == "modality" else (),
        levels=LEVELS,
        keys=KEYS,
        result=result,
        tool=tool,
        form=request.form,
        node_name=node,
        uids=_uids(lab_id, node, result) if result else {},
    )


def _uids(lab_id: str, node: str, result: CommandResult) -> dict[int, str]:
    """The study behind each row of an answer, by position, where this node can retrieve it by itself."""
    if "StudyInstanceUID" not in result.columns or "retrieve" not in lab_client(lab_id).node(node).abilities:
        return {}
    place = result.columns.index("StudyInstanceUID")
    return {position: row[place] for position, row in enumerate(result.rows) if row[place]}


def _target(form: Form) -> dict[str, Any]:
    """A line of the AE table, or an AE entered by hand."""
    if form.get("remote"):
        return {"remote": form["remote"]}
    return {"ae_title": form.get("ae_title", ""), "host": form.get("host", ""), "port": _port(form)}


def _port(form: Form) -> int:
    text = form.get("port", "").strip()
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadInputError("The port is not a number from 1 to 65535.", "DICOM's own are 104 and 11112.")
    return int(text)


def _query(form: Form) -> dict[str, Any]:
    keys = {key: form.get(f"key.{key}", "").strip() for key in KEYS}
    return {
        **_target(form),
        "level": form.get("level", "STUDY"),
        "keys": {key: value for key, value in keys.items() if value},
    }


def _exam(form: Form) -> dict[str, Any]:
    params: dict[str, Any] = {"procedure": form["procedure"]} if form.get("procedure") else {}
    if form.get("images", "").isdigit():
        params["images"] = int(form["images"])
    return {**params, "stat": True} if "stat" in form else params


def _echo(form: Form) -> dict[str, Any]:
    calling = form.get("calling_ae", "").strip()
    return {**_target(form), **({"calling_ae": calling} if calling else {})}


TOOLS: Mapping[str, tuple[str, Callable[[Form], dict[str, Any]]]] = {
    "ping": ("tool.ping", lambda form: {"host": form.get("host", "").strip()}),
    "port": ("tool.port", lambda form: {"host": form.get("host", "").strip(), "port": _port(form)}),
    "lookup": ("tool.lookup", lambda form: {"host": form.get("host", "").strip()}),
    "echo": ("tool.echo", _echo),
    "find": ("tool.find", _query),
    "move": ("tool.move", lambda form: {**_query(form), "destination": form.get("destination", "").strip()}),
    "exam": ("exam.acquire", _exam),
}
