"""Splitting a study: chosen series become a study of their own.

What belongs to another study is another instance: Study, Series and SOP Instance UIDs are all new (as IHE IOCM has it
for corrections), for copies of the old ones may be anywhere. What moves together goes on referring to each other; the
old UIDs stand in the Original Attributes Sequence, and the old instances are in the bin.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.demographics import STUDY_KEYWORDS, checked, rewrite
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, checked_uid, counted
from sandbox.archive.operations.rewrite import Why, dataset_before_pixels, references
from sandbox.archive.operations.selection import chosen
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError


class Split(Operation):
    """Series ``series_uids`` of study ``study_uid`` become a new study; ``values`` are what is different in it, such as
    its accession number."""

    kind: ClassVar[Kind] = Kind.SPLIT

    study_uid: str
    series_uids: tuple[str, ...] = Field(min_length=1)
    values: dict[str, str] = Field(default_factory=dict)

    def run(self, bench: Bench, by: str) -> Outcome:
        values = checked(self.values, STUDY_KEYWORDS) if self.values else {}
        rows = chosen(bench, self.study_uid)
        wanted = {checked_uid(uid, "Series Instance UID") for uid in self.series_uids}
        there = {row.series_uid for row in rows}
        if missing := sorted(wanted - there):
            raise NotFoundError(f"The study has no series {missing[0]}.", "Look at the study's series.")
        if wanted == there:
            raise BadInputError("All series of the study would go.", "Move the study instead, or choose fewer series.")
        going = [row for row in rows if row.series_uid in wanted]
        staying = [row for row in rows if row.series_uid not in wanted]
        uids = {uid: new_uid() for uid in (*sorted(wanted), *(row.sop_instance for row in going))}
        study = new_uid()
        referring = _referring([bench.files.path(row.file) for row in staying], {r.sop_instance for r in going})
        with bench.stage() as stage:
            rewrite(bench, stage, going, values | {"StudyInstanceUID": study}, Why.CORRECT, uids)
            sentence = (
                f"Split study {self.study_uid}: {counted(len(wanted), 'series', 'series')} with "
                f"{counted(len(going), 'instance')} are study {study} now."
            )
            done = bench.change(
                Entry(by, self.kind, self.reason, f"study {self.study_uid} into {study}", sentence),
                out=going,
                came=stage.made,
            )
        facts = [f"New Study Instance UID: {study}", "Series and instances have new UIDs too."]
        if referring:
            facts.append(f"{counted(referring, 'instance')} that stayed refer to images under their old UIDs.")
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=tuple(facts),
            entry=done.entry,
            instances=done.instances,
            studies=(study, self.study_uid),
        )


def _referring(paths: Iterable[Path], gone: set[str]) -> int:
    """How many of the files refer to instances that go."""
    count = 0
    for path in paths:
        try:
            count += references(dataset_before_pixels(path), gone)
        except ConflictError:
            continue  # what cannot be read stays as it is
    return count


def new_uid() -> str:
    """A UID from a UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"
