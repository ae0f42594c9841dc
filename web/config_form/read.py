"""From what the browser sent back to values, and from two sets of values to one command.

Field names are paths with positions (remotes.0.port); every line of a table carries a hidden ``__key`` with the name it
is saved under, so that a renamed line is a changed line and not another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from werkzeug.datastructures import MultiDict

from web.config_form.schema import Json, Kind, Schema, document
from web.forms import whole

KEY = "__key"


def values(schema: Mapping[str, Json], form: MultiDict[str, str]) -> dict[str, Json]:
    """The values in ``form``, typed by ``schema``. Text where a number belongs stays text: the lab complains."""
    return {name: _value(part, name, form) for name, part in document(schema).fields.items()}


def endless(value: Json, path: str = "") -> str:
    """The field, by its path in the form, of a number without end or of none (inf, nan): neither can be written in
    JSON (RFC 8259, 6). Empty where there is none in ``value``."""
    if isinstance(value, float):
        return "" if isfinite(value) else path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next(filter(None, (endless(part, f"{path}.{name}".lstrip(".")) for name, part in parts)), "")


def edited(schema: Mapping[str, Json], current: dict[str, Json], act: str) -> tuple[dict[str, Json], str]:
    """``current`` after the act "add:TABLE" or "remove:LINE", and the name of the field to go to."""
    what, _, path = act.partition(":")
    parts = path.split(".")
    part: Schema = document(schema)
    holder: Json = current
    if what == "remove":
        *parts, position = parts
    for step in parts:
        part = part.items if step.isdigit() else part.fields[step]
        holder = holder[int(step)] if step.isdigit() else holder[step]
    rows: list[Json] = holder
    if what == "remove":
        del rows[int(position)]
        return current, ""
    rows.append({**part.items.default(), KEY: ""})
    first = next(iter(part.items.fields), "")
    return current, f"{path}.{len(rows) - 1}.{first}"


@dataclass
class Edit:
    """The parameters of node.config.save."""

    set: dict[str, Json] = field(default_factory=dict)
    add: dict[str, list[Json]] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.set or self.add or self.remove)

    def params(self) -> dict[str, Any]:
        parts = {"set": self.set, "add": self.add, "remove": self.remove}
        return {name: part for name, part in parts.items() if part}


def edit(saved: Mapping[str, Json], wanted: Mapping[str, Json]) -> Edit:
    """What has to be said so that ``saved`` becomes ``wanted``: settings by path, lines to add, lines to remove."""
    found = Edit()
    for name, value in wanted.items():
        before = saved.get(name)
        if isinstance(value, list) and any(isinstance(row, dict) for row in [*value, *(before or [])]):
            _rows(found, name, before or [], value)
        elif isinstance(value, dict):
            inner = before if isinstance(before, dict) else {}
            found.set.update({f"{name}.{key}": one for key, one in value.items() if inner.get(key) != one})
        elif value != before:
            found.set[name] = value
    return found


def _rows(found: Edit, table: str, before: list[Json], after: list[Json]) -> None:
    old = {str(row.get("name", position)): row for position, row in enumerate(before)}
    kept = {row.get(KEY, "") for row in after}
    found.remove += [f"{table}.{name}" for name in old if name not in kept]
    for row in after:
        key, clean = row.get(KEY, ""), without_keys(row)
        if key not in old:
            found.add.setdefault(table, []).append(clean)
            continue
        changed = {name: value for name, value in clean.items() if old[key].get(name) != value}
        renamed = changed.pop("name", None)
        found.set.update({f"{table}.{key}.{name}": value for name, value in changed.items()})
        if renamed is not None:  # last, since until then the line goes by its old name
            found.set[f"{table}.{key}.name"] = renamed


def without_keys(value: Json) -> Json:
    """``value`` without the form's own marks."""
    if isinstance(value, dict):
        return {name: without_keys(inner) for name, inner in value.items() if name != KEY}
    return [without_keys(inner) for inner in value] if isinstance(value, list) else value


def _value(schema: Schema, name: str, form: MultiDict[str, str]) -> Json:
    match schema.kind:
        case Kind.SWITCH:
            return name in form
        case Kind.TABLE:
            return [_row(schema.items, f"{name}.{position}", form) for position in _positions(name, form)]
        case Kind.GROUP:
            return {part: _value(sub, f"{name}.{part}", form) for part, sub in schema.fields.items()}
        case Kind.NAMES if schema.raw.get("choices"):
            return form.getlist(name)
        case Kind.NAMES:
            return [part.strip() for part in form.get(name, "").split(",") if part.strip()]
    text = form.get(name, "")
    if schema.may_be_nothing and not text.strip():
        return None
    return _number(schema, text) if schema.kind in (Kind.NUMBER, Kind.CHOICE) else text


def _number(schema: Schema, text: str) -> Json:
    """As a number where the schema wants one. 1.0 and 1 are one value, as in JSON."""
    if schema.kind is Kind.CHOICE and not all(isinstance(one, int) for one in schema.raw.get("enum", [""])):
        return text
    try:
        return int(text) if schema.is_whole_number else float(text)
    except ValueError:
        return text


def _row(schema: Schema, name: str, form: MultiDict[str, str]) -> Json:
    row = {part: _value(sub, f"{name}.{part}", form) for part, sub in schema.fields.items()}
    return {**row, KEY: form.get(f"{name}.{KEY}", "")}


def _positions(name: str, form: MultiDict[str, str]) -> list[int]:
    found = {
        key[len(name) + 1 :].partition(".")[0] for key in form if key.startswith(f"{name}.") and key.endswith(f".{KEY}")
    }
    return sorted({number for position in found if (number := whole(position, -1)) >= 0})
