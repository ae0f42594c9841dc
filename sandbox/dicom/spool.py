"""Data sets too large for memory, on their way from the association into a file that the storage service provides.

What cannot be written ends the file and not the association: the rest of the message is read and dropped, and the
C-STORE is answered A700 with the reason.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from sandbox.dicom.contract import ReceivedFile, SpoolFile
from sandbox.model.errors import SandboxError

log = logging.getLogger(__name__)


class Spooled:
    """One data set in a file. ``failure`` says why it is not there as a whole; ``size`` counts what came even so."""

    def __init__(self, file: SpoolFile | None, failure: str = "") -> None:
        self._file = file
        self.failure = failure
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add what comes next. It never raises."""
        self.size += len(data)
        if self._file is None or self.failure:
            return
        try:
            self._file.write(data)
        except (OSError, SandboxError) as wrong:
            self.fail(wrong)

    def fail(self, wrong: OSError | SandboxError) -> None:
        """There is no file any more, and why."""
        log.warning("A large object cannot be kept: %s", wrong)
        self.failure = wrong.sentence if isinstance(wrong, SandboxError) else wrong.strerror or str(wrong)
        self.discard()

    def received(self) -> ReceivedFile:
        """The file, once it is whole."""
        assert self._file is not None
        return ReceivedFile(self._file.path, self._file.offset, self.size)

    def discard(self) -> None:
        """Close the file and delete it, unless the storage service has renamed it to its place."""
        if self._file is not None:
            with suppress(OSError):
                self._file.discard()
