"""Making index and files agree when an archive opens, after whatever ended it the last time.

A file goes into place before its row is committed, so the end of a process may leave a file without a row: it is
indexed again. A power cut may also take the last rows of a SQLite index: their files are newer than the last row left,
and are indexed again too; so ``sync=full`` need not flush rows. A row without a file is reported and kept, since only a
person can say where the image went.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import OperationalError

from sandbox.archive.header import UnreadableError, read_header
from sandbox.archive.index.index import Index, InstanceRecord
from sandbox.archive.part10 import NotPart10Error, opened
from sandbox.archive.store import ImageStore

_MARGIN_S = 120.0
"""How far before the last committed row to look: clocks are set back, and senders overlap."""

_ROWS_LOOKED_AT = 1000
_AT_A_TIME = 500


@dataclass(frozen=True)
class RecoveryReport:
    """What an opening archive found. ``reindexed`` and ``missing`` are SOP Instance UIDs, ``unreadable`` relative paths
    of files that are no DICOM instances and were left alone, ``removed`` counts files of forgotten studies.
    ``postponed`` tells that the index could not be written (a full disk): what is there is served, the rest is found
    next time."""

    reindexed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    removed: int = 0
    postponed: bool = False


def recover(
    index: Index, store: ImageStore, *, thorough: bool = False, left_alone: Collection[str] = ()
) -> RecoveryReport:
    """Bring index and files together. ``thorough`` looks at every file and row instead of the newest. ``left_alone``
    are SOP Instance UIDs that are not indexed, since it was no crash that took their rows."""
    unfinished = index.removals()
    # An instance that was forgotten and has come again since needs its file.
    needed = index.in_use(unfinished)
    for file in unfinished:
        if file not in needed:
            store.remove(file)
    postponed = False
    try:
        if unfinished:
            index.removed(unfinished)
        reindexed, unreadable = _reindex(index, store, thorough, frozenset(left_alone))
    except OperationalError:
        reindexed, unreadable, postponed = [], [], True
    rows = index.all_files() if thorough else index.newest_files(_ROWS_LOOKED_AT)
    missing = [row.sop_instance for row in rows if not store.path(row.file).exists()]
    return RecoveryReport(tuple(reindexed), tuple(unreadable), tuple(missing), len(unfinished) - len(needed), postponed)


def _reindex(
    index: Index, store: ImageStore, thorough: bool, left_alone: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Index the files that have no row; their SOP Instance UIDs, and the relative paths of unreadable ones."""
    since = 0.0 if thorough else max(index.last_received() - _MARGIN_S, 0.0)
    reindexed: list[str] = []
    unreadable: list[str] = []
    for chunk in _chunks(store.written_since(since)):
        known = index.known([uid for _, uid in chunk])
        records: list[InstanceRecord] = []
        for file, uid in chunk:
            if uid in known or uid in left_alone:
                continue
            try:
                records.append(record_of(store.path(file), file, store.path(file).stat().st_mtime))
            except (UnreadableError, NotPart10Error, OSError):
                unreadable.append(file)
        if records:
            index.add_many(records)
            reindexed += [record.sop_instance for record in records]
    return reindexed, unreadable


def record_of(path: Path, file: str, received: float | None = None) -> InstanceRecord:
    """The index record of a Part 10 file. Raises UnreadableError or NotPart10Error."""
    with opened(path) as (meta, dataset):
        header = read_header(dataset, meta.transfer_syntax)
        size = meta.offset + len(dataset)
    return InstanceRecord(
        header=header,
        sop_class=header.get_keyword("SOPClassUID") or meta.sop_class,
        sop_instance=header.get_keyword("SOPInstanceUID") or meta.sop_instance,
        transfer_syntax=meta.transfer_syntax,
        file=file,
        size=size,
        received=time.time() if received is None else received,
    )


def _chunks(found: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    remaining = iter(found)
    while chunk := list(islice(remaining, _AT_A_TIME)):
        yield chunk
