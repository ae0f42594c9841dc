"""Taking an entry of the journal back: what it put in goes to the bin, what it took out comes back from there."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.archive.index.schema import operation_items
from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench, subject_of
from sandbox.archive.operations.entries import entry_of
from sandbox.archive.operations.journal import Direction, Entry, Item
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.model.errors import ConflictError

_REVERSIBLE = frozenset({Kind.DELETE, Kind.EDIT, Kind.MERGE, Kind.SPLIT, Kind.MOVE, Kind.REJECT})
_AT_A_TIME = 500


class Undo(Operation):
    """Take entry ``entry`` back. What has been done to the same images since must be taken back first."""

    kind: ClassVar[Kind] = Kind.UNDO

    entry: int = Field(ge=1)

    def run(self, bench: Bench, by: str) -> Outcome:
        entry = entry_of(bench, self.entry)
        if entry.kind not in _REVERSIBLE:
            raise ConflictError(f"Entry {entry.number} ({entry.kind}) cannot be taken back.", "Choose another entry.")
        if entry.undone_by:
            raise ConflictError(f"Entry {entry.number} was taken back by entry {entry.undone_by} already.")
        items = bench.items(entry.number)
        came = [item for item in items if item.direction is Direction.IN]
        went = [item for item in items if item.direction is Direction.OUT]
        self._insist_on_last(bench, items)
        if any(not item.row.file for item in went):
            raise ConflictError(
                f"Some of what entry {entry.number} took away is not in the bin any more.",
                "Restore what is left from the bin.",
            )
        out = bench.rows_of([item.row.sop_instance for item in came])
        if len(out) != len(came):
            raise ConflictError(f"Some of what entry {entry.number} put in is not in the archive any more.")
        replaced = {row.sop_instance for row in out}
        again = bench.index.known([i.row.sop_instance for i in went if i.row.sop_instance not in replaced])
        if again:
            raise ConflictError(
                f"{counted(len(again), 'instance')} came again since then.", "Delete those first, or leave it as it is."
            )
        with bench.stage() as stage:
            staged = [stage.link(item.row) for item in went]
            sentence = f"Took back entry {entry.number} ({entry.kind}): {counted(len(items), 'instance')}."
            done = bench.change(
                Entry(by, self.kind, self.reason, subject_of([item.row for item in went]), sentence),
                out=out,
                came=staged,
                from_bin=went,
                undoes=entry.number,
            )
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=(f"It had said: {entry.sentence}",),
            entry=done.entry,
            instances=done.instances,
            studies=done.studies,
        )

    def _insist_on_last(self, bench: Bench, items: list[Item]) -> None:
        uids = sorted({item.row.sop_instance for item in items})
        later: set[int] = set()
        with bench.index.connect() as connection:
            for start in range(0, len(uids), _AT_A_TIME):
                some = uids[start : start + _AT_A_TIME]
                found = journal.read_items(
                    connection,
                    operation_items.c.sop_instance_uid.in_(some),
                    operation_items.c.operation > self.entry,
                )
                later.update(item.operation for item in found)
        standing = [
            other
            for number in sorted(later)
            if not (other := entry_of(bench, number)).undone_by and _matters(other.kind)
        ]
        if standing:
            last = standing[-1]
            raise ConflictError(
                f"Entry {last.number} ({last.kind}) changed the same images since.",
                f"Take entry {last.number} back first.",
            )


def _matters(kind: Kind) -> bool:
    return kind in _REVERSIBLE
