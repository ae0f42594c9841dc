"""What a database can spare us of a key, as plain values: comparisons of columns with text.

Keys of one kind differ in their values alone, so a statement is made and compiled once for each kind (``shape_of``) and
run with other values (``values_of``) ever after. SQL itself is made in sandbox.archive.index.conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Relation(IntEnum):
    """How a column is compared."""

    EQUAL = 1
    ABOVE = 2
    AT_LEAST = 3
    BELOW = 4
    AT_MOST = 5
    CONTAINS = 6
    ONE_OF = 7


class Bound(NamedTuple):
    """A comparison of ``column`` with ``value``: several values for ONE_OF alone."""

    column: str
    relation: Relation
    value: str | tuple[str, ...]


Narrowing = tuple[tuple[Bound, ...], ...]
"""Alternatives, of which one has to hold with all its bounds."""

Shape = tuple[tuple[tuple[str, int, int], ...], ...]
"""A narrowing without its values: column, relation, number of values."""


def shape_of(narrowing: Narrowing) -> Shape:
    """What two narrowings share that the same SQL serves."""
    return tuple([tuple([_shape_of(bound) for bound in alternative]) for alternative in narrowing])


def _shape_of(bound: Bound) -> tuple[str, int, int]:
    column, relation, value = bound
    return column, relation, 1 if isinstance(value, str) else len(value)


def values_of(narrowing: Narrowing) -> Iterator[str]:
    """The values in the order in which the SQL of its shape takes them."""
    for alternative in narrowing:
        for _, relation, value in alternative:
            if relation is Relation.CONTAINS and isinstance(value, str):
                yield like_pattern(value)
            elif isinstance(value, str):
                yield value
            else:
                yield from value


ESCAPE = "/"


def like_pattern(text: str) -> str:
    """A LIKE pattern for ``text`` anywhere, with ``ESCAPE`` before what LIKE would take for a wildcard."""
    escaped = text.replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")
    return f"%{escaped}%"
