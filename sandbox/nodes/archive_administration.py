"""What an administrator does to an archive that is a node: operations told to the event log, quota and watermark.

An operation is journalled by the archive itself (sandbox.archive.operations); here it also becomes an event and a line
of the node's log. That the archive is full is told once, when it begins to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.archive.archive import INCOMPLETE, SUCCESS, Archive
from sandbox.archive.operations.note import ObeyNote
from sandbox.archive.operations.operation import Kind, Operation, Outcome
from sandbox.archive.quota import Crossing, Quota
from sandbox.archive.store import OutOfResourcesError
from sandbox.dicom.contract import StoreRequest, StoreStatus
from sandbox.events import kinds
from sandbox.events.event import STAGING, SYSTEM
from sandbox.events.log import because, current

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

_OUT_OF_RESOURCES = 0xA700

TOLD: dict[Kind, Callable[..., kinds.Body]] = {
    Kind.DELETE: kinds.ArchiveDeleted,
    Kind.RESTORE: kinds.ArchiveRestored,
    Kind.EMPTY_BIN: kinds.ArchiveBinEmptied,
    Kind.REINDEX: kinds.ArchiveReindexed,
    Kind.MEND_ORPHANS: kinds.ArchiveOrphansMended,
    Kind.EDIT: kinds.ArchiveEdited,
    Kind.MERGE: kinds.ArchiveMerged,
    Kind.SPLIT: kinds.ArchiveSplit,
    Kind.MOVE: kinds.ArchiveStudyMoved,
    Kind.REJECT: kinds.ArchiveRejected,
    Kind.UNDO: kinds.ArchiveUndone,
    Kind.EXPORT: kinds.ArchiveExported,
}
"""The event of each kind of operation."""


class ArchiveAdministration:
    """Operations and limits of the archive of ``node``."""

    def __init__(self, node: Node, archive: Archive) -> None:
        self.archive = archive
        self._node = node
        self._quota = Quota(archive.size)
        self._is_full = False
        archive.files.limit = self._limit
        archive.followers.append(self._follow)

    @property
    def exports(self) -> Path:
        """The directory that exports are written to."""
        return self._node.context.directory / "exports"

    def operate(self, operation: Operation) -> Outcome:
        """Carry out an operation on behalf of whoever this thread works for, and tell of it. Raises SandboxError."""
        return self.archive.operate(operation, current().actor)

    def _follow(self, operation: Operation, outcome: Outcome, by: str) -> None:
        """Tell of what was done: by a person, or by a rejection note that came."""
        if isinstance(operation, ObeyNote) and not outcome.entry:
            if not outcome.ok:
                self._node.log("warning", outcome.sentence)
            return
        self._tell(
            TOLD[outcome.kind](
                sentence=outcome.sentence,
                reason=operation.reason,
                entry=outcome.entry,
                instances=outcome.instances,
                studies=outcome.studies,
            )
        )
        whose = f" By a note from {by}." if isinstance(operation, ObeyNote) else ""
        self._node.log("info", f"{outcome.sentence} Reason: {operation.reason}{whose}")
        self.watch(0)

    def set_limits(self, *, quota: int, watermark: int, reserve: int) -> None:
        """Bytes that may be held (0: any number), per cent of that above which to warn, bytes of disk to stay free."""
        self.archive.files.reserve = reserve
        self._quota.set(quota, watermark)
        self.watch(0)

    def store(self, request: StoreRequest) -> StoreStatus:
        """C-STORE, and a word when the archive begins to refuse."""
        answer = self.archive.store(request)
        if answer.status == _OUT_OF_RESOURCES:
            self._tell_full(answer.comment)
        elif answer.status in (SUCCESS, INCOMPLETE):
            self._is_full = False
        return answer

    def watch(self, grown: int) -> None:
        """Look at the level after ``grown`` bytes came (0: after anything else), and tell when the mark is crossed."""
        crossing = self._quota.grown(grown)
        if crossing is Crossing.NONE:
            return
        level = self._quota.level()
        with _by_itself():
            if crossing is Crossing.ABOVE:
                self._tell(kinds.ArchiveWatermarkPassed(used=level.used, quota=level.quota, percent=level.percent))
                self._node.log("warning", f"{level.percent} % of the quota is used, above the high watermark")
            else:
                self._tell(kinds.ArchiveWatermarkCleared(used=level.used, quota=level.quota, percent=level.percent))
                self._node.log("info", f"{level.percent} % of the quota is used, below the high watermark again")

    def _limit(self, size: int) -> None:
        try:
            self._quota.check(size)
        except OutOfResourcesError as full:
            self._tell_full(full.sentence)
            raise

    def _tell_full(self, reason: str) -> None:
        if self._is_full:
            return
        self._is_full = True
        with _by_itself():
            self._tell(kinds.ArchiveFilled(reason=reason))
            self._node.log("error", f"No more images are taken: {reason}")

    def _tell(self, body: kinds.Body) -> None:
        self._node.context.events.append(body, node=self._node.name)


def _by_itself() -> AbstractContextManager[None]:
    """For what the archive says by itself. Whatever filled it may be hidden from a trainee; that it warns is not."""
    return because(None, SYSTEM) if current().actor in STAGING else nullcontext()
