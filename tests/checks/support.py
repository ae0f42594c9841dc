"""Exams as checks remember them."""

from __future__ import annotations

from datetime import datetime

from sandbox.checks.memory import NotedExam
from sandbox.nodes.modality import AcquiredExam


def noted(exam: AcquiredExam, label: str = "head", *, at: datetime | None = None) -> NotedExam:
    """A CT exam of CT1, as a scenario notes those that it begins with."""
    patient = exam.order.patient
    return NotedExam(
        label=label,
        node="CT1",
        study_uid=exam.study_uid,
        accession_number=exam.accession_number,
        patient_id=patient.patient_id,
        patient_name=patient.name,
        spoken_name=patient.spoken_name,
        modality="CT",
        description=exam.order.procedure.description,
        at=at or datetime.now(),
        sop_instances=tuple(item.sop_instance for item in exam.objects),
    )
