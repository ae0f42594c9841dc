"""From schema and values to what the template draws: groups of fields, tables of lines, each with its path and help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _

from web.config_form.schema import Json, Kind, Schema, document


@dataclass(frozen=True)
class Option:
    value: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class Field:
    """One control. ``name`` is its path in the form (lines by position); ``differs`` tells that another value runs."""

    name: str
    title: str
    help: str
    kind: str
    value: Json
    unit: str = ""
    options: tuple[Option, ...] = ()
    minimum: str = ""
    maximum: str = ""
    step: str = ""
    longest: str = ""
    required: bool = False
    differs: bool = False
    running: Json = None
    trouble: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table. ``key`` is the name it has in the saved configuration, empty while it is new."""

    name: str
    key: str
    title: str
    fields: tuple[Field, ...]
    tables: tuple[Table, ...]
    is_new: bool


@dataclass(frozen=True)
class Table:
    """Lines of one kind. ``is_flat`` lines fit into a table's row; others are drawn as cards."""

    name: str
    title: str
    help: str
    line: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    is_flat: bool


@dataclass
class Section:
    title: str
    fields: list[Field] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class Drawing:
    """The values being drawn, those that run, what the lab complained of, and the names that may be chosen."""

    values: Mapping[str, Json]
    running: Mapping[str, Json]
    trouble_at: str = ""
    trouble: str = ""

    def choices(self, table: str) -> list[str]:
        return [str(row.get("name", "")) for row in self.values.get(table, ()) if isinstance(row, dict)]


LINES = {"remotes": "AE", "rules": "rule", "conditions": "condition"}


def sections(schema: Mapping[str, Json], drawing: Drawing) -> tuple[Section, ...]:
    """The form, in the order and the groups that the configuration class gives."""
    found: dict[str, Section] = {}
    for name, part in document(schema).fields.items():
        title = part.said("title", name) if part.kind is Kind.GROUP else part.said("group", "General")
        section = found.setdefault(title, Section(title))
        value, running = drawing.values.get(name), drawing.running.get(name)
        if part.kind is Kind.TABLE:
            section.tables.append(_table(name, part, value or [], _keyed(running), drawing))
        elif part.kind is Kind.GROUP:
            inner = running if isinstance(running, dict) else {}
            section.fields += [
                _field(f"{name}.{key}", sub, (value or {}).get(key), inner.get(key), drawing)
                for key, sub in part.fields.items()
            ]
        else:
            section.fields.append(_field(name, part, value, running, drawing))
    return tuple(found.values())


def _table(name: str, schema: Schema, rows: Sequence[Json], running: Mapping[str, Json], drawing: Drawing) -> Table:
    parts = schema.items.fields
    simple = {key: part for key, part in parts.items() if part.kind is not Kind.TABLE}
    is_flat = len(simple) == len(parts) and not any(part.kind is Kind.NAMES for part in simple.values())
    drawn = []
    for position, row in enumerate(rows):
        key = str(row.get("__key", row.get("name", "")))
        before = running.get(key)
        prefix = f"{name}.{position}"
        fields = tuple(
            _field(f"{prefix}.{part}", sub, row.get(part), before.get(part) if before else None, drawing, bool(before))
            for part, sub in simple.items()
        )
        tables = tuple(
            _table(f"{prefix}.{part}", sub, row.get(part) or [], _keyed((before or {}).get(part)), drawing)
            for part, sub in parts.items()
            if part not in simple
        )
        title = str(row.get("name") or f"line {position + 1}")
        drawn.append(Row(prefix, key, title, fields, tables, is_new=before is None and "." not in name))
    columns = tuple(part.said("title", key) for key, part in simple.items())
    line = LINES.get(name.rpartition(".")[2], "line")
    return Table(name, schema.said("title", name), schema.said("description"), line, columns, tuple(drawn), is_flat)


def _field(name: str, schema: Schema, value: Json, running: Json, drawing: Drawing, compare: bool = True) -> Field:
    raw = schema.raw
    minimum = raw.get("minimum", raw.get("exclusiveMinimum", ""))
    return Field(
        name=name,
        title=schema.said("title", name.rpartition(".")[2]),
        help=schema.said("description"),
        kind=schema.kind.value,
        value=_written(schema, value),
        unit=schema.said("unit"),
        options=_options(schema, value, drawing),
        minimum=str(minimum),
        maximum=str(raw.get("maximum", "")),
        step="1" if schema.is_whole_number else "any",
        longest=str(raw.get("maxLength", "")),
        required=raw.get("minLength", 0) > 0 or (schema.kind is Kind.NUMBER and not schema.may_be_nothing),
        differs=compare and value != running,
        running=running,
        trouble=drawing.trouble if drawing.trouble_at and drawing.trouble_at == name else "",
    )


def _written(schema: Schema, value: Json) -> Json:
    """``value`` as a person writes it: 15 and not 15.0, names with commas between them."""
    if schema.kind is Kind.NAMES:
        return ", ".join(map(str, value or []))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _options(schema: Schema, value: Json, drawing: Drawing) -> tuple[Option, ...]:
    if "enum" in schema.raw:
        return tuple(Option(str(one), _enum_text(schema, one), one == value) for one in schema.raw["enum"])
    if not schema.raw.get("choices"):
        return ()
    chosen = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value or "")]
    # What is chosen but no longer in the table stays visible: such a line is a fault to be found, not to be hidden.
    names = list(dict.fromkeys([*drawing.choices(schema.said("choices")), *chosen]))
    gone = set(names) - set(drawing.choices(schema.said("choices")))
    # A browser sends the first of a list's options where none is chosen, so "none" has to be one of them.
    none = () if isinstance(value, list | tuple) else (Option("", _("none"), not value),)
    return none + tuple(
        Option(name, f"{name} (not in the table)" if name in gone else name, name in chosen) for name in names if name
    )


def _enum_text(schema: Schema, value: Json) -> str:
    if schema.said("title") == "Priority" and isinstance(value, int):
        return ("STAT", "High", "Normal", "Low")[value] if 0 <= value <= 3 else str(value)
    return str(value).replace("-", " ")


def _keyed(rows: Json) -> dict[str, Json]:
    return {str(row.get("name", position)): row for position, row in enumerate(rows or []) if isinstance(row, dict)}
