"""Finds the commands: every module of this package is imported, every Command subclass with a name is an entry."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

import sandbox.lab.commands as package
from sandbox.lab import command
from sandbox.lab.command import Command


@cache
def commands() -> Mapping[str, type[Command]]:
    """Every command that a lab has by itself, by name in order of the alphabet. Drills add theirs to a lab."""
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    found: dict[str, type[Command]] = {}
    for entry in _descendants(Command):
        if entry.name and entry.__module__.startswith(f"{package.__name__}."):
            if entry.name in found:
                raise RuntimeError(f"{entry.__name__} and {found[entry.name].__name__} both are {entry.name!r}")
            found[entry.name] = entry
    return MappingProxyType(dict(sorted(found.items())))


def parse(name: str, params: Mapping[str, Any]) -> Command:
    """One of a lab's own commands with its parameters, or BadInputError in words."""
    return command.parse(commands(), name, params)


def _descendants(base: type[Command]) -> Iterator[type[Command]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)
