"""One process a lab directory: a lock that the operating system lets go of when its holder ends, however it ends.

The lock is on the open file, not in its text, so a file left behind by a killed process or an earlier boot never stands
in the way. The text names the holder, for people and for the sentence that a second process is told.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO

from sandbox.lab.directory import read_json
from sandbox.model.errors import ConflictError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        # A byte beyond the text, since Windows keeps others from reading a locked range.
        file.seek(1 << 20)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True
else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class DirectoryLock:
    """The right to run the lab in one directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock, or ConflictError that names the process which has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        if not _try_lock(file):
            file.close()
            holder = read_json(self._path)
            pid = holder.get("pid", "?") if isinstance(holder, dict) else "?"
            raise ConflictError(
                f"The lab in {self._path.parent} is already running (process {pid}).", "End it first, or use another."
            )
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid()}))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go. Calling it again does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
