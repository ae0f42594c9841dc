"""Finds the checks of this package by themselves, and makes one from a scenario's table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from sandbox.checks.check import Check
from sandbox.model.discovery import concrete_subclasses, make
from sandbox.model.scenario import Primitive


@cache
def checks() -> Mapping[str, type[Check]]:
    """Every check by its kind, in the order of the alphabet."""
    return MappingProxyType(concrete_subclasses(Check, "sandbox.checks"))  # type: ignore[type-abstract]


def make_check(primitive: Primitive) -> Check:
    """The check that a scenario's table describes. Raises BadInputError that says which key is wrong and why."""
    params = {"id": primitive.id, **primitive.params} if primitive.id else primitive.params
    return make(checks(), primitive.kind, params, "check")
