"""Restoring from the bin what an entry of the journal deleted: all of it, or a study, a series or an instance of it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.archive.index.index import patient_key
from sandbox.archive.operations.bench import Bench, subject_of
from sandbox.archive.operations.entries import entry_of
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.selection import another_patient
from sandbox.model.errors import ConflictError


class Restore(Operation):
    """Bring back what entry ``entry`` deleted, as far as it is still in the bin and has not come again since."""

    kind: ClassVar[Kind] = Kind.RESTORE

    entry: int = Field(ge=1)
    study_uid: str = ""
    series_uid: str = ""
    sop_instance: str = ""

    def run(self, bench: Bench, by: str) -> Outcome:
        entry = entry_of(bench, self.entry)
        if entry.kind is not Kind.DELETE:
            raise ConflictError(
                f"Entry {entry.number} of the journal ({entry.kind}) deleted nothing.", "Undo it instead of restoring."
            )
        in_bin = [item for item in bench.items(entry.number) if item.is_in_bin]
        wanted = [
            item
            for item in in_bin
            if self.study_uid in ("", item.row.study_uid)
            and self.series_uid in ("", item.row.series_uid)
            and self.sop_instance in ("", item.row.sop_instance)
        ]
        if not wanted:
            raise ConflictError(
                f"Entry {entry.number} has nothing of that in the bin.", "It was restored already, or the bin emptied."
            )
        here = bench.index.known([item.row.sop_instance for item in wanted])
        coming = [item for item in wanted if item.row.sop_instance not in here]
        if not coming:
            raise ConflictError(
                "All of it came again since, and is in the archive.", "Delete that first if the older copy is wanted."
            )
        with bench.stage() as stage:
            came = [stage.link(item.row) for item in coming]
            strangers = {
                one.record.header.get_keyword("StudyInstanceUID")
                for one in came
                if another_patient(bench, one.record.header, patient_key(one.record.header))
            }
            sentence = f"Restored {counted(len(came), 'instance')} of entry {entry.number}."
            done = bench.change(
                Entry(by, self.kind, self.reason, subject_of([item.row for item in coming]), sentence),
                came=came,
                from_bin=coming,
                undoes=entry.number if len(coming) == len(in_bin) else 0,
            )
        facts = [f"Study {uid} is another patient's by now; edit it to bring all of it in line." for uid in strangers]
        if here:
            facts.append(f"{counted(len(here), 'instance')} came again since and stayed in the bin.")
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=tuple(facts),
            entry=done.entry,
            instances=done.instances,
            studies=done.studies,
        )
