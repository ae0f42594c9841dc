"""A node's configuration: editing, saving and discarding. Saving is not restarting, and the page says so."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError
from sandbox.model.view import ConfigView
from web.config_form import draw, read
from web.context import lab_client
from web.forms import whole
from web.pages.common import act, give, node_page, onward, tell, wants_part

pages = Blueprint("configuration", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/configuration")


@pages.get("/")
def configuration(lab_id: str, node: str) -> str:
    return _form(lab_id, node, lab_client(lab_id).config(node))


@pages.post("/")
def edit(lab_id: str, node: str) -> Response | str | tuple[str, int]:
    """Save, or add or remove a line of a table in the form that is still being filled in."""
    config = lab_client(lab_id).config(node)
    wanted = read.values(config.form_schema, request.form)
    what = request.form.get("act", "save")
    if what != "save":
        changed, focus = _line(config, wanted, what)
        return _form(lab_id, node, config, changed, focus=focus)
    params = read.edit(config.saved, wanted)
    if not params:
        flash(_("Nothing was changed, so nothing was saved."), "quiet")
        return onward(_here(lab_id, node))
    try:
        if field := read.endless(wanted):
            raise BadInputError(_("%(field)s: this is no number that a setting can have.", field=field))
        tell(lab_id, give(lab_id, "node.config.save", node=node, **params.params()))
    except BadInputError as wrong:
        page = _form(lab_id, node, config, wanted, trouble=str(wrong))
        return page, 200 if wants_part() else 400
    return onward(_here(lab_id, node))


@pages.post("/discard")
def discard(lab_id: str, node: str) -> Response:
    return act(lab_id, _here(lab_id, node), "node.config.discard", node=node)


def _line(config: ConfigView, wanted: dict[str, Any], what: str) -> tuple[dict[str, Any], str]:
    try:
        return read.edited(config.form_schema, wanted, what)
    except (KeyError, IndexError, ValueError, TypeError):
        raise BadInputError(
            _("That line is not there any more."), _("Reload the page to see the form as it is.")
        ) from None


def _form(
    lab_id: str,
    node: str,
    config: ConfigView,
    wanted: dict[str, Any] | None = None,
    *,
    focus: str = "",
    trouble: str = "",
) -> str:
    drawing = draw.Drawing(wanted or config.saved, config.running, _place(trouble, wanted), trouble)
    values: dict[str, Any] = {
        "config": config,
        "sections": draw.sections(config.form_schema, drawing),
        "focus": focus,
        "trouble": trouble,
        "is_edited": wanted is not None,
        "node_name": node,
    }
    if wants_part():
        return render_template("parts/config_form.html", lab_id=lab_id, **values)
    return node_page(lab_id, node, "node/configuration.html", tab="configuration", **values)


def _place(trouble: str, wanted: dict[str, Any] | None) -> str:
    """The field that the lab's complaint is about: its path with names of lines turned into the form's positions."""
    found: list[str] = []
    value: Any = wanted or {}
    for step in trouble.partition(":")[0].split("."):
        if isinstance(value, list):
            names = [str(row.get(read.KEY) or row.get("name")) if isinstance(row, dict) else "" for row in value]
            step = str(names.index(step)) if step in names else step
            value = value[whole(step)] if whole(step, len(value)) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        found.append(step)
    return ".".join(found)


def _here(lab_id: str, node: str) -> str:
    return url_for(".configuration", lab_id=lab_id, node=node)
