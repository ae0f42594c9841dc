"""What accidents do to an archive, and how they are taken back: rows that go, files that go, values that drift.

For the fault injector only. Nothing here is journalled or told: whoever looks finds the archive as an accident leaves
it. Rule: index and files are changed as the archive's own operations change them, so that every count is right and a
crash leaves the old state or the new one.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from sqlalchemy import delete, select, update

from sandbox.archive.archive import Archive
from sandbox.archive.attributes import AT_LEVEL, Level
from sandbox.archive.header import Header, UnreadableError
from sandbox.archive.index.changes import InstanceRow, drop_rows, rows_of
from sandbox.archive.index.index import add_record, patient_key
from sandbox.archive.index.schema import operation_items, operations, studies
from sandbox.archive.names import folded_columns
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import leave_bin, read_items
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.part10 import NotPart10Error, part10_bytes
from sandbox.archive.recovery import record_of
from sandbox.archive.trouble import Job
from sandbox.model.errors import BadInputError, SandboxError

_WITHDRAWN = "withdrawn"
DRIFTING = tuple(a for level in (Level.PATIENT, Level.STUDY) for a in AT_LEVEL[level] if not a.computed)
"""The attributes of a study that an index can say otherwise than its files."""


def rows_in(archive: Archive, study_uids: Sequence[str]) -> list[InstanceRow]:
    """The indexed instances of some studies."""
    return archive.bench.rows(studies.c.study_instance_uid.in_(list(study_uids)))


def lose_rows(archive: Archive, rows: Sequence[InstanceRow]) -> None:
    """The index forgets these instances; their files stay, and no restart indexes them again."""
    uids = [row.sop_instance for row in rows]
    trouble = archive.trouble
    archive.change_trouble(trouble.model_copy(update={"unindexed": tuple(dict.fromkeys((*trouble.unindexed, *uids)))}))
    bench = archive.bench
    with bench.exclusive(), bench.index.changing() as connection:
        drop_rows(connection, uids)


def find_rows_again(archive: Archive, rows: Sequence[InstanceRow]) -> None:
    """The index knows these instances as before, as far as their files are there."""
    bench = archive.bench
    with bench.exclusive(), bench.index.changing() as connection:
        known = {row.sop_instance for row in rows_of(connection, [row.sop_instance for row in rows])}
        for row in rows:
            if row.sop_instance in known:
                continue
            with suppress(UnreadableError, NotPart10Error, OSError):
                add_record(connection, record_of(bench.files.path(row.file), row.file, row.received))
    gone = {row.sop_instance for row in rows}
    trouble = archive.trouble
    left = tuple(uid for uid in trouble.unindexed if uid not in gone)
    archive.change_trouble(trouble.model_copy(update={"unindexed": left}))


@dataclass(frozen=True)
class Withdrawn:
    """Instances that were taken out with their files, and where the files lie until they are brought back."""

    rows: tuple[InstanceRow, ...]
    directory: Path


def withdraw(archive: Archive, rows: Sequence[InstanceRow]) -> Withdrawn:
    """Neither index nor files have these instances any more."""
    bench = archive.bench
    directory = bench.files.directory / _WITHDRAWN / uuid.uuid4().hex[:16]
    directory.mkdir(parents=True)
    with bench.exclusive():
        with bench.index.changing() as connection:
            drop_rows(connection, [row.sop_instance for row in rows])
        for row in rows:
            with suppress(FileNotFoundError):
                bench.files.path(row.file).rename(directory / f"{row.sop_instance}.dcm")
    return Withdrawn(tuple(rows), directory)


def bring_back(archive: Archive, withdrawn: Withdrawn) -> None:
    """As before. What was received again meanwhile stays as it was received."""
    bench = archive.bench
    with bench.exclusive():
        for row in withdrawn.rows:
            source, target = withdrawn.directory / f"{row.sop_instance}.dcm", bench.files.path(row.file)
            if source.exists() and not target.exists():
                target.parent.mkdir(exist_ok=True)
                source.rename(target)
    find_rows_again(archive, withdrawn.rows)
    _remove(withdrawn.directory)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    with suppress(OSError):  # others are there
        directory.parent.rmdir()


def replace_files(
    archive: Archive, rows: Sequence[InstanceRow], change: Callable[[bytes], bytes]
) -> Callable[[], None]:
    """Each file is what ``change`` makes of it, under the same UIDs; what puts the former ones back."""
    bench = archive.bench
    aside = bench.files.directory / _WITHDRAWN / uuid.uuid4().hex[:16]
    aside.mkdir(parents=True)
    with bench.exclusive():
        for row in rows:
            place = bench.files.path(row.file)
            made = aside / f"{row.sop_instance}.new"
            made.write_bytes(change(place.read_bytes()))
            place.rename(aside / f"{row.sop_instance}.dcm")
            made.rename(place)
    _follow_sizes(archive, rows)

    def put_back() -> None:
        with bench.exclusive():
            for row in rows:
                former = aside / f"{row.sop_instance}.dcm"
                if former.exists() and bench.files.path(row.file).exists():
                    former.replace(bench.files.path(row.file))
        _follow_sizes(archive, rows)
        _remove(aside)

    return put_back


def _follow_sizes(archive: Archive, rows: Sequence[InstanceRow]) -> None:
    """The index knows the files as they are now."""
    bench = archive.bench
    with bench.exclusive(), bench.index.changing() as connection:
        current = rows_of(connection, [row.sop_instance for row in rows])
        drop_rows(connection, [row.sop_instance for row in current])
        for row in current:
            add_record(connection, record_of(bench.files.path(row.file), row.file, row.received))


def drift(archive: Archive, study_uid: str, values: Mapping[str, str]) -> None:
    """The index says ``values`` (by keyword) of a study, whatever its files say. Raises BadInputError for a keyword
    that the index does not keep."""
    known = {attribute.keyword: attribute for attribute in DRIFTING}
    columns: dict[str, str] = {}
    for keyword, value in values.items():
        if keyword not in known or keyword == "StudyInstanceUID":
            raise BadInputError(f"The index keeps no {keyword} of a study.", f"It keeps: {', '.join(known)}.")
        column = known[keyword].column
        columns[column] = value
        if known[keyword].folded:
            first, other = folded_columns(value)
            columns |= {f"{column}_folded": first, f"{column}_other": other}
    bench = archive.bench
    mine = studies.c.study_instance_uid == study_uid
    with bench.exclusive(), bench.index.changing() as connection:
        row = connection.execute(select(studies).where(mine)).mappings().first()
        if row is None:
            return
        texts = {attribute.tag: str(columns.get(attribute.column, row[attribute.column])) for attribute in DRIFTING}
        columns["patient_key"] = patient_key(Header(texts))
        connection.execute(update(studies).where(mine).values(columns))


def drift_files(archive: Archive, study_uids: Sequence[str], keyword: str, value: str) -> Callable[[], None]:
    """The files of some studies say ``value`` as their ``keyword``, and the index says what it said; what puts the
    former files back. Nothing in a file tells that it was changed."""
    column = next(attribute.column for attribute in DRIFTING if attribute.keyword == keyword)
    mine = studies.c.study_instance_uid
    with archive.bench.index.connect() as connection:
        found = connection.execute(select(mine, studies.c[column]).where(mine.in_(list(study_uids)))).all()
    put_back = replace_files(archive, rows_in(archive, study_uids), partial(_saying, keyword=keyword, value=value))
    for uid, listed in found:
        drift(archive, uid, {keyword: listed})
    return put_back


def _saying(data: bytes, keyword: str, value: str) -> bytes:
    dataset = dcmread(BytesIO(data))
    setattr(dataset, keyword, value)
    return part10_bytes(dataset)


def follow_files(archive: Archive, study_uid: str) -> None:
    """The index says of a study what its files say. Nothing happens when the study is gone."""
    before = {entry.number for entry in archive.journal()}
    with suppress(SandboxError):
        archive.operate(Reindex(reason="follow the files", study_uid=study_uid), "")
    forget_entries(archive.bench, [entry.number for entry in archive.journal() if entry.number not in before])


def forget_entries(bench: Bench, numbers: Sequence[int]) -> None:
    """The journal does not have these entries any more."""
    with bench.index.changing() as connection:
        connection.execute(delete(operation_items).where(operation_items.c.operation.in_(list(numbers))))
        connection.execute(delete(operations).where(operations.c.id.in_(list(numbers))))


def forget_for_good(archive: Archive, study_uid: str) -> None:
    """Nothing tells any more that a study was here: neither rows and files, nor what of it lies in the bin, nor the
    journal and the rejections that it keeps. Entries that touched other studies as well keep those."""
    archive.forget_study(study_uid)
    bench = archive.bench
    with bench.exclusive():
        with bench.index.changing() as connection:
            of_study = read_items(connection, operation_items.c.study_instance_uid == study_uid)
            leave_bin(connection, [item for item in of_study if item.is_in_bin])
            connection.execute(delete(operation_items).where(operation_items.c.study_instance_uid == study_uid))
            numbers = {item.operation for item in of_study}
            others = {item.operation for item in read_items(connection, operation_items.c.operation.in_(list(numbers)))}
            connection.execute(delete(operations).where(operations.c.id.in_(list(numbers - others))))
        bench.settle()


def lock_index(archive: Archive, job: Job) -> None:
    """A job holds the index's write lock: what is there is served, and nothing is taken in."""
    archive.change_trouble(archive.trouble.model_copy(update={"lock": job}))


def unlock_index(archive: Archive, name: str = "") -> Job | None:
    """End the job that holds the write lock (``name``: only if it is that one); the job, or None."""
    trouble = archive.trouble
    if trouble.lock is None or name not in ("", trouble.lock.name):
        return None
    archive.change_trouble(trouble.model_copy(update={"lock": None}))
    return trouble.lock


def rows_every(rows: Sequence[InstanceRow], every: int) -> list[InstanceRow]:
    """Each ``every``-th instance of every study, the last of each ``every``; of a smaller study its last."""
    chosen: list[InstanceRow] = []
    for uid in dict.fromkeys(row.study_uid for row in rows):
        of_study = [row for row in rows if row.study_uid == uid]
        chosen += of_study[every - 1 :: every] or of_study[-1:]
    return chosen
