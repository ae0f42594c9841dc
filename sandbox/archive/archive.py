"""The archive as its owner sees it: DICOM services, an administrator's reads, bulk loading and opening after a crash.

"Stored" is said when the file is in place and its row is committed, both as durable as the ``sync`` policy asks, and
not before. An instance that comes again changes nothing: the first copy stays, and a second one that differs is told
apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive import search
from sandbox.archive.attributes import Attribute, Level
from sandbox.archive.demands import lacking
from sandbox.archive.header import Buffer, Header, UnreadableError, read_header
from sandbox.archive.identifier import LEVELS_OF
from sandbox.archive.incoming import IncomingFile, dataset_of, head_of
from sandbox.archive.index.database import open_database, sqlite_url
from sandbox.archive.index.index import Index, IndexLockedError, InstanceRecord
from sandbox.archive.loading import Loader
from sandbox.archive.operations import entries
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.note import ObeyNote, title_of
from sandbox.archive.operations.operation import JournalEntry, Operation, Outcome
from sandbox.archive.operations.orphans import Orphans, find_orphans
from sandbox.archive.operations.reject import MEANINGS
from sandbox.archive.query import find
from sandbox.archive.recovery import RecoveryReport, recover
from sandbox.archive.retrieve import plan
from sandbox.archive.sound import disagreement, holds, is_whole, unsound
from sandbox.archive.store import ImageStore, OutOfResourcesError, Sync
from sandbox.archive.trouble import Trouble, TroubleFile
from sandbox.archive.uids import is_uid
from sandbox.archive.values import invalid
from sandbox.dicom.contract import (
    FindAnswer,
    Query,
    RetrievePlan,
    Services,
    Spool,
    StoredObject,
    StoreRequest,
    StoreStatus,
)
from sandbox.model.errors import SandboxError, UnavailableError

if TYPE_CHECKING:
    from sandbox.archive.views import StudyFilter
    from sandbox.model.view import Counts, StudyDetail, StudySummary

SUCCESS = 0x0000
INVALID_INSTANCE = 0x0117
NOT_AUTHORIZED = 0x0124
OUT_OF_RESOURCES = 0xA700
MISMATCH = 0xA900
INCOMPLETE = 0xB007
CANNOT_UNDERSTAND = 0xC000

# What can be done while nothing can be indexed: queries, retrieves, verification, storage commitment.
_READING = frozenset({*LEVELS_OF, "1.2.840.10008.1.1", "1.2.840.10008.1.20.1"})
_COMMENT_LENGTH = 64
_LOCKS = 64


@dataclass(frozen=True)
class StoredInstance:
    """An instance just stored: enough for a log line and a routing rule. ``is_new`` False: it was here before;
    ``differs`` then says whether the second copy was another data set (the first one is kept)."""

    request: StoreRequest
    header: Header
    path: Path
    size: int
    is_new: bool = True
    differs: bool = False

    @property
    def study_uid(self) -> str:
        return self.header.get_keyword("StudyInstanceUID")


class Archive:
    """An image store with its index, under ``directory`` (index.sqlite, store/) or with the index at ``url``.

    ``ae_title`` is answered as Retrieve AE Title; a callable follows a configuration that changes. ``on_stored`` is
    called after each C-STORE that succeeded, from the association's thread. ``reserve`` bytes of the disk stay free.
    ``now`` (with a zone) dates what operations write: journal, notes and edited images. When an instance was received
    is always the machine's time, since recovery compares it with the times of files.
    Only one process may have a directory open.
    """

    def __init__(
        self,
        directory: Path,
        *,
        ae_title: Callable[[], str] | str,
        url: str | None = None,
        sync: str | Sync = Sync.FULL,
        on_stored: Callable[[StoredInstance], None] | None = None,
        reserve: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.directory = directory
        self._ae_title = ae_title if callable(ae_title) else lambda: ae_title
        self._on_stored = on_stored
        self.followers: list[Callable[[Operation, Outcome, str], None]] = []
        """Called after each operation that was carried out, with what came of it and on whose behalf."""
        self.watchers: list[Callable[[StoredInstance], None]] = []
        """Called after each C-STORE that succeeded, as ``on_stored``."""
        self.refuses_invalid_values = False
        """Whether a C-STORE with a value that DICOM does not allow is answered A900 instead of being kept as it is."""
        self._instance_locks = tuple(threading.Lock() for _ in range(_LOCKS))
        directory.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(directory)
        try:
            policy = Sync(sync)
            self.files = ImageStore(directory / "store", policy, reserve=reserve)
            self._index = Index(open_database(url or sqlite_url(directory / "index.sqlite"), policy))
            try:
                self.bench = Bench(self._index, self.files, self._all_instances, now=lambda: now().timestamp())
                self.bench.open()
                self._trouble = TroubleFile(directory)
                trouble = self._trouble.read()
                self.recovery: RecoveryReport = recover(self._index, self.files, left_alone=trouble.unindexed)
                self._index.locked_by = "" if trouble.lock is None else trouble.lock.name
            except BaseException:
                self._index.close()
                raise
        except BaseException:
            os.close(self._lock_file)
            raise

    # -- DICOM services ------------------------------------------------------------------------------------------

    def services(self) -> Services:
        """The four services as an acceptor offers them. Move destinations and the requestor are the node's to add."""
        return Services(
            store=self.store,
            spool=Spool(self.begin),
            find=self.find,
            move=self.move,
            get=self.get,
            is_congested=self.is_congested,
        )

    def store(self, request: StoreRequest) -> StoreStatus:
        """C-STORE (PS3.4 B.2.3): 0000 or a warning (B007) once durable, else what was wrong with the instance or us."""
        if not is_uid(request.sop_instance):
            return _answer(INVALID_INSTANCE, "SOP Instance UID is not a valid UID")
        if self.bench.is_rejected(request.sop_instance):
            return _REJECTED
        try:
            with dataset_of(request) as dataset:
                header = read_header(dataset, request.transfer_syntax)
                if refused := disagreement(request, header) or unsound(header):
                    return _answer(MISMATCH, refused)
                if self.refuses_invalid_values and (refused := invalid(dataset, request.transfer_syntax)):
                    return _answer(MISMATCH, refused)
                stored = self._keep(request, dataset, header)
                if stored is None:
                    return _REJECTED
        except UnreadableError as wrong:
            return _answer(CANNOT_UNDERSTAND, str(wrong))
        except OutOfResourcesError as wrong:
            return _answer(OUT_OF_RESOURCES, wrong.sentence)
        except (SQLAlchemyError, IndexLockedError):
            return _answer(OUT_OF_RESOURCES, "The index cannot be written at the moment")
        except OSError as wrong:
            # Neither room to inflate a data set, nor a descriptor to read it with.
            return _answer(OUT_OF_RESOURCES, f"Cannot read what was received: {wrong.strerror or wrong}")
        if self._on_stored is not None:
            self._on_stored(stored)
        for watch in self.watchers:
            watch(stored)
        try:
            self._obey(request, header)
        except (SandboxError, SQLAlchemyError, OSError) as wrong:
            # The note is kept; sent again, it is obeyed then.
            why = wrong.sentence if isinstance(wrong, SandboxError) else "What the note rejects cannot be hidden now"
            return _answer(OUT_OF_RESOURCES, why)
        if missing := lacking(request.sop_class, header):
            return _answer(INCOMPLETE, f"Stored, but lacks {', '.join(missing)}")
        return StoreStatus(SUCCESS)

    def _obey(self, request: StoreRequest, header: Header) -> None:
        """Reject what a rejection note names that was just stored (IHE IOCM)."""
        title = title_of(request.sop_class, header)
        if title is not None:
            sender = request.facts.calling_ae.strip() or request.facts.peer
            note = ObeyNote(sop_instance=request.sop_instance, title=title, reason=f"{MEANINGS[title]} (note received)")
            self.operate(note, sender)

    def is_congested(self, abstract_syntaxes: Iterable[str]) -> bool:
        """Whether nothing can be done for a while for a caller who proposes these: the archive is closed, or another
        process holds the index and the caller wants nothing but to store. Queries and retrieves go on."""
        return self._lock_file < 0 or (self._index.is_locked() and _READING.isdisjoint(abstract_syntaxes))

    def begin(self, request: StoreRequest) -> IncomingFile:
        """A file for an instance that is too large for memory, while it is received."""
        return self.files.begin(head_of(request))

    def find(self, query: Query) -> Iterator[FindAnswer]:
        """C-FIND (PS3.4 C.4.1)."""
        return find(self._index, self._ae_title(), query)

    def move(self, query: Query, destination: str) -> RetrievePlan:  # noqa: ARG002
        """What a C-MOVE sends (PS3.4 C.4.2). Whether the destination is known is the AE table's business."""
        return plan(self._index, self.files.path, query)

    def get(self, query: Query) -> RetrievePlan:
        """What a C-GET sends (PS3.4 C.4.3)."""
        return plan(self._index, self.files.path, query)

    # What screens show is imported when one is shown: `archive serve` has none.
    # -- Reads ---------------------------------------------------------------------------------------------------

    def studies(self, wanted: StudyFilter | None = None, *, limit: int = 100, offset: int = 0) -> list[StudySummary]:
        """Studies that ``wanted`` lets through, the last received first."""
        from sandbox.archive import views

        return views.list_studies(self._index, wanted or views.StudyFilter(), limit, offset)

    def count_studies(self, wanted: StudyFilter | None = None) -> int:
        """How many studies ``studies`` would give without a limit."""
        from sandbox.archive import views

        return views.count_studies(self._index, wanted or views.StudyFilter())

    def study(self, study_uid: str) -> StudyDetail | None:
        """One study with series and instances in the order of their numbers, or None."""
        from sandbox.archive import views

        return views.study_detail(self._index, study_uid)

    def instance_path(self, sop_instance: str) -> Path | None:
        """The Part 10 file of an instance, or None if it is not indexed."""
        found = self._index.file_of(sop_instance)
        return None if found is None else self.files.path(found.file)

    def objects(self, study_uid: str, series_uid: str = "", sop_instance: str = "") -> tuple[StoredObject, ...]:
        """A study's instances as they are sent on, series by series in the order they came, or those of one series, or
        one; none if there is no such thing."""
        return tuple(
            StoredObject(self.files.path(one.file), one.sop_class, one.sop_instance, one.transfer_syntax, one.size)
            for one in search.files_below(self._index, study_uid, series_uid, sop_instance)
        )

    def search(
        self, level: Level, keys: Mapping[Attribute, str], answered: Sequence[Attribute], *, limit: int, offset: int = 0
    ) -> search.Found:
        """A page of the entities of ``level`` that match ``keys``, as QIDO-RS asks for them (PS3.18 10.6)."""
        return search.search(self._index, level, keys, answered, limit, offset)

    def counts(self) -> Counts:
        """Totals: patients, studies, series, instances, bytes."""
        from sandbox.archive import views

        return views.count_all(self._index)

    def audit(self) -> RecoveryReport:
        """Look at every file and every row: index files that have none, report rows whose file is gone."""
        return recover(self._index, self.files, thorough=True)

    # -- An administrator's operations ---------------------------------------------------------------------------

    def operate(self, operation: Operation, by: str) -> Outcome:
        """Carry out one of sandbox.archive.operations on behalf of ``by``. Raises SandboxError: nothing is changed."""
        outcome = self.bench.operate(operation, by)
        for follow in self.followers:
            follow(operation, outcome, by)
        return outcome

    def journal(self, *, limit: int = 200) -> list[JournalEntry]:
        """What was done, by whom and why, the last first."""
        return entries.entries(self.bench, limit=limit)

    def bin(self, *, limit: int = 200) -> list[JournalEntry]:
        """The entries of the journal that keep files in the bin, the last first."""
        return entries.in_bin(self.bench, limit=limit)

    def size(self) -> int:
        """Bytes held, the bin's included."""
        return self.counts().size + entries.size_of_bin(self.bench)

    def orphans(self) -> Orphans:
        """Files without rows, rows without files, files of the bin without an entry. Nothing is changed."""
        return find_orphans(self.bench)

    # -- Trouble -------------------------------------------------------------------------------------------------

    @property
    def trouble(self) -> Trouble:
        """What is wrong with the archive beside its files and rows."""
        return self._trouble.read()

    def change_trouble(self, trouble: Trouble) -> None:
        """Make it so, at once and until it is changed again, also in the next process."""
        self._trouble.write(trouble)
        self._index.locked_by = "" if trouble.lock is None else trouble.lock.name

    # -- Bulk loading and removal --------------------------------------------------------------------------------

    def add_files(self, paths: Iterable[Path]) -> int:
        """Take Part 10 files in, by hard link where possible; how many were new. The files must not be changed later.

        Raises BadInputError for a file that is no sound instance; those before it are in.
        """
        return Loader(self._index, self.files).add_files(paths)

    def add_datasets(self, datasets: Iterable[Dataset]) -> int:
        """Write and index data sets (with file meta, or else in explicit little endian); how many were new."""
        return Loader(self._index, self.files).add_datasets(datasets)

    def forget_study(self, study_uid: str) -> int:
        """Remove a study's rows and files for good; how many instances. Rows go first, in one transaction with a note
        of the files, so that a crash in between leaves nothing behind."""
        with self._all_instances():
            files = self._index.forget_study(study_uid)
            for file in files:
                self.files.remove(file)
            if files:
                self._index.removed(files)
        return len(files)

    def close(self) -> None:
        """Let go of index and directory, after the instances that are being written now; none is taken any more.

        Closing twice is once too often and harmless.
        """
        with self._all_instances():
            self._index.close()
            if self._lock_file >= 0:
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- Within --------------------------------------------------------------------------------------------------

    def _lock_for(self, sop_instance: str) -> threading.Lock:
        return self._instance_locks[zlib.crc32(sop_instance.encode("ascii")) % _LOCKS]

    @contextlib.contextmanager
    def _all_instances(self) -> Iterator[None]:
        """No instance is stored inside the block."""
        with contextlib.ExitStack() as held:
            for lock in self._instance_locks:
                held.enter_context(lock)
            yield

    def _keep(self, request: StoreRequest, dataset: Buffer, header: Header) -> StoredInstance | None:
        """File first, then row, under the instance's lock: two senders of one instance take turns. None if it was
        rejected while it came."""
        with self._lock_for(request.sop_instance):
            if self._lock_file < 0:
                raise OutOfResourcesError("The archive is closed")
            if self.bench.is_rejected(request.sop_instance):
                return None
            place = self.files.relative_path(request.sop_instance)
            known = self._index.file_of(request.sop_instance) if self.files.holds(place) else None
            if known is not None and is_whole(path := self.files.path(place), known.size):
                differs = known.transfer_syntax != request.transfer_syntax or not holds(path, dataset)
                return StoredInstance(request, header, path, known.size, is_new=False, differs=differs)
            if self._index.locked_by:
                # Before the file is there, which nobody would know of.
                raise IndexLockedError(f"The index is locked by {self._index.locked_by}.", "End that job.")
            # Before the file is there: recovery looks at folders that changed since the newest row was received.
            received = time.time()
            if request.file is not None:
                file, size = self.files.take(request.sop_instance, request.file.path)
            else:
                file, size = self.files.write(request.sop_instance, (head_of(request), dataset))
            # Should the commit fail, the file stays: it may have been committed all the same, and a file without a row
            # is harmless where a row without a file is a loss.
            is_new = self._index.add(
                InstanceRecord(
                    header=header,
                    sop_class=request.sop_class,
                    sop_instance=request.sop_instance,
                    transfer_syntax=request.transfer_syntax,
                    file=file,
                    size=size,
                    received=received,
                )
            )
        return StoredInstance(request, header, self.files.path(file), size, is_new=is_new)


def _lock(directory: Path) -> int:
    """Hold the directory for this process. The system lets go of the lock when the process ends, however it ends."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as held:
        os.close(descriptor)
        raise UnavailableError(
            f"The archive in {directory} is in use by another process.", "Stop that one first, or choose another place."
        ) from held
    return descriptor


def _answer(status: int, comment: str) -> StoreStatus:
    return StoreStatus(status, comment[:_COMMENT_LENGTH])


_REJECTED = _answer(NOT_AUTHORIZED, "This instance was rejected here by a rejection note")
