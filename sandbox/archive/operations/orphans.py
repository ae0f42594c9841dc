"""Orphans, both ways: files that no row knows, rows whose file is gone, and files in the bin that no entry has.

Finding changes nothing. Mending does what can be done without a loss: files are indexed, or set aside when they are no
instances; rows get their file back from the bin; rows that cannot be helped are dropped only when that is asked for,
and stand in the journal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from sandbox.archive.header import UnreadableError
from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench, Stage, subject_of, unlisted_in_bin
from sandbox.archive.operations.journal import Direction, Entry, Item
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.part10 import NotPart10Error
from sandbox.archive.recovery import record_of, recover
from sandbox.model.base import Model
from sandbox.model.errors import ConflictError

SET_ASIDE = "set-aside"
_SHOWN = 10


class Orphans(Model):
    """``files`` are readable files without a row and ``unreadable`` those that are no instance, both relative to the
    files; ``rows`` are SOP Instance UIDs whose file is gone; ``bin`` are files in the bin without an entry."""

    files: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    bin: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.files) + len(self.unreadable) + len(self.rows) + len(self.bin)


class What(StrEnum):
    """Which orphans to mend."""

    FILES = "files"
    ROWS = "rows"
    BIN = "bin"


def find_orphans(bench: Bench) -> Orphans:
    """Look at every file and every row. Nothing is changed."""
    files: list[str] = []
    unreadable: list[str] = []
    written = list(bench.files.written_since(0.0))
    known = bench.index.known([uid for _, uid in written])
    for file, uid in written:
        if uid not in known:
            (files if _is_instance(bench, file, uid) else unreadable).append(file)
    rows = [row.sop_instance for row in bench.index.all_files() if not bench.files.path(row.file).exists()]
    with bench.index.connect() as connection:
        listed = {item.row.file for item in journal.items_in_bin(connection)}
    return Orphans(
        files=tuple(sorted(files)),
        unreadable=tuple(sorted(unreadable)),
        rows=tuple(sorted(rows)),
        bin=tuple(unlisted_in_bin(bench.files, listed)),
    )


class MendOrphans(Operation):
    """Mend one kind of orphans. ``drop_rows`` allows rows to be dropped whose file is nowhere."""

    kind: ClassVar[Kind] = Kind.MEND_ORPHANS

    what: What = Field(What.FILES)
    drop_rows: bool = False

    def run(self, bench: Bench, by: str) -> Outcome:
        orphans = find_orphans(bench)
        if self.what is What.FILES:
            return self._files(bench, by, orphans)
        if self.what is What.ROWS:
            return self._rows(bench, by, orphans)
        return self._bin(bench, by, orphans)

    def _files(self, bench: Bench, by: str, orphans: Orphans) -> Outcome:
        if not (orphans.files or orphans.unreadable):
            raise _none("files without a row")
        added = recover(bench.index, bench.files, thorough=True).reindexed
        aside: list[str] = []
        for file in orphans.unreadable:
            place = bench.files.directory / SET_ASIDE / file
            place.parent.mkdir(parents=True, exist_ok=True)
            bench.files.path(file).rename(place)
            aside.append(f"{file} is no instance; it is in {SET_ASIDE}/{file} now.")
        sentence = f"Indexed {counted(len(added), 'file')} without a row"
        sentence += f"; set aside {counted(len(aside), 'file')} that cannot be read." if aside else "."
        rows = bench.rows_of(added)
        number = bench.note(
            Entry(by, self.kind, self.reason, subject_of(rows), sentence), [(Direction.IN, row) for row in rows]
        )
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=tuple(aside[:_SHOWN]),
            entry=number,
            instances=len(added),
            studies=tuple(dict.fromkeys(row.study_uid for row in rows)),
        )

    def _rows(self, bench: Bench, by: str, orphans: Orphans) -> Outcome:
        if not orphans.rows:
            raise _none("rows without a file")
        lost = bench.rows_of(orphans.rows)
        with bench.index.connect() as connection:
            copies = {(item.row.sop_instance, item.row.size): item for item in journal.items_in_bin(connection)}
        helped = [row for row in lost if (row.sop_instance, row.size) in copies]
        beyond = [row for row in lost if (row.sop_instance, row.size) not in copies]
        going = beyond if self.drop_rows else []
        if not helped and not going:
            raise ConflictError(
                f"{counted(len(beyond), 'row')} have no file anywhere, and none in the bin.",
                "Send the images again from where they came, or allow the rows to be dropped.",
            )
        with bench.stage() as stage:
            self._bring_back(stage, helped, copies)
            sentence = (
                f"Brought back {counted(len(helped), 'file')} from the bin; dropped {counted(len(going), 'row')}."
            )
            done = bench.change(
                Entry(by, self.kind, self.reason, subject_of(lost), sentence),
                out=[*helped, *going],
                came=stage.made,
            )
        facts = [f"Dropped {row.sop_instance} of study {row.study_uid}." for row in going[:_SHOWN]]
        if beyond and not going:
            facts.append(f"{counted(len(beyond), 'row')} cannot be helped and stay.")
        return Outcome(
            kind=self.kind,
            ok=bool(going) or not beyond,
            sentence=sentence,
            facts=tuple(facts),
            entry=done.entry,
            instances=done.instances,
            studies=done.studies,
        )

    def _bring_back(self, stage: Stage, rows: list[InstanceRow], copies: dict[tuple[str, int], Item]) -> None:
        for row in rows:
            stage.link(copies[row.sop_instance, row.size].row)

    def _bin(self, bench: Bench, by: str, orphans: Orphans) -> Outcome:
        if not orphans.bin:
            raise _none("files in the bin without an entry")
        rows: list[InstanceRow] = []
        skipped: list[str] = []
        for name in orphans.bin:
            try:
                path = bench.files.path(name)
                record = record_of(path, name, path.stat().st_mtime)
            except (UnreadableError, NotPart10Error, OSError):
                skipped.append(f"{name} cannot be read; it stays where it is.")
                continue
            header = record.header
            rows.append(
                InstanceRow(
                    header.get_keyword("StudyInstanceUID"),
                    header.get_keyword("SeriesInstanceUID"),
                    record.sop_class,
                    record.sop_instance,
                    record.transfer_syntax,
                    name,
                    record.size,
                    record.received,
                )
            )
        sentence = f"Listed {counted(len(rows), 'file')} of the bin again, as if deleted now."
        # As a deletion, so that they can be restored.
        number = bench.note(
            Entry(by, Kind.DELETE, self.reason, subject_of(rows), sentence), [(Direction.OUT, row) for row in rows]
        )
        return Outcome(
            kind=self.kind,
            ok=not skipped,
            sentence=sentence,
            facts=tuple(skipped[:_SHOWN]),
            entry=number,
            instances=len(rows),
        )


def _is_instance(bench: Bench, file: str, uid: str) -> bool:
    try:
        record = record_of(bench.files.path(file), file, 0.0)
    except (UnreadableError, NotPart10Error, OSError):
        return False
    return record.sop_instance == uid


def _none(what: str) -> ConflictError:
    return ConflictError(f"There are no {what}.", "Nothing is to be done.")
