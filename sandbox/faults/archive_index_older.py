"""An index restored from a backup that is older than the images: what came since lies on disk, and nobody finds it."""

from __future__ import annotations

from pydantic import Field

from sandbox.archive.accidents import find_rows_again, lose_rows, rows_in
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class IndexOlder(OnStudies):
    """``archive.index_older``: the index of ``node`` was restored from a backup made ``newer_than_h`` hours ago.

    What came since has no row; its files lie on the archive's disk. Seen from outside: ``findscu`` finds none of those
    studies, although the modality has its C-STORE answered 0000. Mended by ``archive.reindex``, or by
    ``archive.orphans.mend`` for files. A restart of the archive does not index them by itself.
    """

    kind = "archive.index_older"
    symptoms = (
        "Studies of the last hours or days are gone from searches; older ones are found as ever.",
        "The archive has files that its index does not know (archive.orphans).",
    )

    newer_than_h: float = Field(24.0, gt=0)

    def explanation(self) -> str:
        return (
            f"{self.node}'s index was restored from a backup of {self.newer_than_h:g} hours earlier. The images that "
            "came since were still on its disk, but the index, which answers every search, had never heard of them."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        rows = rows_in(archive, [study.study_uid for study in self.studies(department)])
        lose_rows(archive, rows)
        return lambda: find_rows_again(archive, rows)
