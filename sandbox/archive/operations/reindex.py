"""Making the index anew from the files: of one study, or of the whole archive, study by study.

Each study's rows are replaced in one transaction, so that queries find it as it was or as it is. Rows whose files are
missing or cannot be read are kept and told: only a person can say where those went.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import select

from sandbox.archive.header import UnreadableError
from sandbox.archive.index.changes import InstanceRow, drop_rows, rows_of
from sandbox.archive.index.index import InstanceRecord, add_record
from sandbox.archive.index.schema import studies
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.selection import chosen
from sandbox.archive.part10 import NotPart10Error
from sandbox.archive.recovery import record_of, recover

_SHOWN = 5


class Reindex(Operation):
    """Read the files of study ``study_uid``, or of all studies, and write their rows anew."""

    kind: ClassVar[Kind] = Kind.REINDEX

    study_uid: str = ""

    def run(self, bench: Bench, by: str) -> Outcome:
        found = 0
        if self.study_uid:
            uids = [self.study_uid]
            chosen(bench, self.study_uid)
        else:
            found = len(recover(bench.index, bench.files, thorough=True).reindexed)
            with bench.index.connect() as connection:
                uids = list(connection.execute(select(studies.c.study_instance_uid).order_by(studies.c.id)).scalars())
        read, skipped = 0, list[str]()
        for uid in uids:
            done, left = _study(bench, uid)
            read += done
            skipped += left
        what = f"study {self.study_uid}" if self.study_uid else "the whole archive"
        sentence = f"Indexed {what} anew: {counted(read, 'instance')} read"
        sentence += f", {found} of them without a row before." if found else "."
        number = bench.note(Entry(by, self.kind, self.reason, what, sentence))
        facts = [f"{uid}: its file cannot be read; its row stays." for uid in skipped[:_SHOWN]]
        if len(skipped) > _SHOWN:
            facts.append(f"And {len(skipped) - _SHOWN} more.")
        return Outcome(
            kind=self.kind,
            ok=not skipped,
            sentence=sentence,
            facts=tuple(facts),
            entry=number,
            instances=read,
            studies=(self.study_uid,) if self.study_uid else (),
        )


def _study(bench: Bench, study_uid: str) -> tuple[int, list[str]]:
    """How many instances were read, and the SOP Instance UIDs of those that could not be."""
    rows = bench.rows(studies.c.study_instance_uid == study_uid)
    records: list[InstanceRecord] = []
    skipped: list[str] = []
    for row in rows:
        record = _read(bench, row)
        if record is None:
            skipped.append(row.sop_instance)
        else:
            records.append(record)
    if not records:
        return 0, skipped
    uids = [record.sop_instance for record in records]
    with bench.exclusive(), bench.index.changing() as connection:
        # Rows that went or changed while the files were read are not brought back.
        current = {row.sop_instance: row for row in rows_of(connection, uids)}
        still = {row.sop_instance for row in rows if current.get(row.sop_instance) == row}
        records = [record for record in records if record.sop_instance in still]
        drop_rows(connection, [record.sop_instance for record in records])
        for record in records:
            add_record(connection, record)
    return len(records), skipped


def _read(bench: Bench, row: InstanceRow) -> InstanceRecord | None:
    """A row's record from its file; None when it cannot be read, or is another instance's."""
    try:
        record = record_of(bench.files.path(row.file), row.file, row.received)
    except (UnreadableError, NotPart10Error, OSError):
        return None
    sound = record.sop_instance == row.sop_instance and record.header.get_keyword("StudyInstanceUID")
    return record if sound and record.header.get_keyword("SeriesInstanceUID") else None
