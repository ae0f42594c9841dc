"""What every page of a lab shares: its frame, and giving a command and saying what came of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from sandbox.model.errors import NotFoundError, SandboxError
from sandbox.model.view import AttemptView, CommandResult, LabView, NodeView
from web.context import account, console, lab_client


def lab_page(lab_id: str, template: str, lab: LabView | None = None, **values: Any) -> str:
    """A page inside the frame of a lab: its nodes at the side, its title above."""
    lab = lab or lab_client(lab_id).lab()
    attempt = console().labs.attempt(account(), lab_id)
    return render_template(template, lab=lab, lab_id=lab_id, record=attempt, **values)


def node_page(lab_id: str, node: str, template: str, **values: Any) -> str:
    """A tab of a node's page."""
    lab = lab_client(lab_id).lab()
    return lab_page(lab_id, template, lab, node=node_of(lab, node), **values)


def node_of(lab: LabView, name: str) -> NodeView:
    for node in lab.nodes:
        if node.name == name:
            return node
    raise NotFoundError(
        _("There is no node %(name)s here.", name=name),
        _("There are %(nodes)s.", nodes=", ".join(node.name for node in lab.nodes)),
    )


def attempt_of(lab_id: str) -> AttemptView:
    """The drill of a lab as it stands. NotFoundError where nothing was broken."""
    attempt = lab_client(lab_id).attempt()
    if attempt is None:
        raise no_drill()
    return attempt


def no_drill() -> NotFoundError:
    """What is said of a lab without a drill, wherever a page is about one."""
    return NotFoundError(_("There is no drill in this lab."), _("Start one from the start page."))


def give(lab_id: str, command: str, **params: Any) -> CommandResult:
    """Give a command in the name of whoever is at the console."""
    return lab_client(lab_id).command(command, params)


def act(lab_id: str, onward: str, command: str, **params: Any) -> Response:
    """Give a command, say on the next page what came of it, and go there. What cannot be done is said there too."""
    client = lab_client(lab_id)
    try:
        tell(lab_id, client.command(command, params))
    except SandboxError as wrong:
        flash(str(wrong), "bad")
    return redirect(onward)


def tell(lab_id: str, result: CommandResult) -> None:
    words = escape(result.sentence)
    if result.association:
        address = url_for("associations.association", lab_id=lab_id, association_id=result.association)
        words += Markup(' <a href="{}">{}</a>').format(address, _("See the association"))
    flash(words, "good" if result.ok else "bad")


def wants_part() -> bool:
    """Whether htmx asks, for a piece of a page."""
    return request.headers.get("HX-Request-Type") == "partial"


def onward(address: str) -> Response:
    """The way on to a whole page. A part that htmx asked for would follow a plain redirect and put the page into
    itself, so there the browser is told to go."""
    return Response("", headers={"HX-Redirect": address}) if wants_part() else redirect(address)
