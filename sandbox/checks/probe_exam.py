"""A tiny exam that a check makes for itself, and that is nowhere afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sample_dicom.procedures import procedure as catalogue_line
from sandbox.checks.rounds import sent_again
from sandbox.checks.trail import MOVES, QUIET_S, Trail
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
        if sent_again(department, exam.study_uid, since):
            _catch(department, exam)
        else:
            trail.settle(SETTLE_S)
        # An association that was under way may deliver one more image meanwhile.
        for study_uid in exam.studies * 2:
            department.forget_study(study_uid)


def _catch(department: Department, exam: AcquiredExam) -> None:
    """Forget an exam that goes round, again and again until nobody has sent any of it for a while."""
    deadline, events = time.monotonic() + SETTLE_S, department.events
    while time.monotonic() < deadline:
        for study_uid in exam.studies:
            department.forget_study(study_uid)
        position = len(events)
        if not events.wait_for(
            lambda event: event.kind in MOVES and getattr(event.body, "study_uid", "") in exam.studies,
            after=position,
            timeout=2 * QUIET_S,
        ):
            return
