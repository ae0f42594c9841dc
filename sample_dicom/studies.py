"""From an order to its images: a study as the modality would send it, with file meta, one data set at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID

from sample_dicom.instances.common import Exam
from sample_dicom.instances.ct import make_ct
from sample_dicom.instances.dx import make_dx
from sample_dicom.instances.mr import make_mr
from sample_dicom.instances.us import make_us
from sample_dicom.phantoms.subject import Build, drawn_once
from sample_dicom.protocol import CTProtocol, DXProtocol, MRProtocol
from sample_dicom.protocols import protocol_for
from sample_dicom.station import DEFAULT, FULL, TINY, Size, Station
from sample_dicom.uids import make_number, make_uid
from sandbox.model.patient import Order, Procedure

__all__ = ["DEFAULT", "FULL", "TINY", "Size", "Station", "make_study", "study_uid"]


TEST_OBJECTS = 24
"""How many test objects a process keeps, each with the few pictures that were taken of it."""


def study_uid(order: Order, *, seed: int, when: datetime) -> UID:
    """The Study Instance UID that make_study gives this order unless it is told another."""
    return make_uid(
        "study", seed, order.patient.patient_id, order.accession_number, order.procedure.code, when.isoformat()
    )


def make_study(
    order: Order,
    *,
    seed: int,
    when: datetime,
    station: Station,
    size: Size = DEFAULT,
    study_instance_uid: str | None = None,
    test_object: bool = False,
) -> Iterator[Dataset]:
    """Acquire the order at ``when``: Explicit VR Little Endian data sets in the order in which they would be sent.

    The same arguments give the same bytes. The body is the patient's own: two studies of one person with one seed
    show one anatomy. ``study_instance_uid`` is for a study whose UID came with the worklist. With ``test_object`` the
    scanner sees what physicists put into it in the patient's place: drawn once a process, with noise of its own.
    """
    protocol = protocol_for(order.procedure)
    exam = Exam(
        order=order,
        seed=seed,
        when=when,
        station=station,
        study_uid=UID(study_instance_uid) if study_instance_uid else study_uid(order, seed=seed, when=when),
    )
    subject = _test_object(order.procedure) if test_object else _patient(exam)
    if isinstance(protocol, CTProtocol):
        yield from make_ct(exam, protocol, size, subject)
    elif isinstance(protocol, MRProtocol):
        yield from make_mr(exam, protocol, size, subject)
    elif isinstance(protocol, DXProtocol):
        yield from make_dx(exam, protocol, size, subject)
    else:
        yield from make_us(exam, protocol, size, subject)


def _patient(exam: Exam) -> Any:
    """The body belongs to the person and the seed, not to the study, so that a prior shows the same skull."""
    patient, procedure = exam.order.patient, exam.order.procedure
    build = Build(age=exam.age, sex=patient.sex, laterality=procedure.laterality)
    key = (exam.seed, patient.patient_id, patient.birth_date.isoformat(), procedure.anatomy, procedure.laterality)
    return protocol_for(procedure).subject(_generator(*key), build)


@lru_cache(maxsize=TEST_OBJECTS)
def _test_object(procedure: Procedure) -> Any:
    rng = _generator("test object", procedure.anatomy, procedure.laterality)
    return drawn_once(protocol_for(procedure).subject(rng, Build(age=50, sex="O", laterality=procedure.laterality)))


def _generator(*parts: object) -> np.random.Generator:
    return np.random.default_rng(make_number(1 << 62, "body", *parts))
