"""A correction that was made in the database only: right on screen, and as wrong as ever in the files that leave."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from sandbox.archive.accidents import DRIFTING, drift, follow_files
from sandbox.faults.fault import Undo
from sandbox.faults.on_studies import OnStudies, archive_of
from sandbox.nodes.department import Department


class HeaderDrift(OnStudies):
    """``archive.header_drift``: ``node``'s index says ``value`` as the studies' ``keyword``, their files do not.

    Seen from outside: ``findscu`` gives the one, ``getscu`` and ``dcmdump`` of what it brings the other. Mended by
    ``archive.edit``, which writes the files anew; ``archive.reindex`` makes the index wrong again.
    """

    kind = "archive.header_drift"
    symptoms = (
        "A study is right in the archive's list and wrong on a CD, at the workstation and at whoever gets it.",
        "C-FIND and the header of a retrieved image say different things.",
    )

    newest: int = Field(1, ge=0)
    keyword: str = "PatientName"
    value: str = Field(max_length=64)

    @model_validator(mode="after")
    def _kept_by_the_index(self) -> Self:
        known = [attribute.keyword for attribute in DRIFTING if attribute.keyword != "StudyInstanceUID"]
        if self.keyword not in known:
            raise ValueError(f"the index keeps no {self.keyword} of a study; it keeps {', '.join(known)}")
        return self

    def explanation(self) -> str:
        return (
            f"On {self.node} {self.keyword} had been corrected to {self.value!r} in the database and not in the files. "
            "Searches and lists are answered from the database; whatever is sent or exported comes from the files, "
            "which still said what was wrong."
        )

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        uids = [study.study_uid for study in self.studies(department)]
        for uid in uids:
            drift(archive, uid, {self.keyword: self.value})

        def undo() -> None:
            for uid in uids:
                follow_files(archive, uid)

        return undo
