"""A list and its files that say different things: a correction made in the database only, or files changed under it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from sandbox.archive.accidents import DRIFTING, drift, drift_files, follow_files
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class Where(StrEnum):
    """Which of the two says the new value: the index (files as they came) or the files (index as it was)."""

    INDEX = "index"
    FILES = "files"


class HeaderDrift(OnStudies):
    """``archive.header_drift``: ``node``'s index says ``value`` as the studies' ``keyword``, their files do not; with
    ``where`` ``files`` the files say it, and the index does not.

    Seen from outside: ``findscu`` gives the one, ``getscu`` and ``dcmdump`` of what it brings the other. Mended by
    ``archive.edit``, which writes the files anew; ``archive.reindex`` makes the index say what the files say. Where the
    files were changed, the modality's own copy is as it was.
    """

    kind = "archive.header_drift"
    symptoms = (
        "A study is right in the archive's list and wrong on a CD, at the workstation and at whoever gets it.",
        "C-FIND and the header of a retrieved image say different things.",
    )

    newest: int = Field(1, ge=0)
    keyword: str = "PatientName"
    value: str = Field(max_length=64)
    where: Where = Where.INDEX

    @model_validator(mode="after")
    def _kept_by_the_index(self) -> Self:
        known = [attribute.keyword for attribute in DRIFTING if attribute.keyword != "StudyInstanceUID"]
        if self.keyword not in known:
            raise ValueError(f"the index keeps no {self.keyword} of a study; it keeps {', '.join(known)}")
        return self

    def explanation(self) -> str:
        if self.where is Where.FILES:
            return (
                f"On {self.node} a program had written {self.value!r} as {self.keyword} into the archive's files and "
                "told nobody. Searches and lists are answered from the database, which still said what is right; "
                "whatever is sent or exported comes from the files."
            )
        return (
            f"On {self.node} {self.keyword} had been corrected to {self.value!r} in the database and not in the files. "
            "Searches and lists are answered from the database; whatever is sent or exported comes from the files, "
            "which still said what was wrong."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        uids = [study.study_uid for study in self.studies(department)]
        if self.where is Where.FILES:
            return drift_files(archive, uids, self.keyword, self.value)
        for uid in uids:
            drift(archive, uid, {self.keyword: self.value})

        def undo() -> None:
            for uid in uids:
                follow_files(archive, uid)

        return undo
