"""What is wrong with an archive beside its files and rows, kept in its directory so that it outlives the process.

``trouble.json`` is there only while something is wrong: instances whose files an opening archive shall not index by
itself, since their rows went with an older index and not in a crash; and a job that holds the index's write lock.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from sandbox.model.base import Model
from sandbox.model.errors import UnavailableError
from sandbox.model.files import write_whole

FILE_NAME = "trouble.json"


class Job(Model):
    """A job of somebody else's that holds the index's write lock, such as a backup. ``since`` is a time in words."""

    name: str
    since: str = ""


class Trouble(Model):
    """``unindexed`` are SOP Instance UIDs, ``lock`` is the job that keeps others from writing."""

    unindexed: tuple[str, ...] = ()
    lock: Job | None = None


class TroubleFile:
    """Reads and replaces the trouble of the archive in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def read(self) -> Trouble:
        """What is wrong; nothing if there is no file."""
        if not self._path.exists():
            return Trouble()
        try:
            return Trouble.model_validate(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as wrong:
            raise UnavailableError(f"{self._path} cannot be read.", "Reset the lab to make it anew.") from wrong

    def write(self, trouble: Trouble) -> None:
        """Keep it; a file that would say nothing is removed."""
        if trouble == Trouble():
            self._path.unlink(missing_ok=True)
        else:
            write_whole(self._path, trouble.model_dump_json(indent=1))
