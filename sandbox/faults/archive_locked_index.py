"""An index that cannot be written: a job that hangs holds its lock. It looks like a send fault, or like a full disk."""

from __future__ import annotations

from pydantic import Field

from sandbox.archive.accidents import lock_index, unlock_index
from sandbox.archive.trouble import Job
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnArchive, archive_of
from sandbox.nodes.department import Department


class LockedIndex(OnArchive):
    """``archive.locked_index``: the job ``job`` hangs and holds the write lock of ``node``'s index.

    Seen from outside: ``storescu`` is answered A700 for every new image, "The index cannot be written at the moment";
    ``echoscu`` and ``findscu`` work. Mended by ``archive.job.end`` (``archive.jobs`` tells which job it is). A restart
    of the archive does not help, for the job is another program.
    """

    kind = "archive.locked_index"
    symptoms = (
        "Nothing new can be stored: every C-STORE is answered A700, and senders' queues grow.",
        "Searches and retrieves work as ever, and the disk is not full.",
    )

    job: str = Field("nightly index backup", min_length=1, max_length=64)

    def explanation(self) -> str:
        return (
            f"On {self.node} the {self.job} hung and held the write lock of the index. An image counts as stored only "
            "when its row is written, so the archive refused every new one as out of resources (A700), with its disk "
            "half empty. Reading needs no lock, so searches and retrieves went on."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        before = archive.trouble.lock
        lock_index(archive, Job(name=self.job, since=f"{department.clock.now():%a %H:%M}"))

        def undo() -> None:
            if before is None:
                unlock_index(archive, self.job)
            else:
                lock_index(archive, before)

        return undo
