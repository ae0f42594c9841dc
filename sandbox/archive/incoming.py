"""A large instance on its way in: a Part 10 file that grows with what the sender sends, so that memory does not.

It has a temporary name until the store renames it to its place. Whatever ends the reception deletes it; what a kill
leaves is swept up when the store is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.archive.header import Buffer
from sandbox.archive.part10 import file_head, opened
from sandbox.dicom.contract import StoreRequest

_STEP = 64 << 20
"""After how many bytes to look whether there is room, and to hand what was written to the disk: a sender must not wait
for gigabytes at the end."""


class IncomingFile:
    """A file at ``path`` that begins with ``head`` (preamble and meta information). ``step`` is called with how many
    bytes will be written before it is called again, and may raise; ``synced`` writes to the disk as it goes."""

    def __init__(
        self, path: Path, head: bytes, *, step: Callable[[int], None] = lambda size: None, synced: bool = False
    ) -> None:
        self.path = path
        self.offset = len(head)
        self._step = step
        self._synced = synced
        self._since_step = 0
        step(_STEP)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            self.write(head)
        except BaseException:
            self.discard()
            raise

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add what comes next. Raises OSError, or what ``step`` raises."""
        rest = memoryview(data)
        self._since_step += len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        if self._since_step >= _STEP:
            self._since_step = 0
            self._step(_STEP)
            if self._synced:
                os.fdatasync(self._descriptor)

    def discard(self) -> None:
        """Close the file and delete it if it still has its temporary name."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)
            self.path.unlink(missing_ok=True)


def head_of(request: StoreRequest) -> bytes:
    """What stands before the data set of a received instance in its Part 10 file."""
    return file_head(request.sop_class, request.sop_instance, request.transfer_syntax, request.facts.calling_ae.strip())


@contextmanager
def dataset_of(request: StoreRequest) -> Iterator[Buffer]:
    """The data set of a C-STORE: as it is in memory, or mapped from the file into which a large one was received."""
    if request.file is None:
        yield request.dataset
        return
    with opened(request.file.path) as (_, dataset):
        yield dataset
