"""What an archive holds of one study, instance by instance, and what was taken out of it: lean reads for following.

Studies of thousands of instances are looked at with every refresh of a screen, so these are plain values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from sandbox.archive.index.index import Index
from sandbox.archive.index.schema import instances, operation_items, operations, series, studies
from sandbox.archive.operations.journal import Direction


@dataclass(frozen=True)
class Held:
    """One instance: its series in words, its SOP class and UID."""

    series_uid: str
    modality: str
    number: str
    description: str
    sop_class: str
    sop_instance: str


@dataclass(frozen=True)
class Removed:
    """An operation that took instances of a study out of the index: the journal's entry and how many. ``in_bin`` are
    those whose files it still keeps, ``at`` is in seconds since the epoch."""

    entry: int
    at: float
    actor: str
    kind: str
    reason: str
    sentence: str
    undone: bool
    sop_instances: tuple[str, ...]
    in_bin: int


_HELD = (
    select(
        series.c.series_instance_uid,
        series.c.modality,
        series.c.series_number,
        series.c.series_description,
        instances.c.sop_class_uid,
        instances.c.sop_instance_uid,
    )
    .select_from(
        instances.join(series, instances.c.series_row == series.c.id).join(studies, series.c.study_row == studies.c.id)
    )
    .where(studies.c.study_instance_uid == bindparam("study"))
    .order_by(series.c.id, instances.c.id)
)
_COUNTS = select(studies.c.study_instance_uid, studies.c.number_of_study_related_instances)
_OUT = (
    select(
        operations.c.id,
        operations.c.at,
        operations.c.actor,
        operations.c.kind,
        operations.c.reason,
        operations.c.sentence,
        operations.c.undone_by,
        operation_items.c.sop_instance_uid,
        operation_items.c.file,
    )
    .join(operation_items, operation_items.c.operation == operations.c.id)
    .where(
        operation_items.c.study_instance_uid == bindparam("study"),
        operation_items.c.direction == Direction.OUT.value,
    )
    .order_by(operations.c.id)
)
_ANY_OPERATION = select(func.count()).select_from(operations)


def held(index: Index, study_uid: str) -> list[Held]:
    """The instances of a study in the order in which they came, series by series; none if it is not here."""
    with index.connect() as connection:
        return [Held(*row) for row in connection.execute(_HELD, {"study": study_uid})]


def counts(index: Index, study_uids: Sequence[str]) -> dict[str, int]:
    """How many instances of each of these studies are here, of those that are."""
    with index.connect() as connection:
        rows = connection.execute(_COUNTS.where(studies.c.study_instance_uid.in_(study_uids)))
        return {row[0]: int(row[1]) for row in rows}


def removed(index: Index, study_uid: str) -> list[Removed]:
    """The operations that took instances of a study out, in the order in which they were carried out."""
    found: dict[int, Removed] = {}
    with index.connect() as connection:
        if not connection.scalar(_ANY_OPERATION):
            return []
        gathered: dict[int, list[str]] = {}
        kept: dict[int, int] = {}
        for row in connection.execute(_OUT, {"study": study_uid}):
            gathered.setdefault(row.id, []).append(row.sop_instance_uid)
            kept[row.id] = kept.get(row.id, 0) + bool(row.file)
            found[row.id] = Removed(
                row.id, row.at, row.actor, row.kind, row.reason, row.sentence, row.undone_by != 0, (), 0
            )
    return [
        Removed(
            one.entry,
            one.at,
            one.actor,
            one.kind,
            one.reason,
            one.sentence,
            one.undone,
            tuple(gathered[one.entry]),
            kept[one.entry],
        )
        for one in found.values()
    ]
