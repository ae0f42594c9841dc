"""Reading the journal and the bin."""

from __future__ import annotations

from sandbox.archive.index.schema import operation_items, operations
from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Direction
from sandbox.archive.operations.operation import JournalEntry
from sandbox.model.errors import NotFoundError


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
