"""Studies that a retention rule removed for good, whether or not somebody else had taken charge of them."""

from __future__ import annotations

from sandbox.archive.accidents import bring_back, forget_entries, rows_in, withdraw
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, counted
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class Purged(OnStudies):
    """``archive.purged``: a retention rule removed the studies from ``node``, rows and files, past the bin.

    Seen from outside: ``findscu`` finds none of them; what has a copy elsewhere (a modality's disk, a workstation)
    still finds it there. The archive's journal (``archive.journal``) says when. Mended by sending them again from
    where a copy is (``exam.send``).
    """

    kind = "archive.purged"
    symptoms = (
        "Whole studies are gone from the archive: not found, no files, nothing in the bin.",
        "The journal of the archive has an entry by retention.",
    )

    def explanation(self) -> str:
        return (
            f"A retention rule of {self.node} had removed studies for good, past the bin. Nobody had made sure that "
            "another copy was safe first. What the modalities and workstations still held was all there was left."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        chosen = self.studies(department)
        withdrawn = withdraw(archive, rows_in(archive, [study.study_uid for study in chosen]))
        sentence = (
            f"Purged {counted(len(chosen), 'study', 'studies')} ({counted(len(withdrawn.rows), 'instance')}) for good."
        )
        subject = ", ".join(study.accession_number or study.study_uid for study in chosen[:3])
        number = archive.bench.note(Entry("retention", Kind.DELETE, "Retention period is over", subject, sentence))

        def undo() -> None:
            bring_back(archive, withdrawn)
            forget_entries(archive.bench, [number])

        return undo
