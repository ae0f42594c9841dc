"""What a C-MOVE or C-GET shall send (PS3.4 C.4.2.2.1, C.4.3.2.1): the instances under its identifier's unique keys.

The keys above the level hold one value, the level's own one or several (PatientID: one). A missing, empty or wildcard
key is A900: an identifier that names nothing must never send the archive.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.attributes import UNIQUE_KEY, Level
from sandbox.archive.identifier import MISMATCH, Refusal, Target, keys_in, read_target
from sandbox.archive.index.index import Index
from sandbox.archive.index.schema import TABLE, instances, series, studies
from sandbox.archive.matching import has_wildcard
from sandbox.dicom.contract import Query, RetrievePlan, StoredObject

CANNOT_COUNT = 0xA701
_KEYS_AT_A_TIME = 500


def plan(index: Index, path_of: Callable[[str], Path], query: Query) -> RetrievePlan:
    """The instances to send, series by series in the order they came; none is a plan too."""
    target = read_target(query.sop_class, keys_in(query))
    if not isinstance(target, Refusal):
        target = _with_own_key(target)
    if isinstance(target, Refusal):
        return RetrievePlan(status=target.status, comment=target.comment)
    found: list[StoredObject] = []
    own = target.unique[target.level]
    try:
        with index.connect() as connection:
            for start in range(0, len(own), _KEYS_AT_A_TIME):
                rows = connection.execute(_statement(target, own[start : start + _KEYS_AT_A_TIME]))
                found += [
                    StoredObject(
                        path_of(row.file), row.sop_class_uid, row.sop_instance_uid, row.transfer_syntax, row.size
                    )
                    for row in rows
                ]
    except SQLAlchemyError:
        return RetrievePlan(status=CANNOT_COUNT, comment="The index cannot be read at the moment")
    return RetrievePlan(tuple(found))


def _with_own_key(target: Target) -> Target | Refusal:
    """The target with its own key's values once each, or why they do not name what to send."""
    key = UNIQUE_KEY[target.level]
    values = tuple(dict.fromkeys(target.unique[target.level]))
    if not values:
        return Refusal(MISMATCH, f"{key.keyword} is missing or empty")
    if any(has_wildcard(value) for value in values):
        return Refusal(MISMATCH, f"{key.keyword} must not hold a wildcard")
    if target.level is Level.PATIENT and len(values) > 1:
        return Refusal(MISMATCH, "PatientID must have one value")
    return Target(target.level, target.levels, target.unique | {target.level: values}, target.terms)


def _statement(target: Target, own: tuple[str, ...]) -> Select[tuple[str, str, str, str, int]]:
    statement = (
        select(
            instances.c.file,
            instances.c.sop_class_uid,
            instances.c.sop_instance_uid,
            instances.c.available_transfer_syntax_uid.label("transfer_syntax"),
            instances.c.size,
        )
        .select_from(
            instances.join(series, instances.c.series_row == series.c.id).join(
                studies, series.c.study_row == studies.c.id
            )
        )
        .order_by(studies.c.id, series.c.id, instances.c.id)
    )
    for level, values in target.unique.items():
        column = TABLE[level].c[UNIQUE_KEY[level].column]
        wanted = own if level is target.level else values
        statement = statement.where(column.in_(wanted) if len(wanted) > 1 else column == wanted[0])
    return statement
