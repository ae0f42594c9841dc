"""The image store: Part 10 files on disk, each whole or not there at all.

A file is written under ``incoming/``, renamed to its place when it is whole, and flushed with its new name before the
caller hears of success. Names come from UIDs that were checked (PS3.5 9.1), never from input as it stands. Directories
are by hash, so that none grows without bound. Sizes are in bytes.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from sandbox.archive.header import Buffer
from sandbox.archive.incoming import IncomingFile
from sandbox.archive.uids import is_uid
from sandbox.model.errors import BadInputError, SandboxError

SUFFIX = ".dcm"
_PART = ".part"
_BUCKETS = tuple(f"{number:02x}" for number in range(256))
_MOUNTS = Path("/proc/self/mountinfo")
_FLUSHING_NAMES = frozenset({"ext4", "xfs", "btrfs", "f2fs"})
_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Sync(StrEnum):
    """``full``: a stored instance survives a power cut. ``normal``: it survives the end of the process by any means."""

    FULL = "full"
    NORMAL = "normal"


class OutOfResourcesError(SandboxError):
    """The disk is full, or fuller than the reserve allows. A C-STORE is answered A700 with the sentence."""


def free_bytes(directory: Path) -> int:
    """What an unprivileged process may still write on the file system of ``directory``."""
    state = os.statvfs(directory)
    return state.f_bavail * state.f_frsize


class ImageStore:
    """The files of one archive under ``directory``.

    ``reserve`` is how much of the disk must stay free; it may be changed while running. ``free`` measures it, and is
    handed in so that a lab can fill a disk that is not full. ``limit`` is asked before so many bytes are written, and
    raises OutOfResourcesError when a quota does not allow them.
    """

    def __init__(
        self, directory: Path, sync: Sync = Sync.FULL, *, reserve: int = 0, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self.directory = directory
        self.reserve = reserve
        self.free = free
        self.limit: Callable[[int], None] = lambda size: None
        self._sync = sync
        self._incoming = directory / "incoming"
        self._files = directory / "files"
        self._numbers = itertools.count()
        self._process = os.getpid()
        for needed in (self._incoming, self._files):
            needed.mkdir(parents=True, exist_ok=True)
        # As text: making a Path costs as much as the call it is made for.
        self._incoming_text, self._files_text = str(self._incoming), str(self._files)
        self._sync_names = not _names_follow_files(self._files)
        self._made = {entry.name for entry in os.scandir(self._files)}
        if sync is Sync.FULL and not self._made.issuperset(_BUCKETS):
            # All at once, and before anybody waits: each synced for itself costs as much as all together.
            self._make(_BUCKETS)
        for left in self._incoming.glob("*" + _PART):
            left.unlink(missing_ok=True)

    def relative_path(self, sop_instance: str) -> str:
        """Where an instance lies, relative to the store: the name the index keeps."""
        if not is_uid(sop_instance):
            raise BadInputError(f"{sop_instance[:80]!r} is no UID.", "A UID is at most 64 digits and dots (PS3.5 9.1).")
        bucket = hashlib.blake2b(sop_instance.encode("ascii"), digest_size=1).hexdigest()
        return f"{bucket}/{sop_instance}{SUFFIX}"

    def path(self, relative: str) -> Path:
        return self._files / relative

    def write(self, sop_instance: str, parts: Iterable[Buffer]) -> tuple[str, int]:
        """Write one instance and return its relative path and size. Raises OutOfResourcesError, and then the instance
        is not there, or whole and not known to last: what is to be answered is the same."""
        return self._write(sop_instance, list(parts), synced=self._sync is Sync.FULL)

    def holds(self, relative: str) -> bool:
        """Whether there is a file of that name."""
        return os.path.exists(f"{self._files_text}/{relative}")  # noqa: PTH110

    def _write(self, sop_instance: str, pieces: list[Buffer], *, synced: bool) -> tuple[str, int]:
        size = sum(len(piece) for piece in pieces)
        relative = self.relative_path(sop_instance)
        name = self._temporary()
        try:
            self.make_room(size)
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            try:
                _write_all(descriptor, pieces)
                target = self._put(name, relative)
                if synced:
                    self._flush(descriptor, target)
            finally:
                os.close(descriptor)
        except OSError as wrong:
            # The temporary name alone: once renamed the file is whole, and may be what a row stands for.
            with suppress(OSError):
                Path(name).unlink()
            raise _out_of_resources(wrong) from wrong
        return relative, size

    def _flush(self, descriptor: int, target: str) -> None:
        """Have a file that was renamed outlive a power cut, by its new name."""
        # After the rename, and not fdatasync: one flush is then enough for the bytes and the name.
        os.fsync(descriptor)
        if self._sync_names:
            _sync_directory(Path(target).parent)

    def begin(self, head: bytes) -> IncomingFile:
        """A file for a large instance that is still being received. Raises OutOfResourcesError."""
        try:
            return IncomingFile(Path(self._temporary()), head, step=self.make_room, synced=self._sync is Sync.FULL)
        except OSError as wrong:
            raise _out_of_resources(wrong) from wrong

    def take(self, sop_instance: str, incoming: Path) -> tuple[str, int]:
        """Give a file of ``begin`` its place; its relative path and size. Raises OutOfResourcesError and changes
        nothing."""
        relative = self.relative_path(sop_instance)
        try:
            descriptor = os.open(incoming, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.fstat(descriptor).st_size
                target = self._put(str(incoming), relative)
                if self._sync is Sync.FULL:
                    self._flush(descriptor, target)
            finally:
                os.close(descriptor)
        except OSError as wrong:
            raise _out_of_resources(wrong) from wrong
        return relative, size

    def _temporary(self) -> str:
        return f"{self._incoming_text}/{self._process}-{next(self._numbers)}{_PART}"

    def adopt(self, sop_instance: str, source: Path) -> tuple[str, int]:
        """Take an existing Part 10 file in, by hard link where the file system allows, else by copy.

        It is not synced file by file: bulk loads end with ``sync_all``.
        """
        relative = self.relative_path(sop_instance)
        target = self.path(relative)
        self._make_directory(relative)
        try:
            size = source.stat().st_size
            self.make_room(size)
            temporary = Path(self._temporary())
            try:
                try:
                    os.link(source, temporary)
                except OSError:
                    shutil.copyfile(source, temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)  # also there after the rename of two links to one file (POSIX)
        except OSError as wrong:
            raise _out_of_resources(wrong) from wrong
        return relative, size

    def place(self, sop_instance: str, data: Buffer) -> tuple[str, int]:
        """As ``write``, but synced only by the ``sync_all`` at the end of the bulk load."""
        return self._write(sop_instance, [data], synced=False)

    def sync_all(self) -> None:
        """After a bulk load: everything written so far to disk, if the policy is ``full``."""
        if self._sync is Sync.FULL:
            os.sync()

    def remove(self, relative: str) -> None:
        self.path(relative).unlink(missing_ok=True)

    def written_since(self, moment: float) -> Iterator[tuple[str, str]]:
        """(relative path, SOP Instance UID) of the files in directories that changed at or after ``moment`` (seconds
        since the epoch). A directory changes when a file is renamed into it, so older ones need no look."""
        for bucket in os.scandir(self._files):
            if bucket.is_dir() and bucket.stat().st_mtime >= moment:
                for entry in os.scandir(bucket.path):
                    uid = entry.name.removesuffix(SUFFIX)
                    if entry.name.endswith(SUFFIX) and is_uid(uid):
                        yield f"{bucket.name}/{entry.name}", uid

    def make_room(self, size: int) -> None:
        """Raises OutOfResourcesError, with the reason, when ``size`` more bytes may not be written."""
        self.limit(size)
        free = self.free(self._files)
        if free - size < self.reserve:
            kept = f", {_spoken(self.reserve)} kept in reserve" if self.reserve else ""
            raise OutOfResourcesError(
                f"Disk full: {_spoken(free)} free{kept}.",
                "Free space on the archive's disk, or lower the reserve.",
            )

    def _put(self, name: str, relative: str) -> str:
        """Rename a file to its place; where that is."""
        self._make_directory(relative)
        target = f"{self._files_text}/{relative}"
        try:
            os.rename(name, target)  # noqa: PTH104
        except FileNotFoundError:
            # The directory went behind our back.
            self._made.discard(relative.partition("/")[0])
            self._make_directory(relative)
            os.rename(name, target)  # noqa: PTH104
        return target

    def _make_directory(self, relative: str) -> None:
        bucket = relative.partition("/")[0]
        if bucket not in self._made:
            self._make((bucket,))

    def _make(self, buckets: Iterable[str]) -> None:
        for name in buckets:
            (self._files / name).mkdir(exist_ok=True)
        if self._sync is Sync.FULL:
            _sync_directory(self._files)
        self._made.update(buckets)


def _write_all(descriptor: int, pieces: list[Buffer]) -> None:
    written = os.writev(descriptor, pieces)
    for piece in pieces:
        # A disk that fills up takes a part; the next call says why.
        rest = memoryview(piece)[written:]
        written = max(written - len(piece), 0)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names_follow_files(directory: Path) -> bool:
    """Whether flushing a file flushes a new name of it as well. Linux's own file systems do that (those with a journal
    since both are in it, ext4 without one on purpose); POSIX promises it nowhere."""
    device = directory.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in _MOUNTS.read_text().splitlines():
            mount, _, kind = line.partition(" - ")
            if mount.split()[2] == number:
                return kind.split()[0] in _FLUSHING_NAMES
    return False


def _out_of_resources(wrong: OSError) -> OutOfResourcesError:
    if wrong.errno in _FULL_ERRORS:
        return OutOfResourcesError(f"Disk full: {os.strerror(wrong.errno or 0)}.", "Free space on the archive's disk.")
    return OutOfResourcesError(f"Cannot write image: {wrong.strerror or wrong}.", "Look at the archive's directory.")


def _spoken(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB" if size < 10_000_000_000 else f"{size / 1_000_000_000:.0f} GB"
