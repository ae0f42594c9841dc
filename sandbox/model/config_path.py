"""Paths into a configuration, so that a form field, a fault, a solution and a history line name one setting alike.

``remotes.ROUTER.ae_title`` is the AE title in the AE-table line named ROUTER; a table's line is named by its ``name``
or, where it has none, by its position. Values come as JSON and are validated by the config class.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from sandbox.model.base import Model, explain_validation
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError

ConfigT = TypeVar("ConfigT", bound=NodeConfig)
Json = Any


class Change(Model):
    """One setting before and after. None stands for a table line that was not there."""

    path: str
    before: Json = None
    after: Json = None


def value_at(config: NodeConfig, path: str) -> Json:
    """The JSON value at ``path``. Raises BadInputError when there is no such setting."""
    value: Json = config.model_dump(mode="json")
    for part in path.split("."):
        value = value[_key(value, part, path)]
    return value


def with_value(config: ConfigT, path: str, value: Json) -> ConfigT:
    """A copy with the setting at ``path`` replaced. Raises BadInputError when the path or the value makes no sense."""
    return _edited(config, path, lambda holder, key: holder.__setitem__(key, value))


def with_row(config: ConfigT, table: str, row: Json) -> ConfigT:
    """A copy with ``row`` added to the table at path ``table``. A second line of the same name is refused."""
    rows = list(value_at(config, table))
    name = row.get("name") if isinstance(row, dict) else None
    if name is not None and any(isinstance(other, dict) and other.get("name") == name for other in rows):
        raise BadInputError(f"{table} already has a line named {name}.", "Edit that line, or choose another name.")
    return with_value(config, table, [*rows, row])


def without(config: ConfigT, path: str) -> ConfigT:
    """A copy without the table line at ``path``."""
    return _edited(config, path, lambda holder, key: holder.__delitem__(key))


def differences(before: NodeConfig, after: NodeConfig) -> tuple[Change, ...]:
    """Every setting that differs, by path, in the order of the form."""
    old, new = _leaves(before.model_dump(mode="json")), _leaves(after.model_dump(mode="json"))
    return tuple(
        Change(path=path, before=old.get(path), after=new.get(path))
        for path in [*old, *(path for path in new if path not in old)]
        if old.get(path) != new.get(path)
    )


def _edited(config: ConfigT, path: str, edit: Any) -> ConfigT:
    document = config.model_dump(mode="json")
    *parents, last = path.split(".")
    holder: Json = document
    for part in parents:
        holder = holder[_key(holder, part, path)]
    edit(holder, _key(holder, last, path))
    try:
        return type(config).model_validate(document)
    except ValidationError as wrong:
        raise explain_validation(wrong, path) from wrong


def _key(holder: Json, part: str, path: str) -> Any:
    if isinstance(holder, dict) and part in holder:
        return part
    if isinstance(holder, list):
        for position, row in enumerate(holder):
            if isinstance(row, dict) and row.get("name") == part:
                return position
        if part.isdigit() and int(part) < len(holder):
            return int(part)
    known = (
        list(holder)
        if isinstance(holder, dict)
        else [row.get("name", i) for i, row in enumerate(holder) if isinstance(row, dict)]
        if isinstance(holder, list)
        else []
    )
    raise BadInputError(
        f"There is no setting {path!r}.", f"At {part!r} there is: {', '.join(map(str, known)) or 'nothing'}."
    )


def _leaves(value: Json, prefix: str = "") -> dict[str, Json]:
    if isinstance(value, dict):
        items = [(key, inner) for key, inner in value.items()]
    elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        items = [(str(row.get("name", position)), row) for position, row in enumerate(value)]
    else:
        return {prefix: value}
    return {
        path: leaf
        for key, inner in items
        for path, leaf in _leaves(inner, f"{prefix}.{key}" if prefix else key).items()
    }
