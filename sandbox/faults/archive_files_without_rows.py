"""Images that were stored and never indexed: every so many of a study is missing from it, and nobody was told."""

from __future__ import annotations

from pydantic import Field

from sandbox.archive.accidents import find_rows_again, lose_rows, rows_every, rows_in
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class FilesWithoutRows(OnStudies):
    """``archive.files_without_rows``: on ``node`` each ``every``-th image of the studies has a file and no row.

    Seen from outside: ``findscu`` at STUDY level gives fewer instances (0020,1208) than the modality sent, and
    ``movescu`` brings as few. Mended by ``archive.reindex`` or ``archive.orphans.mend`` for files.
    """

    kind = "archive.files_without_rows"
    symptoms = (
        "A study has fewer images in the archive than the modality made, and everything says success.",
        "The archive has files that its index does not know (archive.orphans).",
    )

    every: int = Field(2, ge=1, le=1000)

    def explanation(self) -> str:
        return (
            f"On {self.node} some images had been written to disk and never entered in the index. Searches and "
            "retrieves go by the index, so the studies looked complete and were not. The files were there all along."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        rows = rows_every(rows_in(archive, [study.study_uid for study in self.studies(department)]), self.every)
        lose_rows(archive, rows)
        return lambda: find_rows_again(archive, rows)
