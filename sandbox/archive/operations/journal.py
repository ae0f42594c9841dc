"""The journal's tables: entries with the instances they touched, the bin as a view of them, files still to be placed.

Entries are written and never changed, but for two marks: what took an entry back, and that a file left the bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.index.schema import operation_items, operations, placements, removals
from sandbox.archive.operations.operation import JournalEntry, Kind

_AT_A_TIME = 500


class Direction(StrEnum):
    """Whether an operation took an instance out of the index, put it in, or threw its file away for good."""

    OUT = "out"
    IN = "in"
    GONE = "gone"


@dataclass(frozen=True)
class Item:
    """An instance that an operation touched. ``file`` of one that is in the bin, relative to the files."""

    id: int
    operation: int
    direction: Direction
    row: InstanceRow

    @property
    def is_in_bin(self) -> bool:
        return self.direction is Direction.OUT and bool(self.row.file)


@dataclass(frozen=True)
class Entry:
    """An entry about to be written."""

    actor: str
    kind: Kind
    reason: str
    subject: str
    sentence: str


def write_entry(connection: Connection, at: float, entry: Entry, items: Iterable[tuple[Direction, InstanceRow]]) -> int:
    """Write an entry with its instances; its number."""
    number = int(
        connection.execute(
            insert(operations)
            .values(
                at=at,
                actor=entry.actor,
                kind=entry.kind.value,
                reason=entry.reason,
                subject=entry.subject,
                sentence=entry.sentence,
            )
            .returning(operations.c.id)
        ).scalar_one()
    )
    rows = [
        {
            "operation": number,
            "direction": direction.value,
            "study_instance_uid": row.study_uid,
            "series_instance_uid": row.series_uid,
            "sop_instance_uid": row.sop_instance,
            "sop_class_uid": row.sop_class,
            "transfer_syntax_uid": row.transfer_syntax,
            "file": row.file,
            "size": row.size,
            "received": row.received,
        }
        for direction, row in items
    ]
    if rows:
        connection.execute(insert(operation_items), rows)
    return number


def mark_undone(connection: Connection, number: int, by: int) -> None:
    connection.execute(update(operations).where(operations.c.id == number).values(undone_by=by))


def leave_bin(connection: Connection, items: Sequence[Item]) -> None:
    """The items' files are not in the bin any more, and are to be unlinked."""
    for start in range(0, len(items), _AT_A_TIME):
        some = items[start : start + _AT_A_TIME]
        connection.execute(
            update(operation_items).where(operation_items.c.id.in_([item.id for item in some])).values(file="")
        )
    note_removals(connection, [item.row.file for item in items])


def note_removals(connection: Connection, files: Sequence[str]) -> None:
    """Note files to be unlinked. One that could not be crossed off earlier may be noted already."""
    for start in range(0, len(files), _AT_A_TIME):
        some = files[start : start + _AT_A_TIME]
        connection.execute(delete(removals).where(removals.c.file.in_(some)))
        connection.execute(insert(removals), [{"file": file} for file in some])


def note_placements(connection: Connection, pairs: Sequence[tuple[str, str]]) -> None:
    """Note staged files and the places they are to be renamed to. A place that is filled anew is not to be emptied."""
    for start in range(0, len(pairs), _AT_A_TIME):
        some = pairs[start : start + _AT_A_TIME]
        connection.execute(delete(removals).where(removals.c.file.in_([file for _, file in some])))
        connection.execute(insert(placements), [{"staged": staged, "file": file} for staged, file in some])


def pending_placements(connection: Connection) -> list[tuple[str, str]]:
    return [(row.staged, row.file) for row in connection.execute(select(placements.c.staged, placements.c.file))]


def placed(connection: Connection, staged: Sequence[str]) -> None:
    for start in range(0, len(staged), _AT_A_TIME):
        connection.execute(delete(placements).where(placements.c.staged.in_(staged[start : start + _AT_A_TIME])))


def read_entries(connection: Connection, *conditions: ColumnElement[bool], limit: int = 200) -> list[JournalEntry]:
    """Entries, the last first."""
    kept = (operation_items.c.direction == Direction.OUT.value) & (operation_items.c.file != "")
    statement = (
        select(
            operations,
            func.count(operation_items.c.id).label("instances"),
            func.count(operation_items.c.id).filter(kept).label("in_bin"),
            func.coalesce(func.sum(operation_items.c.size).filter(kept), 0).label("size_in_bin"),
        )
        .select_from(operations.outerjoin(operation_items, operation_items.c.operation == operations.c.id))
        .where(*conditions)
        .group_by(*operations.c)
        .order_by(operations.c.id.desc())
        .limit(limit)
    )
    return [
        JournalEntry(
            number=row.id,
            at=row.at,
            actor=row.actor,
            kind=Kind(row.kind),
            reason=row.reason,
            subject=row.subject,
            sentence=row.sentence,
            undone_by=row.undone_by,
            instances=row.instances,
            in_bin=row.in_bin,
            size_in_bin=int(row.size_in_bin),
        )
        for row in connection.execute(statement)
    ]


def read_items(connection: Connection, *conditions: ColumnElement[bool]) -> list[Item]:
    """Items, in the order in which they were written."""
    columns = operation_items.c
    statement = select(operation_items).where(*conditions).order_by(columns.id)
    return [
        Item(
            row.id,
            row.operation,
            Direction(row.direction),
            InstanceRow(
                row.study_instance_uid,
                row.series_instance_uid,
                row.sop_class_uid,
                row.sop_instance_uid,
                row.transfer_syntax_uid,
                row.file,
                row.size,
                row.received,
            ),
        )
        for row in connection.execute(statement)
    ]


def items_of(connection: Connection, number: int) -> list[Item]:
    return read_items(connection, operation_items.c.operation == number)


def items_in_bin(connection: Connection) -> list[Item]:
    return read_items(connection, operation_items.c.direction == Direction.OUT.value, operation_items.c.file != "")


def size_of_bin(connection: Connection) -> int:
    """Bytes in the bin."""
    kept = (operation_items.c.direction == Direction.OUT.value) & (operation_items.c.file != "")
    return int(connection.scalar(select(func.coalesce(func.sum(operation_items.c.size), 0)).where(kept)) or 0)


def rejected_instances(connection: Connection) -> set[str]:
    """SOP Instance UIDs that were rejected by a note that stands."""
    rows = connection.execute(
        select(operation_items.c.sop_instance_uid)
        .join(operations, operations.c.id == operation_items.c.operation)
        .where(
            operations.c.kind == Kind.REJECT.value,
            operations.c.undone_by == 0,
            operation_items.c.direction == Direction.OUT.value,
        )
    )
    return set(rows.scalars())
