"""Narrowings (sandbox.archive.narrowing) as SQL: each relation is one line of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, FromClause, String, and_, bindparam, or_, true

from sandbox.archive.narrowing import ESCAPE, Narrowing, Relation, Shape, shape_of, values_of

_Values = Sequence[BindParameter[str]]

_SQL: Mapping[Relation, Callable[[ColumnElement[Any], _Values], ColumnElement[bool]]] = {
    Relation.EQUAL: lambda column, values: column == values[0],
    Relation.ABOVE: lambda column, values: column > values[0],
    Relation.AT_LEAST: lambda column, values: column >= values[0],
    Relation.BELOW: lambda column, values: column < values[0],
    Relation.AT_MOST: lambda column, values: column <= values[0],
    Relation.CONTAINS: lambda column, values: column.like(values[0], escape=ESCAPE),
    Relation.ONE_OF: lambda column, values: column.in_(values),
}


def condition(table: FromClause, shape: Shape, parameters: Iterator[BindParameter[str]]) -> ColumnElement[bool]:
    """The SQL of a shape, with a parameter for each of its values."""
    return or_(
        *(
            and_(
                true(),
                *(
                    _SQL[Relation(relation)](table.c[column], [next(parameters) for _ in range(count)])
                    for column, relation, count in alternative
                ),
            )
            for alternative in shape
        )
    )


def condition_of(table: FromClause, narrowing: Narrowing) -> ColumnElement[bool]:
    """The SQL of a narrowing with its own values."""
    values = (bindparam(None, value, String, unique=True) for value in values_of(narrowing))
    return condition(table, shape_of(narrowing), values)


def parameters() -> Iterator[BindParameter[str]]:
    """Parameters without values, named in the order in which they are used."""
    number = 0
    while True:
        yield bindparam(parameter_name(number), type_=String)
        number += 1


def parameter_name(number: int) -> str:
    return f"v{number}"
