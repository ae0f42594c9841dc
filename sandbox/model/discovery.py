"""Registries that fill themselves: every module of a package is imported, every concrete subclass is an entry.

So that adding a fault, a check or a command is one new file, and a misspelt name or key is answered with the nearest
right one.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from inspect import isabstract
from typing import Any, TypeVar

from pydantic import ValidationError

from sandbox.model.base import Model, explain_validation
from sandbox.model.errors import BadInputError

EntryT = TypeVar("EntryT", bound=Model)


def concrete_subclasses(base: type[EntryT], package: str) -> dict[str, type[EntryT]]:
    """Every subclass of ``base`` in the modules of ``package`` that sets its own ``kind``, sorted by it."""
    module = import_module(package)
    for entry in pkgutil.iter_modules(module.__path__):
        import_module(f"{package}.{entry.name}")
    found: dict[str, type[EntryT]] = {}
    for entry_class in _descendants(base):
        kind = entry_class.__dict__.get("kind")
        if kind is None or isabstract(entry_class) or not entry_class.__module__.startswith(f"{package}."):
            continue
        if kind in found:
            raise RuntimeError(f"{entry_class.__name__} and {found[kind].__name__} both are {kind!r}")
        found[kind] = entry_class
    return dict(sorted(found.items()))


def make(entries: Mapping[str, type[EntryT]], kind: str, params: Mapping[str, Any], what: str) -> EntryT:
    """An entry of that kind with these parameters, or BadInputError with the nearest right name or key."""
    if kind not in entries:
        raise BadInputError(f"There is no {what} of kind {kind!r}.", suggestion(kind, entries))
    entry_class = entries[kind]
    keys = list(entry_class.model_fields)
    for key in params:
        if key not in keys:
            raise BadInputError(f"{kind} has no parameter {key!r}.", suggestion(key, keys))
    try:
        return entry_class.model_validate(dict(params))
    except ValidationError as wrong:
        raise explain_validation(wrong, kind) from wrong


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest right name, or all of them when none is near."""
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There is: {', '.join(names)}." if names else "There is none."


def _descendants(base: type[EntryT]) -> Iterator[type[EntryT]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)
