"""An archive without room: it refuses every new image, and everything that sends to it queues up."""

from __future__ import annotations

from pydantic import Field

from sandbox.archive.accidents import forget_entries
from sandbox.archive.archive import Archive
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.restore import Restore
from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Undo, all_or_nothing, undo_all
from sandbox.faults.on_studies import OnArchive, archive_of
from sandbox.model.errors import ConflictError, SandboxError
from sandbox.nodes.department import Department

RETENTION = "retention"
"""Who deleted what lies in the bin."""

_STEP = 1_000_000
"""A quota is a whole number of megabytes, as a person would enter it."""


class VolumeFull(OnArchive):
    """``archive.volume_full``: ``node`` holds all that its quota allows, but for ``left_mb`` megabytes.

    ``bin_studies`` of the oldest studies were deleted by retention and still lie in the bin, which counts. Seen from
    outside: ``storescu`` is answered A700 with "Quota reached"; ``findscu`` and ``movescu`` work. Mended by
    ``archive.bin.empty`` or ``archive.delete`` of what may go, or by a larger ``quota_gb`` (and a restart).
    """

    kind = "archive.volume_full"
    symptoms = (
        "Everything stops sending at once: every C-STORE to the archive is answered A700.",
        "Searches and retrieves work as ever. The archive's log says that no more images are taken.",
    )

    left_mb: float = Field(0.0, ge=0, le=1_000_000)
    bin_studies: int = Field(0, ge=0, le=10_000)

    def explanation(self) -> str:
        in_bin = (
            f" {self.bin_studies} studies that retention had deleted still lay in the bin, and the bin counts."
            if self.bin_studies
            else ""
        )
        return (
            f"{self.node} had reached its quota and answered every new image A700 (out of resources).{in_bin} Nothing "
            "was lost: what could not be stored waited in the queues of those who sent it."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        with all_or_nothing() as undos:
            if self.bin_studies:
                undos.append(self._fill_bin(archive))
            quota = archive.size() + int(self.left_mb * 1_000_000)
            # Rounded down, so that there is never more room than was said; an empty archive is full with a byte.
            quota = max(quota - quota % _STEP if quota > 10 * _STEP and self.left_mb else quota, 1)
            undos.append(set_running(department, self.node, "quota_gb", quota / 1_000_000_000))
            mine = list(undos)
        return lambda: undo_all(mine)

    def _fill_bin(self, archive: Archive) -> Undo:
        oldest = sorted(archive.studies(limit=1_000_000), key=lambda study: (study.study_date, study.study_time))
        if len(oldest) <= self.bin_studies:
            raise ConflictError(
                f"{self.node} has {len(oldest)} studies, which is too few.", "Put fewer of them in the bin."
            )
        entries = [
            archive.operate(Delete(reason="Retention period is over", study_uid=study.study_uid), RETENTION).entry
            for study in oldest[: self.bin_studies]
        ]

        def undo() -> None:
            numbers = list(entries)
            for entry in entries:
                try:
                    numbers.append(archive.operate(Restore(reason="As before", entry=entry), RETENTION).entry)
                except SandboxError:
                    continue  # somebody emptied the bin, or restored it
            forget_entries(archive.bench, numbers)

        return undo
