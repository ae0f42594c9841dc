"""Trying things from a node, with that node's identity: one tool at a time, its form, and what came of it.

A tool is a line of ``TOOLS``: a command of the lab and how its form is read. What was typed stays in the form, and the
last results stay beside it. Rule: nothing is tried by opening a page, whatever its address says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError, SandboxError
from sandbox.model.view import CommandResult
from sandbox.nodes.damage import DAMAGES
from web.context import account, lab_client
from web.forms import port as port_of
from web.forms import whole
from web.pages.common import give, node_page, wants_part
from web.recent_results import RecentResults, Tried

pages = Blueprint("tools", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/tools")

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
ROOTS = ("STUDY", "PATIENT")
KEYWORDS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "ModalitiesInStudy",
    "ReferringPhysicianName",
    "StudyInstanceUID",
    "NumberOfStudyRelatedInstances",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "BodyPartExamined",
    "SeriesInstanceUID",
    "InstanceNumber",
    "SOPClassUID",
    "SOPInstanceUID",
)
"""Keys that are offered; any other keyword of the standard can be typed."""
FIRST_KEYS = ("PatientName", "PatientID", "AccessionNumber", "StudyDate")
MOST_KEYS = 30
Form = MultiDict[str, str]


@dataclass(frozen=True)
class Tool:
    """A tool of the page: under which ``group`` it stands, its command, and how its form becomes parameters.

    ``needs`` is the ability of a node that it is for, empty for all; "store" is having images.
    """

    key: str
    group: str
    title: LazyString
    about: LazyString
    button: LazyString
    icon: str
    command: str
    params: Callable[[Form], dict[str, Any]]
    needs: str = ""


@pages.record_once
def _remember(state: BlueprintSetupState) -> None:
    state.app.extensions["recent-results"] = RecentResults()


def recent() -> RecentResults:
    return cast(RecentResults, current_app.extensions["recent-results"])


@pages.get("/")
def tools(lab_id: str, node: str) -> str:
    return _page(lab_id, node, request.args, _chosen(request.args))


@pages.post("/")
def run(lab_id: str, node: str) -> str | Response:
    """Try the tool; or, without trying anything, another row in its form, one row less, or no results any more."""
    form, tool = request.form, _chosen(request.form)
    if form.get("act") == "forget":
        recent().clear(account().actor, lab_id, node)
        return redirect(url_for(".tools", lab_id=lab_id, node=node, tool=tool.key))
    if form.get("act") in ("add-key", "remove-key"):
        return _page(lab_id, node, _with_keys(form), tool)
    try:
        result = give(lab_id, tool.command, node=node, **tool.params(form))
    except SandboxError as wrong:
        result = CommandResult(ok=False, sentence=wrong.sentence, facts=(wrong.mend,) if wrong.mend else ())
    again = tuple((key, value) for key, value in form.items(multi=True) if key not in ("csrf_token", "act"))[:80]
    recent().add(account().actor, lab_id, node, Tried(tool.key, _in_short(tool, form), result, again))
    if wants_part():
        return render_template("parts/tool_results.html", lab_id=lab_id, node_name=node, **_results(lab_id, node))
    return _page(lab_id, node, form, tool)


def _page(lab_id: str, node: str, form: Form, tool: Tool) -> str:
    client = lab_client(lab_id)
    table = client.ae_table(node)
    seen = client.node(node)
    abilities = {*seen.abilities, *(("store",) if seen.role != "router" else ())}
    offered = [one for one in TOOLS.values() if not one.needs or one.needs in abilities]
    tool = tool if tool in offered else TOOLS["echo"]
    return node_page(
        lab_id,
        node,
        "node/tools.html",
        tab="tools",
        tools=offered,
        tool=tool,
        groups={"network": _("Network"), "dicom": _("DICOM"), "node": _("This node")},
        remotes=table.remotes,
        procedures=client.procedures(table.modality) if tool.key == "exam" else (),
        studies=client.studies(node, limit=40) if tool.key == "store" else (),
        levels=LEVELS,
        roots=ROOTS,
        keywords=KEYWORDS,
        keys=_keys(form),
        damages=DAMAGES,
        form=form,
        node_name=node,
        **_results(lab_id, node),
    )


def _results(lab_id: str, node: str) -> dict[str, Any]:
    """The results of this node's tools, and the studies that it could retrieve by itself, by row of the newest."""
    tried = recent().of(account().actor, lab_id, node)
    return {"tried": tried, "tools_by_key": TOOLS, "uids": _uids(lab_id, node, tried[0].result) if tried else {}}


def _uids(lab_id: str, node: str, result: CommandResult) -> dict[int, str]:
    """The study behind each row of an answer, by position, where this node can retrieve it by itself."""
    if "StudyInstanceUID" not in result.columns or "retrieve" not in lab_client(lab_id).node(node).abilities:
        return {}
    place = result.columns.index("StudyInstanceUID")
    return {position: row[place] for position, row in enumerate(result.rows) if row[place]}


def _chosen(form: Form) -> Tool:
    key = form.get("tool", "") or "echo"
    if key not in TOOLS:
        raise BadInputError(_("There is no such tool."), _("Choose one of %(tools)s.", tools=", ".join(TOOLS)))
    return TOOLS[key]


# --- forms to parameters ----------------------------------------------------------------------------------------------


def _target(form: Form) -> dict[str, Any]:
    """A line of the AE table, or an AE entered by hand."""
    if form.get("remote"):
        return {"remote": form["remote"]}
    return {"ae_title": form.get("ae_title", ""), "host": form.get("host", "").strip(), "port": _port(form)}


def _port(form: Form) -> int:
    port = port_of(form.get("port", ""))
    if not port:
        raise BadInputError(_("The port is not a number from 1 to 65535."), _("DICOM's own are 104 and 11112."))
    return port


def _host(form: Form) -> dict[str, Any]:
    return {"host": form.get("host", "").strip()}


def _keys(form: Form) -> list[tuple[str, str]]:
    """The rows of the query as they stand in the form: keyword and value. A new form has a few to fill in."""
    names, values = form.getlist("key"), form.getlist("value")
    if not names:
        return [(key, form.get(key, "")) for key in FIRST_KEYS]
    return [(name, value) for name, value in zip(names, values + [""] * len(names), strict=False)][:MOST_KEYS]


def _with_keys(form: Form) -> Form:
    """The form with a row more, or without the one whose number was sent."""
    rows = _keys(form)
    if form.get("act") == "add-key":
        rows.append(("", ""))
    changed = MultiDict((key, value) for key, value in form.items(multi=True) if key not in ("key", "value"))
    changed.setlist("key", [name for name, _value in rows])
    changed.setlist("value", [value for _name, value in rows])
    return changed


def _query(form: Form) -> dict[str, Any]:
    rows = [(name.strip(), value.strip()) for name, value in _keys(form)]
    query: dict[str, Any] = {
        **_target(form),
        "level": form.get("level", "STUDY"),
        "keys": {name: value for name, value in rows if name},
    }
    return query | ({"root": form["root"]} if form.get("root") in ROOTS else {})


def _wanted(form: Form) -> dict[str, Any]:
    """A query of which only what has a value counts: a retrieve asks for nothing back."""
    query = _query(form)
    return {**query, "keys": {name: value for name, value in query["keys"].items() if value}}


def _find(form: Form) -> dict[str, Any]:
    return {**_query(form), "drop_each": True} if form.get("act") == "drop" else _query(form)


def _exam(form: Form) -> dict[str, Any]:
    params: dict[str, Any] = {"procedure": form["procedure"]} if form.get("procedure") else {}
    if images := whole(form.get("images", "")):
        params["images"] = images
    return {**params, "stat": True} if "stat" in form else params


def _echo(form: Form) -> dict[str, Any]:
    calling = form.get("calling_ae", "").strip()
    return {**_target(form), **({"calling_ae": calling} if calling else {})}


def _tls(form: Form) -> dict[str, Any]:
    wanted = form.get("wanted", "").strip()
    return {**_host(form), "port": _port(form), **({"wanted": wanted} if wanted else {})}


def _store(form: Form) -> dict[str, Any]:
    study, damage = form.get("study", "").strip(), form.get("damage", "none")
    return {**_target(form), "damage": damage, **({"study": study} if study else {})}


def _in_short(tool: Tool, form: Form) -> str:
    """What was tried, for the list of results: names and values only, so that it reads alike in every language."""
    whom = form.get("remote") or form.get("ae_title") or form.get("host", "")
    port = f":{form['port']}" if tool.key in ("port", "tls") and form.get("port") else ""
    parts = [f"{whom}{port}"]
    if tool.key in ("find", "move", "get"):
        parts += [form.get("level", "STUDY"), *(f"{name}={value}" for name, value in _keys(form) if name and value)]
    if tool.key == "store" and form.get("damage", "none") != "none":
        parts.append(form["damage"])
    if tool.key == "echo" and form.get("calling_ae"):
        parts.append(f"({form['calling_ae'].strip()})")
    return " ".join(part for part in parts if part)[:200]


TOOLS: Mapping[str, Tool] = {
    tool.key: tool
    for tool in (
        Tool(
            "ping",
            "network",
            lazy_gettext("Ping"),
            lazy_gettext("Whether a host answers at all. It says nothing of its DICOM service."),
            lazy_gettext("Ping"),
            "activity",
            "tool.ping",
            _host,
        ),
        Tool(
            "port",
            "network",
            lazy_gettext("Port test"),
            lazy_gettext("Whether something listens: open, refused at once, or no answer. No DICOM is spoken."),
            lazy_gettext("Test the port"),
            "door-exit",
            "tool.port",
            lambda form: {**_host(form), "port": _port(form)},
        ),
        Tool(
            "lookup",
            "network",
            lazy_gettext("Name lookup"),
            lazy_gettext("What address a name stands for: this node's own hosts table, and what the DNS server says."),
            lazy_gettext("Look up"),
            "world-search",
            "tool.lookup",
            _host,
        ),
        Tool(
            "tls",
            "network",
            lazy_gettext("TLS handshake"),
            lazy_gettext("Whether a port speaks TLS as this node wants it: protocol, certificate, dates and names."),
            lazy_gettext("Shake hands"),
            "lock",
            "tool.tls",
            _tls,
        ),
        Tool(
            "echo",
            "dicom",
            lazy_gettext("C-ECHO"),
            lazy_gettext("Opens an association and asks whether anybody is there. It proves only that C-ECHO works."),
            lazy_gettext("Send C-ECHO"),
            "plug-connected",
            "tool.echo",
            _echo,
        ),
        Tool(
            "find",
            "dicom",
            lazy_gettext("C-FIND"),
            lazy_gettext("Asks an archive what it has. In a value, * stands for any letters and a hyphen spans dates."),
            lazy_gettext("Query"),
            "database-search",
            "tool.find",
            _find,
        ),
        Tool(
            "move",
            "dicom",
            lazy_gettext("C-MOVE"),
            lazy_gettext("Asks an archive to send to an AE title, which the archive looks up in its own AE table."),
            lazy_gettext("Retrieve"),
            "download",
            "tool.move",
            lambda form: {**_wanted(form), "destination": form.get("destination", "").strip()},
        ),
        Tool(
            "get",
            "dicom",
            lazy_gettext("C-GET"),
            lazy_gettext("Fetches images over the same association, so that no one has to know this node's address."),
            lazy_gettext("Fetch"),
            "arrow-back-up",
            "tool.get",
            _wanted,
            "store",
        ),
        Tool(
            "store",
            "dicom",
            lazy_gettext("C-STORE"),
            lazy_gettext("Sends one image of this node's disk past its queue: as it is, or damaged on purpose."),
            lazy_gettext("Send"),
            "send",
            "tool.store",
            _store,
            "store",
        ),
        Tool(
            "exam",
            "node",
            lazy_gettext("Test exam"),
            lazy_gettext("Acquires an exam of a test patient and sends it where this modality sends."),
            lazy_gettext("Acquire and send"),
            "scan",
            "exam.acquire",
            _exam,
            "acquire",
        ),
        Tool(
            "clock",
            "node",
            lazy_gettext("Clock"),
            lazy_gettext("What time this node believes it is, beside the department's time server."),
            lazy_gettext("Read the clock"),
            "clock",
            "tool.clock",
            lambda form: {},
        ),
    )
}
