"""What can be done to a node or to the network besides its settings: forms made from the commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from sandbox.model.errors import BadInputError, SandboxError
from sandbox.model.view import CommandResult
from web.command_forms import CommandInfo, drawn, params
from web.context import lab_client
from web.lab_client import LabClient
from web.pages.common import give, lab_page, node_page, wants_part

pages = Blueprint("service", __name__, url_prefix="/labs/<lab_id>")

ELSEWHERE = ("queue.", "node.config.", "tool.", "terminal.", "attempt.", "twin.")
"""Commands of a node that have a place of their own on its other pages."""
ALSO_ELSEWHERE = frozenset(
    {
        "node.restart",
        "node.start",
        "node.stop",
        "exam.acquire",
        "exam.send",
        "study.retrieve",
    }
)
ONLY_OF: Mapping[str, str] = {"exam.correct": "modality", "study.remove": "workstation"}
"""Commands that make sense on nodes of one role."""
OF_THE_NETWORK = "network."
OF_AN_ARCHIVE = "archive."


@pages.get("/nodes/<node>/service")
def service(lab_id: str, node: str) -> str:
    return _service(lab_id, node, None, "")


@pages.post("/nodes/<node>/service")
def do(lab_id: str, node: str) -> str:
    """Give the command of the form that was sent."""
    found = _of_node(lab_client(lab_id), node)
    name, result = _given(lab_id, found, {"node": node})
    return _part(lab_id, result) if wants_part() else _service(lab_id, node, result, name)


@pages.get("/network")
def network(lab_id: str) -> str:
    return _network(lab_id, None, "")


@pages.post("/network")
def change(lab_id: str) -> str:
    """Give the command of the form that was sent, and show the network as it is then."""
    name, result = _given(lab_id, _of_network(lab_client(lab_id)), {})
    return _network(lab_id, result, name)


def _service(lab_id: str, node: str, result: CommandResult | None, given: str) -> str:
    forms = drawn(_of_node(lab_client(lab_id), node), {"node": node})
    return node_page(lab_id, node, "node/service.html", tab="service", forms=forms, result=result, given=given)


def _network(lab_id: str, result: CommandResult | None, given: str) -> str:
    client = lab_client(lab_id)
    forms = drawn(_of_network(client), {})
    return lab_page(lab_id, "lab/network.html", network=client.network(), forms=forms, result=result, given=given)


def _part(lab_id: str, result: CommandResult) -> str:
    return render_template("parts/result.html", lab_id=lab_id, result=result, node_name="", uids={})


def _of_node(client: LabClient, node: str) -> tuple[CommandInfo, ...]:
    """Those that are done on a node and on no other page of it, the archive's own only for an archive."""
    role = client.node(node).role
    return tuple(
        info
        for info in client.commands()
        if "node" in info.params_schema.get("properties", {})
        and not info.name.startswith(ELSEWHERE)
        and info.name not in ALSO_ELSEWHERE
        and (role == "archive" or not info.name.startswith(OF_AN_ARCHIVE))
        and ONLY_OF.get(info.name, role) == role
    )


def _of_network(client: LabClient) -> tuple[CommandInfo, ...]:
    return tuple(info for info in client.commands() if info.name.startswith(OF_THE_NETWORK))


def _given(lab_id: str, known: tuple[CommandInfo, ...], given: Mapping[str, Any]) -> tuple[str, CommandResult]:
    """Give the command that the form names; what cannot be done is a result, too."""
    name = request.form.get("command", "")
    info = next((info for info in known if info.name == name), None)
    if info is None:
        raise BadInputError(_("There is no such command here."), _("Reload the page and choose again."))
    try:
        return name, give(lab_id, name, **params(info, request.form, given))
    except SandboxError as wrong:
        return name, CommandResult(ok=False, sentence=wrong.sentence, facts=(wrong.mend,) if wrong.mend else ())
