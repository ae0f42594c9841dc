"""Deleting a study, a series or an instance: its files go to the bin, with the reason, until the bin is emptied."""

from __future__ import annotations

from typing import ClassVar

from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.selection import chosen


class Delete(Operation):
    """Delete a study, one of its series, or one instance."""

    kind: ClassVar[Kind] = Kind.DELETE

    study_uid: str
    series_uid: str = ""
    sop_instance: str = ""

    def run(self, bench: Bench, by: str) -> Outcome:
        rows = chosen(bench, self.study_uid, self.series_uid, self.sop_instance)
        missing = [row.sop_instance for row in rows if not bench.files.path(row.file).exists()]
        what = (
            f"instance {self.sop_instance}"
            if self.sop_instance
            else f"series {self.series_uid}"
            if self.series_uid
            else f"study {self.study_uid}"
        )
        sentence = f"Deleted {what}: {counted(len(rows) - len(missing), 'instance')} in the bin."
        done = bench.change(Entry(by, self.kind, self.reason, what, sentence), out=rows)
        lost = tuple(f"{uid} had no file; its row is in the journal." for uid in missing)
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=(f"Journal entry {done.entry}: restore it from there.", *lost),
            entry=done.entry,
            instances=done.instances,
            studies=done.studies,
        )
