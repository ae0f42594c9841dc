"""Where operations are carried out: instances out to the bin, instances in, all of it or nothing whatever happens.

The order is what makes it safe. New files are written under ``staged/`` and files that go are linked into ``bin/``;
then one transaction changes the rows, writes the journal and notes which files are to be renamed and unlinked; only
then are they. A crash before the commit leaves garbage that ``settle`` sweeps up, a crash after it leaves notes that
``settle`` carries out. Files never change in place.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlalchemy.exc import OperationalError

from sandbox.archive.header import Buffer
from sandbox.archive.index.changes import InstanceRow, drop_rows, rows_of, rows_where
from sandbox.archive.index.index import Index, InstanceRecord, add_record
from sandbox.archive.operations import journal
from sandbox.archive.operations.journal import Direction, Entry, Item
from sandbox.archive.operations.operation import Operation, Outcome
from sandbox.archive.recovery import record_of
from sandbox.archive.store import ImageStore, OutOfResourcesError
from sandbox.model.errors import ConflictError, NotFoundError, SandboxError

BIN, STAGED = "bin", "staged"
_NAMED = 3


@dataclass(frozen=True)
class Staged:
    """An instance that is to come in: its record (``file`` is its place) and where its file lies until then."""

    record: InstanceRecord
    staged: str


class Stage:
    """The files of one operation on their way in, under a directory of their own."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.token = uuid.uuid4().hex[:16]
        self.made: list[Staged] = []
        self._directory = bench.files.directory / STAGED / self.token

    def write(self, sop_instance: str, parts: Iterable[Buffer], received: float) -> Staged:
        """Write a Part 10 file."""
        path = self._path(sop_instance)
        pieces = list(parts)
        self._bench.make_room(sum(len(piece) for piece in pieces))
        try:
            with path.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
        except OSError as wrong:
            raise OutOfResourcesError(
                f"Cannot write {path.name}: {wrong.strerror}.", "Free space on the archive's disk."
            ) from wrong
        return self._take(path, sop_instance, received)

    def link(self, row: InstanceRow) -> Staged:
        """Take the file of ``row`` as it is."""
        path = self._path(row.sop_instance)
        _link(self._bench.files.path(row.file), path)
        return self._take(path, row.sop_instance, row.received)

    def discard(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _path(self, sop_instance: str) -> Path:
        self._bench.files.relative_path(sop_instance)  # refuses what is no UID
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory / f"{sop_instance}.dcm"

    def _take(self, path: Path, sop_instance: str, received: float) -> Staged:
        record = record_of(path, self._bench.files.relative_path(sop_instance), received)
        made = Staged(record, f"../{STAGED}/{self.token}/{path.name}")
        self.made.append(made)
        return made


@dataclass(frozen=True)
class Done:
    """A change that was committed."""

    entry: int
    instances: int
    studies: tuple[str, ...]


class Bench:
    """Index and files for operations, one at a time. ``exclusive`` keeps senders out while rows and files are swapped.

    ``on_change`` is called after a change was carried out.
    """

    def __init__(
        self,
        index: Index,
        files: ImageStore,
        exclusive: Callable[[], AbstractContextManager[None]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.index = index
        self.files = files
        self.now = now
        self.exclusive = exclusive
        self._one_at_a_time = threading.RLock()
        self._rejected: frozenset[str] = frozenset()

    def operate(self, operation: Operation, by: str) -> Outcome:
        """Run an operation on behalf of ``by``. Raises SandboxError; then nothing is changed."""
        with self._one_at_a_time:
            self.settle()
            return operation.run(self, by)

    # -- Reading -------------------------------------------------------------------------------------------------

    def rows(self, *conditions: ColumnElement[bool]) -> list[InstanceRow]:
        with self.index.connect() as connection:
            return rows_where(connection, *conditions)

    def rows_of(self, sop_instances: Sequence[str]) -> list[InstanceRow]:
        with self.index.connect() as connection:
            return rows_of(connection, sop_instances)

    def items(self, number: int) -> list[Item]:
        with self.index.connect() as connection:
            return journal.items_of(connection, number)

    def is_rejected(self, sop_instance: str) -> bool:
        """Whether a rejection note that stands names the instance."""
        return sop_instance in self._rejected

    def make_room(self, size: int) -> None:
        """Raises OutOfResourcesError when ``size`` more bytes do not fit."""
        self.files.make_room(size)

    # -- The change ----------------------------------------------------------------------------------------------

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """A stage for the files that come in. Left by an exception before the change, it is swept up."""
        stage = Stage(self)
        try:
            yield stage
        except (SandboxError, OSError):
            # Anything else, and a failed commit, leaves the sweeping to ``settle``, which asks the index first.
            self.settle()
            raise

    def change(
        self,
        entry: Entry,
        *,
        out: Sequence[InstanceRow] = (),
        came: Sequence[Staged] = (),
        from_bin: Sequence[Item] = (),
        undoes: int = 0,
    ) -> Done:
        """Take ``out`` to the bin and let ``came`` in, in one transaction with the entry. ``from_bin`` leave the bin.

        An instance in both is replaced: its former file is in the bin. Raises ConflictError when something else changed
        the instances meanwhile.
        """
        token = uuid.uuid4().hex[:16]
        with self.exclusive():
            binned = self._keep(token, out)
            self.files.sync_all()
            with self.index.changing() as connection:
                current = {row.sop_instance: row for row in rows_of(connection, [row.sop_instance for row in out])}
                if any(current.get(row.sop_instance) != row for row in out):
                    raise ConflictError("The images changed while this was prepared.", "Try again.")
                drop_rows(connection, [row.sop_instance for row in out])
                for staged in came:
                    if not add_record(connection, staged.record):
                        raise ConflictError(f"{staged.record.sop_instance} is here already.", "Delete that one first.")
                places = {staged.record.file for staged in came}
                number = journal.write_entry(
                    connection,
                    self.now(),
                    entry,
                    [(Direction.OUT, row) for row in binned] + [(Direction.IN, _row(staged)) for staged in came],
                )
                journal.note_removals(connection, [row.file for row in out if row.file not in places])
                journal.note_placements(connection, [(staged.staged, staged.record.file) for staged in came])
                journal.leave_bin(connection, from_bin)
                if undoes:
                    journal.mark_undone(connection, undoes, number)
            self.settle()
        studies = dict.fromkeys([_row(staged).study_uid for staged in came] + [row.study_uid for row in out])
        return Done(number, len({row.sop_instance for row in (*out, *map(_row, came))}), tuple(studies))

    def throw_away(self, entry: Entry, items: Sequence[Item], told: Iterable[tuple[Direction, InstanceRow]]) -> int:
        """Take files out of the bin for good; the entry's number."""
        with self.exclusive():
            with self.index.changing() as connection:
                number = journal.write_entry(connection, self.now(), entry, told)
                journal.leave_bin(connection, items)
            self.settle()
        return number

    def note(self, entry: Entry, items: Iterable[tuple[Direction, InstanceRow]] = ()) -> int:
        """Write an entry that changes nothing by itself; its number."""
        with self.index.changing() as connection:
            return journal.write_entry(connection, self.now(), entry, items)

    def _keep(self, token: str, out: Sequence[InstanceRow]) -> list[InstanceRow]:
        """The rows with their files' names in the bin; without a name where the file is missing."""
        kept: list[InstanceRow] = []
        for row in out:
            name = f"../{BIN}/{token}/{row.sop_instance}.dcm"
            path = self.files.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _link(self.files.path(row.file), path)
            except FileNotFoundError:
                name = ""
            kept.append(replace(row, file=name))
        return kept

    # -- After the commit, and after a crash ---------------------------------------------------------------------

    def open(self) -> None:
        """As ``settle``, when the archive opens: files to be unlinked are left to sandbox.archive.recovery."""
        _place(self.index, self.files)
        self._note_rejected()

    def settle(self) -> None:
        """Carry out what was committed and not yet done, and sweep up what was never committed."""
        _place(self.index, self.files)
        _unlink(self.index, self.files)
        self._note_rejected()

    def _note_rejected(self) -> None:
        with self.index.connect() as connection:
            self._rejected = frozenset(journal.rejected_instances(connection))


def _place(index: Index, files: ImageStore) -> None:
    """Rename committed files to their places; delete staged files nobody committed, and links in the bin that no entry
    has and that are the same as what is in its place."""
    with index.connect() as connection:
        waiting = journal.pending_placements(connection)
        in_bin = {item.row.file for item in journal.items_in_bin(connection)}
    for staged, file in waiting:
        target = files.path(file)
        target.parent.mkdir(exist_ok=True)
        # Not there: renamed before a crash, and not crossed off.
        with suppress(FileNotFoundError):
            files.path(staged).replace(target)
    if waiting:
        files.sync_all()
        # On a full disk they stay noted, which does no harm.
        with suppress(OperationalError), index.changing() as connection:
            journal.placed(connection, [staged for staged, _ in waiting])
    shutil.rmtree(files.directory / STAGED, ignore_errors=True)
    for name in unlisted_in_bin(files, in_bin):
        path = files.path(name)
        live = files.path(files.relative_path(path.stem))
        if live.exists() and (path.samefile(live) or filecmp.cmp(path, live, shallow=False)):
            path.unlink(missing_ok=True)
    for directory in _directories(files.directory / BIN):
        with suppress(OSError):  # not empty
            directory.rmdir()


def _unlink(index: Index, files: ImageStore) -> None:
    """Unlink the files that are to go, but for those that are needed again."""
    unfinished = index.removals()
    if not unfinished:
        return
    needed = index.in_use(unfinished)
    for file in unfinished:
        if file not in needed:
            files.remove(file)
    with suppress(OperationalError):
        index.removed(unfinished)


def unlisted_in_bin(files: ImageStore, listed: set[str]) -> list[str]:
    """Files in the bin that no entry of the journal has."""
    return [
        name
        for directory in _directories(files.directory / BIN)
        for path in sorted(directory.glob("*.dcm"))
        if (name := f"../{BIN}/{directory.name}/{path.name}") not in listed
    ]


def _directories(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _row(staged: Staged) -> InstanceRow:
    record = staged.record
    return InstanceRow(
        record.header.get_keyword("StudyInstanceUID"),
        record.header.get_keyword("SeriesInstanceUID"),
        record.sop_class,
        record.sop_instance,
        record.transfer_syntax,
        "",
        record.size,
        record.received,
    )


def subject_of(rows: Sequence[InstanceRow]) -> str:
    """What an entry is about, in words: the study, or several."""
    studies = list(dict.fromkeys(row.study_uid for row in rows))
    if not studies:
        return ""
    shown = ", ".join(studies[:_NAMED])
    more = len(studies) - _NAMED
    return f"{'study' if len(studies) == 1 else 'studies'} {shown}" + (f" and {more} more" if more > 0 else "")


def found(rows: list[InstanceRow], what: str) -> list[InstanceRow]:
    """The rows, or NotFoundError when there are none."""
    if not rows:
        raise NotFoundError(f"The archive has no {what}.", "Look it up in the list of studies.")
    return rows
