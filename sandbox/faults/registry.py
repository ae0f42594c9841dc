"""Finds the fault primitives of this package by themselves, and makes one from a scenario's table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from sandbox.faults.fault import Fault
from sandbox.model.discovery import concrete_subclasses, make
from sandbox.model.scenario import Primitive


@cache
def faults() -> Mapping[str, type[Fault]]:
    """Every fault by its kind, in the order of the alphabet."""
    return MappingProxyType(concrete_subclasses(Fault, "sandbox.faults"))  # type: ignore[type-abstract]


def make_fault(primitive: Primitive) -> Fault:
    """The fault that a scenario's table describes. Raises BadInputError that says which key is wrong and why."""
    return make(faults(), primitive.kind, primitive.params, "fault")
