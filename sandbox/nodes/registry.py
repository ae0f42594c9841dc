"""Which roles there are. Modules of this package are found by themselves: one new file adds a role."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

import sandbox.nodes
from sandbox.model.base import explain_validation
from sandbox.model.errors import NotFoundError
from sandbox.nodes.context import NodeContext
from sandbox.nodes.node import Node


@cache
def roles() -> tuple[str, ...]:
    """Every role, by name."""
    return tuple(sorted(_classes()))


def role_class(role: str) -> type[Node]:
    """The class behind a role. NotFoundError names the roles there are."""
    try:
        return _classes()[role]
    except KeyError:
        raise NotFoundError(f"There is no role {role!r}.", f"Roles: {', '.join(roles())}.") from None


def make_node(role: str, context: NodeContext, config: Mapping[str, Any]) -> Node:
    """A node of that role with the settings of ``config``, checked. BadInputError says which setting is wrong."""
    found = role_class(role)
    try:
        settings = found.config_class.model_validate(dict(config))
    except ValidationError as wrong:
        raise explain_validation(wrong, context.name) from wrong
    return found(context, settings)


@cache
def _classes() -> Mapping[str, type[Node]]:
    for module in pkgutil.iter_modules(sandbox.nodes.__path__):
        importlib.import_module(f"{sandbox.nodes.__name__}.{module.name}")
    found: dict[str, type[Node]] = {}
    pending = list(Node.__subclasses__())
    while pending:
        candidate = pending.pop()
        pending.extend(candidate.__subclasses__())
        if candidate.role and candidate.__module__.startswith(f"{sandbox.nodes.__name__}."):
            found[candidate.role] = candidate
    return found
