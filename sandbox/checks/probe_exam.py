"""A tiny exam that a check makes for itself, and that is nowhere afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sample_dicom.procedures import procedure as catalogue_line
from sandbox.checks.trail import Trail
from sandbox.events.log import current
from sandbox.nodes.department import Department
from sandbox.nodes.modality import AcquiredExam

SETTLE_S = 5.0
"""How long a finished check waits for its exam to come to rest before it cleans up."""


@contextmanager
def probe_exam(
    department: Department, node: str, *, images: int, procedure: str = ""
) -> Iterator[tuple[AcquiredExam, Trail]]:
    """Let ``node`` scan an invented patient and send it by its configuration; in the end the study is forgotten."""
    since = current().cause or len(department.events)
    # Two probes must never draw the same patient and study, not even in labs of one seed.
    rng = random.Random(f"{department.seed}:probe:{node}:{since}")  # noqa: S311 - a patient, not a secret
    modality = department.modality(node).running.modality
    over: dict[str, Any] = {"procedure": catalogue_line(procedure)} if procedure else {}
    order = department.order(modality, rng, accession_prefix="PROBE", **over)
    exam = department.acquire(node, order, images=images)
    trail = Trail(department, exam.study_uid, [stored.sop_instance for stored in exam.objects], since)
    try:
        trail.hurry()
        yield exam, trail
    finally:
        trail.settle(SETTLE_S)
        # An association that was under way may deliver one more image meanwhile.
        for study_uid in exam.studies * 2:
            department.forget_study(study_uid)
