"""Relational search of the index (PS3.4 C.4.1.2.2, PS3.18 10.6): keys of a level and those above it, a page at a time.

Matching is C-FIND's own (sandbox.archive.matching). Unlike C-FIND no unique key of a higher level is needed, and what
is answered is chosen apart from what is matched. Values are the index's text; whoever answers gives them their form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.attributes import Attribute, Level
from sandbox.archive.index.conditions import condition_of
from sandbox.archive.index.index import Index, IndexedFile
from sandbox.archive.index.rows import FROM, column_of
from sandbox.archive.index.schema import TABLE, instances, series, studies
from sandbox.archive.matching import Matcher, matcher
from sandbox.model.errors import UnavailableError

_ROWS_AT_A_TIME = 200

_ORDER = {
    Level.STUDY: (studies.c.id.desc(),),
    Level.SERIES: (studies.c.id.desc(), series.c.id),
    Level.IMAGE: (studies.c.id.desc(), series.c.id, instances.c.id),
}
"""Always the same, so that pages fit together: the newest study first, within it as things came."""


@dataclass(frozen=True)
class Found:
    """One page: the values of what was asked for, entity by entity, and whether more follow."""

    values: tuple[Mapping[int, str], ...]
    more: bool


def search(
    index: Index, level: Level, keys: Mapping[Attribute, str], answered: Sequence[Attribute], limit: int, offset: int
) -> Found:
    """The entities of ``level`` that match all ``keys`` (values as in an identifier, sequences as DICOM JSON), each as
    the values of ``answered`` by tag."""
    wanted = list(dict.fromkeys((*answered, *keys)))
    matchers = [found for attribute, text in keys.items() if (found := matcher(attribute, text)) is not None]
    position = {attribute: place for place, attribute in enumerate(wanted)}
    checks = [(position[found.attribute], found.accepts) for found in matchers]
    statement = _statement(level, wanted, matchers)
    if not checks:
        statement, offset_here = statement.limit(limit + 1).offset(offset), 0
    else:
        offset_here = offset
    with _reading(index) as connection:
        rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(statement)
        matching = (row for row in rows if all(accepts(str(row[place])) for place, accepts in checks))
        page = list(islice(matching, offset_here, offset_here + limit + 1))
    shown = [(attribute.tag, position[attribute]) for attribute in answered]
    return Found(tuple(_values(row, shown) for row in page[:limit]), len(page) > limit)


def files_below(index: Index, study_uid: str, series_uid: str = "", sop_instance: str = "") -> list[IndexedFile]:
    """The instances of a study, of one of its series, or one of them, series by series in the order they came."""
    statement = (
        select(
            instances.c.sop_class_uid,
            instances.c.sop_instance_uid,
            instances.c.available_transfer_syntax_uid,
            instances.c.file,
            instances.c.size,
        )
        .select_from(FROM[Level.IMAGE])
        .where(studies.c.study_instance_uid == study_uid)
        .order_by(series.c.id, instances.c.id)
    )
    if series_uid:
        statement = statement.where(series.c.series_instance_uid == series_uid)
    if sop_instance:
        statement = statement.where(instances.c.sop_instance_uid == sop_instance)
    with _reading(index) as connection:
        return [IndexedFile(*row) for row in connection.execute(statement)]


@contextmanager
def _reading(index: Index) -> Iterator[Connection]:
    """A connection for reading. Raises UnavailableError for whatever the database raises."""
    try:
        with index.connect() as connection:
            yield connection
    except SQLAlchemyError as wrong:
        raise UnavailableError("The index cannot be read at the moment.", "Try again in a moment.") from wrong


def _statement(level: Level, wanted: Sequence[Attribute], matchers: Sequence[Matcher]) -> Select[*tuple[Any, ...]]:
    statement = select(*(column_of(attribute) for attribute in wanted)).select_from(FROM[level])
    for found in matchers:
        if found.narrow is not None:
            statement = statement.where(condition_of(TABLE[found.attribute.level], found.narrow))
    return statement.order_by(*_ORDER[level])


def _values(row: Row[*tuple[Any, ...]], shown: Sequence[tuple[int, int]]) -> Mapping[int, str]:
    return {tag: str(row[place]) for tag, place in shown}
