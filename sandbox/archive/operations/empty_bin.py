"""Emptying the bin: the only operation after which files are gone for good. It must be confirmed, and is journalled
file by file."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench, subject_of
from sandbox.archive.operations.entries import entry_of
from sandbox.archive.operations.journal import Direction, Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.model.errors import BadInputError, ConflictError


class EmptyBin(Operation):
    """Throw away for good what the bin keeps: of one entry of the journal, or of all (``entry`` 0)."""

    kind: ClassVar[Kind] = Kind.EMPTY_BIN

    entry: int = 0
    confirmed: bool = False

    def run(self, bench: Bench, by: str) -> Outcome:
        if not self.confirmed:
            raise BadInputError("Files that leave the bin are gone for good.", "Confirm it.")
        if self.entry:
            entry_of(bench, self.entry)
        with bench.index.connect() as connection:
            items = [item for item in journal.items_in_bin(connection) if self.entry in (0, item.operation)]
        if not items:
            raise ConflictError("There is nothing to throw away.", "The bin is empty already.")
        size = sum(item.row.size for item in items)
        sentence = f"Threw away {counted(len(items), 'file')} for good ({size / 1_000_000:.1f} MB)."
        number = bench.throw_away(
            Entry(by, self.kind, self.reason, subject_of([item.row for item in items]), sentence),
            items,
            [(Direction.GONE, replace(item.row, file="")) for item in items],
        )
        return Outcome(kind=self.kind, sentence=sentence, entry=number, instances=len(items))
