"""The images say what is so: patient, order and examination as they were asked for, in values that DICOM allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field
from pydicom import dcmread
from pydicom.uid import UID

from sandbox.archive.part10 import NotPart10Error, opened
from sandbox.archive.values import invalid
from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.model.patient import Order
from sandbox.nodes.acquired import text_of
from sandbox.nodes.department import Department
from sandbox.nodes.modality import AcquiredExam

ORDERED: Mapping[str, Callable[[Order], str]] = {
    "PatientID": lambda order: order.patient.patient_id,
    "PatientName": lambda order: order.patient.name,
    "PatientBirthDate": lambda order: f"{order.patient.birth_date:%Y%m%d}",
    "PatientSex": lambda order: order.patient.sex,
    "AccessionNumber": lambda order: order.accession_number,
    "Modality": lambda order: order.procedure.modality,
    "StudyDescription": lambda order: order.procedure.description,
}
"""What an order decides, and the images must say."""


class ExamHeaderRight(Check):
    """``exam_header_right``: a new exam of each ``node`` comes to ``at`` with a header that is right.

    Valid values; patient, accession number and description as ordered; one Study Instance UID; with ``sop_classes``
    (UIDs) no image of another class. ``procedure`` is what is scanned, for faults that befall some exams only.
    """

    kind = "exam_header_right"

    node: Names
    at: str = "ARCHIVE"
    images: int = Field(3, ge=1, le=50)
    procedure: str = ""
    within_s: float = Field(20.0, gt=0, le=300)
    sop_classes: tuple[str, ...] = ()

    def claim(self) -> str:
        return f"What {said(self.node)} {'writes' if len(self.node) == 1 else 'write'} into new images is right."

    def nodes(self) -> tuple[str, ...]:
        return (*self.node, self.at)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        for node in self.node:
            with probe_exam(department, node, images=self.images, procedure=self.procedure) as (exam, trail):
                evidence.append(exam.event)
                if len(exam.studies) > 1:
                    return failed(f"{node} makes {len(exam.studies)} studies of one exam.", tuple(evidence))
                arrival = trail.follow_to(self.at, self.within_s)
                evidence.extend(arrival.evidence)
                if not arrival.arrived:
                    return failed(f"A new exam from {node} does not arrive at {self.at}.", tuple(evidence))
                wrong = self._wrong(department, exam)
                if wrong:
                    return failed(f"In a new image from {node}, {wrong}.", tuple(evidence))
        return passed(f"New images from {said(self.node)} say at {self.at} what is so.", tuple(evidence))

    def _wrong(self, department: Department, exam: AcquiredExam) -> str:
        store = department.node(self.at).store
        for stored in exam.objects:
            path = None if store is None else store.instance_path(stored.sop_instance)
            wrong = _wrong_in(path, exam.order) if path is not None else ""
            if wrong:
                return wrong
            if self.sop_classes and stored.sop_class not in self.sop_classes:
                return f"the SOP class is {UID(stored.sop_class).name}"
        return ""


def _wrong_in(path: Path, order: Order) -> str:
    try:
        with opened(path) as (meta, dataset):
            wrong = invalid(dataset, meta.transfer_syntax)
        header = dcmread(path, stop_before_pixels=True, specific_tags=[*ORDERED, "SpecificCharacterSet"])
        if wrong:
            return wrong
        for keyword, ordered in ORDERED.items():
            found = text_of(header, keyword)
            if found != ordered(order):
                return f"{keyword} is {found!r} instead of {ordered(order)!r}"
    except (OSError, NotPart10Error, ValueError) as unreadable:
        return f"nothing can be read ({unreadable})"
    return ""
