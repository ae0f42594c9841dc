"""Forms for a lab's commands, drawn from the JSON schema that the lab gives of each, and read back to parameters.

So that a command needs no page of its own. Field names carry the command's name, since a page shows many forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import Field
from werkzeug.datastructures import MultiDict

from sandbox.model.base import Model
from sandbox.model.errors import BadInputError
from web.config_form import draw, read
from web.config_form.schema import Json


class CommandInfo(Model):
    """A command that a lab takes, and the JSON schema of its parameters."""

    name: str
    title: str
    help: str
    params_schema: dict[str, Any] = Field(alias="schema")


@dataclass(frozen=True)
class CommandForm:
    """One command as a form: ``id`` for the page, ``fields`` as the configuration's form draws them."""

    name: str
    id: str
    title: str
    help: str
    fields: tuple[draw.Field, ...]


def drawn(commands: Iterable[CommandInfo], given: Mapping[str, Json]) -> tuple[CommandForm, ...]:
    """The forms of ``commands``. What is ``given`` (the node, of a node's page) is not asked for."""
    return tuple(
        CommandForm(info.name, info.name.replace(".", "-"), info.title, info.help, _fields(info, given))
        for info in commands
    )


def params(info: CommandInfo, form: MultiDict[str, str], given: Mapping[str, Json]) -> dict[str, Json]:
    """What was filled in, as parameters of the command; what was left empty is left out."""
    mine = MultiDict(
        (key.removeprefix(f"{info.name}."), value)
        for key, value in form.items(multi=True)
        if key.startswith(f"{info.name}.")
    )
    schema = _schema(info, given)
    found = {key: value for key, value in read.values(schema, mine).items() if value not in ("", None, [], {})}
    for key in _free(info):
        text = mine.get(key, "").strip()
        if key in given or not text:
            found.pop(key, None)
            continue
        found[key] = _pairs(info, text)
    return {**found, **given}


def _fields(info: CommandInfo, given: Mapping[str, Json]) -> tuple[draw.Field, ...]:
    values = {key: part.get("default") for key, part in info.params_schema.get("properties", {}).items()}
    sections = draw.sections(_schema(info, given), draw.Drawing(values=values, running=values))
    needed = info.params_schema.get("required", ())
    return tuple(
        replace(field, name=f"{info.name}.{field.name}", required=field.required and field.name in needed)
        for section in sections
        for field in section.fields
    )


def _schema(info: CommandInfo, given: Mapping[str, Json]) -> dict[str, Json]:
    """The schema without what is given, and with a line of text in the place of a table of free keys."""
    free = _free(info)
    properties = {
        key: {**part, "type": "string", "default": "", "description": f"{part.get('description', '')} {_HOW}".strip()}
        if key in free
        else part
        for key, part in info.params_schema.get("properties", {}).items()
        if key not in given
    }
    return {**info.params_schema, "properties": properties}


_HOW = lazy_gettext("As Keyword=value, several with semicolons between.")


def _free(info: CommandInfo) -> tuple[str, ...]:
    """The parameters that are values by keys which only the user knows."""
    parts = info.params_schema.get("properties", {}).items()
    return tuple(key for key, part in parts if part.get("type") == "object" and "properties" not in part)


def _pairs(info: CommandInfo, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        key, is_pair, value = part.partition("=")
        if not is_pair:
            raise BadInputError(
                _("%(title)s: %(part)s has no equals sign.", title=info.title, part=repr(part)), str(_HOW)
            )
        found[key.strip()] = value.strip()
    return found
