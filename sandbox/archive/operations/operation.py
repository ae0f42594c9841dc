"""The base of all operations, what comes of one, and how the journal and the bin are seen."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.archive.uids import is_uid
from sandbox.model.base import Model
from sandbox.model.errors import BadInputError

if TYPE_CHECKING:
    from sandbox.archive.operations.bench import Bench


class Kind(StrEnum):
    """What was done, as the journal names it."""

    DELETE = "delete"
    RESTORE = "restore"
    EMPTY_BIN = "empty-bin"
    REINDEX = "reindex"
    MEND_ORPHANS = "mend-orphans"
    EDIT = "edit"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    REJECT = "reject"
    UNDO = "undo"
    EXPORT = "export"


class Outcome(Model):
    """What came of an operation: a sentence, lines of detail, its ``entry`` in the journal (0: nothing was changed),
    how many instances it touched and the studies they are in now."""

    kind: Kind
    ok: bool = True
    sentence: str
    facts: tuple[str, ...] = ()
    entry: int = 0
    instances: int = 0
    studies: tuple[str, ...] = ()


class Operation(Model):
    """One thing an administrator does. ``reason`` is why, and stands in the journal."""

    kind: ClassVar[Kind]

    reason: str = Field(min_length=1, max_length=200)

    def run(self, bench: Bench, by: str) -> Outcome:
        """Do it on behalf of ``by``. Raises SandboxError, and then nothing is changed."""
        raise NotImplementedError


class JournalEntry(Model):
    """A line of the journal. ``at`` is in seconds since the epoch, ``in_bin`` counts the files that it still keeps,
    ``undone_by`` is the entry that took it back."""

    number: int
    at: float
    actor: str
    kind: Kind
    reason: str
    subject: str
    sentence: str
    undone_by: int = 0
    instances: int = 0
    in_bin: int = 0
    size_in_bin: int = 0


def checked_uid(text: str, what: str) -> str:
    """A UID that was entered, or BadInputError."""
    if not is_uid(text.strip()):
        raise BadInputError(f"{text[:80]!r} is no {what}.", "A UID is at most 64 digits and dots (PS3.5 9.1).")
    return text.strip()


def counted(number: int, what: str, plural: str = "") -> str:
    """ "1 instance", "3 instances"."""
    return f"{number} {what if number == 1 else plural or what + 's'}"
