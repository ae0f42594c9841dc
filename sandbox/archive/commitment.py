"""Storage commitment, push model (PS3.4 J): what is asked and what is reported, as data sets and as values, and the
archive's judgement of what it can vouch for.

"Committed" is said of an instance only when its file was read back just now, whole and being what the index says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.archive import Archive
from sandbox.archive.header import UnreadableError
from sandbox.archive.part10 import NotPart10Error
from sandbox.archive.recovery import record_of
from sandbox.archive.uids import is_uid
from sandbox.dicom.syntaxes import STORAGE_CLASSES

REQUEST = 1
"""The action type of a request (PS3.4 J.3.2)."""
ALL_COMMITTED, SOME_FAILED = 1, 2
"""The event types of a report (PS3.4 J.3.3)."""

PROCESSING_FAILURE = 0x0110
NO_SUCH_INSTANCE = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119
CLASS_NOT_SUPPORTED = 0x0122
DUPLICATE_TRANSACTION = 0x0131
RESOURCE_LIMITATION = 0x0213

_STORAGE = frozenset(STORAGE_CLASSES)


@dataclass(frozen=True)
class Reference:
    """An instance by its UIDs."""

    sop_class: str
    sop_instance: str


@dataclass(frozen=True)
class Report:
    """What became of the instances of one transaction. ``failed`` has the failure reason (0008,1197) of each."""

    transaction_uid: str
    committed: tuple[Reference, ...] = ()
    failed: tuple[tuple[Reference, int], ...] = ()

    @property
    def event_type(self) -> int:
        return SOME_FAILED if self.failed else ALL_COMMITTED


def request_dataset(transaction_uid: str, references: Iterable[Reference]) -> Dataset:
    """The action information of a request (PS3.4 table J.3-1)."""
    dataset = Dataset()
    dataset.TransactionUID = transaction_uid
    dataset.ReferencedSOPSequence = [_item(reference) for reference in references]
    return dataset


def read_request(dataset: Dataset | None) -> tuple[str, tuple[Reference, ...]]:
    """Transaction UID and instances of a request. Raises ValueError with a comment for the answer."""
    transaction_uid = "" if dataset is None else str(dataset.get("TransactionUID") or "")
    if dataset is None or not is_uid(transaction_uid):
        raise ValueError("Transaction UID is missing or no UID")
    references = _references(dataset.get("ReferencedSOPSequence"))
    if not references:
        raise ValueError("Referenced SOP Sequence is missing or empty")
    return transaction_uid, references


def report_dataset(report: Report, retrieve_ae: str) -> Dataset:
    """The event information of a report (PS3.4 table J.3-2). ``retrieve_ae`` is where the committed are to be had."""
    dataset = Dataset()
    dataset.TransactionUID = report.transaction_uid
    if report.committed:
        dataset.RetrieveAETitle = retrieve_ae
        dataset.ReferencedSOPSequence = [_item(reference) for reference in report.committed]
    if report.failed:
        dataset.FailedSOPSequence = [_item(reference, reason) for reference, reason in report.failed]
    return dataset


def read_report(dataset: Dataset | None) -> Report:
    """A report. Raises ValueError with a comment for the answer."""
    transaction_uid = "" if dataset is None else str(dataset.get("TransactionUID") or "")
    if dataset is None or not transaction_uid:
        raise ValueError("Transaction UID is missing")
    failed = tuple(
        (reference, int(item.get("FailureReason") or PROCESSING_FAILURE))
        for item in dataset.get("FailedSOPSequence") or ()
        for reference in _references([item])
    )
    return Report(transaction_uid, _references(dataset.get("ReferencedSOPSequence")), failed)


def judge(archive: Archive, transaction_uid: str, references: Sequence[Reference]) -> Report:
    """Read back what is referred to, and say of which instances this archive takes charge."""
    committed: list[Reference] = []
    failed: list[tuple[Reference, int]] = []
    for reference in dict.fromkeys(references):
        reason = _why_not(archive, reference)
        if reason:
            failed.append((reference, reason))
        else:
            committed.append(reference)
    return Report(transaction_uid, tuple(committed), tuple(failed))


def _why_not(archive: Archive, reference: Reference) -> int:
    """The failure reason of an instance (PS3.3 C.14.1.1), or 0."""
    if reference.sop_class not in _STORAGE:
        return CLASS_NOT_SUPPORTED
    try:
        path = archive.instance_path(reference.sop_instance)
    except SQLAlchemyError:
        return RESOURCE_LIMITATION
    if path is None:
        return NO_SUCH_INSTANCE
    try:
        found = record_of(path, "")
        with path.open("rb", buffering=0) as file:
            # The walk steps over the pixels; a disk that has lost them shows it only when they are read.
            read = 0
            while piece := file.read(1 << 20):
                read += len(piece)
    except (OSError, NotPart10Error, UnreadableError):
        return PROCESSING_FAILURE
    if found.sop_class != reference.sop_class:
        return CLASS_INSTANCE_CONFLICT
    return 0 if found.sop_instance == reference.sop_instance and read == found.size else PROCESSING_FAILURE


def _item(reference: Reference, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class
    item.ReferencedSOPInstanceUID = reference.sop_instance
    if reason is not None:
        item.FailureReason = reason
    return item


def _references(items: Iterable[Dataset] | None) -> tuple[Reference, ...]:
    return tuple(
        Reference(str(item.get("ReferencedSOPClassUID") or ""), str(item.get("ReferencedSOPInstanceUID") or ""))
        for item in items or ()
    )
