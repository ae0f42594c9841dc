"""Doing what a rejection note says that came from outside (IHE IOCM; PS3.3 A.35.4, PS3.16 CID 7011).

A Key Object Selection document with a rejection title is stored as any instance; then what it names, of the studies
that it names it in, is out of queries and retrieves, lies in the bin, and is refused when it is sent again, as if an
administrator had rejected it. What it names and is not here is passed over. A note is obeyed once: what was taken back
since stays. A note that is not made as the standard wants is an ordinary object, and hides nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sandbox.archive.header import Header
from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.index.schema import operations
from sandbox.archive.operations import journal
from sandbox.archive.operations.bench import Bench
from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind, Operation, Outcome, counted
from sandbox.archive.operations.reject import KEY_OBJECT_SELECTION, MEANINGS, Title
from sandbox.archive.operations.rewrite import dataset_before_pixels
from sandbox.archive.uids import is_uid
from sandbox.model.errors import NotFoundError, SandboxError

log = logging.getLogger(__name__)

_TITLE, _CODE, _SCHEME = "ConceptNameCodeSequence", "00080100", "00080102"


def title_of(sop_class: str, header: Header) -> Title | None:
    """Why an instance rejects others, or None if it is no rejection note."""
    titles = header.get_keyword(_TITLE) if sop_class == KEY_OBJECT_SELECTION else ""
    for item in json.loads(titles) if titles else []:
        code, scheme = _value(item, _CODE), _value(item, _SCHEME)
        if scheme == "DCM" and code in frozenset(Title):
            return Title(code)
    return None


def _value(item: Mapping[str, Any], tag: str) -> str:
    """The first value of an element of DICOM JSON, as text whatever it is."""
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0])


class ObeyNote(Operation):
    """Reject what the stored note ``sop_instance`` names."""

    kind: ClassVar[Kind] = Kind.REJECT

    sop_instance: str
    title: Title

    def run(self, bench: Bench, by: str) -> Outcome:
        notes = bench.rows_of([self.sop_instance])
        if not notes:
            raise NotFoundError("The rejection note is not in the archive any more.", "Send it again.")
        subject = f"note {self.sop_instance}"
        try:
            rows = [] if _was_obeyed(bench, subject) else _named(bench, bench.files.path(notes[0].file))
        except _MalformedError as wrong:
            sentence = f"The rejection note {self.sop_instance} is kept and hides nothing: {wrong}."
            log.warning(sentence)
            return Outcome(kind=self.kind, ok=False, sentence=sentence)
        sentence = f"A note rejected {counted(len(rows), 'instance')}: {MEANINGS[self.title]}."
        if not rows:
            return Outcome(kind=self.kind, sentence=sentence)
        done = bench.change(Entry(by, self.kind, self.reason, subject, sentence), out=rows)
        return Outcome(
            kind=self.kind,
            sentence=sentence,
            facts=(f"Key Object Selection document: {self.sop_instance}",),
            entry=done.entry,
            instances=len(rows),
            studies=done.studies,
        )


def _was_obeyed(bench: Bench, subject: str) -> bool:
    with bench.index.connect() as connection:
        return bool(journal.read_entries(connection, operations.c.subject == subject, limit=1))


class _MalformedError(Exception):
    """A note that does not say what it rejects in the form of PS3.3 C.17.6.2; the words say what is wrong."""


def _named(bench: Bench, note: Path) -> list[InstanceRow]:
    """What is here of the note's evidence, in the study that it names it in. Notes themselves cannot be rejected."""
    try:
        study_of = _evidence(dataset_before_pixels(note))
    except (SandboxError, _MalformedError):
        raise
    except Exception as wrong:  # pydicom raises whatever comes up
        raise _MalformedError("it cannot be read to its end") from wrong
    return [
        row
        for row in bench.rows_of(list(study_of))
        if row.study_uid == study_of[row.sop_instance] and row.sop_class != KEY_OBJECT_SELECTION
    ]


def _evidence(dataset: Dataset) -> dict[str, str]:
    """The study of each SOP instance that the note names. Raises _MalformedError."""
    return {
        _uid(reference, "ReferencedSOPInstanceUID"): _uid(study, "StudyInstanceUID")
        for study in _items(dataset, "CurrentRequestedProcedureEvidenceSequence")
        for series in _items(study, "ReferencedSeriesSequence")
        for reference in _items(series, "ReferencedSOPSequence")
    }


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    found = dataset.get(keyword)
    if not isinstance(found, Sequence) or not found:
        raise _MalformedError(f"{keyword} is missing or has no items")
    return list(found)


def _uid(dataset: Dataset, keyword: str) -> str:
    found = dataset.get(keyword)
    if not isinstance(found, str) or not is_uid(found):
        raise _MalformedError(f"{keyword} is missing or no UID")
    return str(found)
