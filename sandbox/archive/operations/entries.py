"""Reading the journal and the bin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select

from sandbox.archive.index.schema import operation_items, operations
from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Direction
from sandbox.archive.operations.operation import JournalEntry, Kind
from sandbox.model.errors import NotFoundError

_AT_A_TIME = 500


def entries(bench: Bench, *, limit: int = 200) -> list[JournalEntry]:
    """The journal, the last entry first."""
    with bench.index.connect() as connection:
        return journal.read_entries(connection, limit=limit)


def entry_of(bench: Bench, number: int) -> JournalEntry:
    """One entry. Raises NotFoundError."""
    with bench.index.connect() as connection:
        found = journal.read_entries(connection, operations.c.id == number)
    if not found:
        raise NotFoundError(f"The journal has no entry {number}.", "Look at the journal.")
    return found[0]


def in_bin(bench: Bench, *, limit: int = 200) -> list[JournalEntry]:
    """The entries that keep files in the bin, the last first."""
    keeping = (
        operation_items.select()
        .with_only_columns(operation_items.c.operation)
        .where(operation_items.c.direction == Direction.OUT.value, operation_items.c.file != "")
    )
    with bench.index.connect() as connection:
        return journal.read_entries(connection, operations.c.id.in_(keeping), limit=limit)


def size_of_bin(bench: Bench) -> int:
    """Bytes in the bin."""
    with bench.index.connect() as connection:
        return journal.size_of_bin(connection)


def kinds_that_took(bench: Bench, sop_instances: Sequence[str]) -> dict[str, Kind]:
    """What took each of these instances out of the archive the last time, of those that anything took."""
    found: dict[str, Kind] = {}
    with bench.index.connect() as connection:
        for start in range(0, len(sop_instances), _AT_A_TIME):
            rows = connection.execute(
                select(operation_items.c.sop_instance_uid, operations.c.kind)
                .join(operations, operations.c.id == operation_items.c.operation)
                .where(
                    operation_items.c.sop_instance_uid.in_(sop_instances[start : start + _AT_A_TIME]),
                    operation_items.c.direction == Direction.OUT.value,
                )
                .order_by(operations.c.id)
            )
            found |= {row.sop_instance_uid: Kind(row.kind) for row in rows}
    return found


def taken_out_since(bench: Bench, number: int) -> Counter[str]:
    """How many instances the entries after ``number`` took out, by Study Instance UID."""
    with bench.index.connect() as connection:
        rows = connection.execute(
            select(operation_items.c.study_instance_uid, func.count())
            .where(operation_items.c.operation > number, operation_items.c.direction == Direction.OUT.value)
            .group_by(operation_items.c.study_instance_uid)
        )
        return Counter({study: int(count) for study, count in rows})
