"""A storage tier that is not mounted: the index lists its studies, and not one of their images can be read."""

from __future__ import annotations

from pydantic import Field

from sandbox.archive.accidents import rows_in
from sandbox.archive.volumes import forget, unmount
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class RowsWithoutFiles(OnStudies):
    """``archive.rows_without_files``: the volume ``volume`` of ``node``, which holds the studies, is not mounted.

    Seen from outside: ``findscu`` finds the studies as ever; ``movescu`` ends with A702 or B000 and failed
    sub-operations. New studies work. Mended by ``archive.volume.mount`` (``archive.volumes`` tells which is missing).
    """

    kind = "archive.rows_without_files"
    symptoms = (
        "Old studies are listed and cannot be opened: every image of a retrieve fails.",
        "New studies can be opened. The archive has rows whose file is gone (archive.orphans).",
    )

    volume: str = Field("nearline", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")

    def explanation(self) -> str:
        return (
            f"The volume {self.volume} of {self.node} was not mounted. The index, on another disk, still listed what "
            "lies on it, so searches found the studies; reading their files failed, so every retrieve did."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        rows = rows_in(archive, [study.study_uid for study in self.studies(department)])
        unmount(archive.bench, self.volume, [row.file for row in rows])
        return lambda: forget(archive.bench, self.volume)
