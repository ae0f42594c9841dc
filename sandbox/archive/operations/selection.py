"""Which instances an operation is about: a study, a series, an instance, or all studies of a patient."""

from __future__ import annotations

from sqlalchemy import select

from sandbox.archive.attributes import AT_LEVEL, Level
from sandbox.archive.header import Header
from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.index.schema import instances, series, studies
from sandbox.archive.operations.bench import Bench, found
from sandbox.archive.operations.operation import checked_uid
from sandbox.model.errors import BadInputError, NotFoundError

PATIENT_ATTRIBUTES = tuple(a for a in AT_LEVEL[Level.PATIENT] if not a.computed)


def chosen(bench: Bench, study_uid: str, series_uid: str = "", sop_instance: str = "") -> list[InstanceRow]:
    """The instances of a study, of one of its series, or one of them. Raises NotFoundError for none."""
    conditions = [studies.c.study_instance_uid == checked_uid(study_uid, "Study Instance UID")]
    what = f"study {study_uid}"
    if series_uid:
        conditions.append(series.c.series_instance_uid == checked_uid(series_uid, "Series Instance UID"))
        what = f"series {series_uid} in study {study_uid}"
    if sop_instance:
        conditions.append(instances.c.sop_instance_uid == checked_uid(sop_instance, "SOP Instance UID"))
        what = f"instance {sop_instance} in study {study_uid}"
    return found(bench.rows(*conditions), what)


def of_patient(bench: Bench, patient_id: str, issuer: str = "") -> list[InstanceRow]:
    """All instances of a patient. Raises NotFoundError for none."""
    return bench.rows(studies.c.patient_key == key_of(bench, patient_id, issuer))


def demographics(bench: Bench, patient_id: str, issuer: str = "") -> dict[str, str]:
    """A patient's attributes by keyword, as in the study that was received last. Raises NotFoundError."""
    columns = [studies.c[attribute.column] for attribute in PATIENT_ATTRIBUTES]
    statement = (
        select(*columns)
        .where(studies.c.patient_key == key_of(bench, patient_id, issuer))
        .order_by(studies.c.received.desc(), studies.c.id.desc())
    )
    with bench.index.connect() as connection:
        row = connection.execute(statement).first()
    if row is None:  # gone since the line before
        raise NotFoundError(f"The archive has no patient {in_words(patient_id, issuer)}.")
    return {attribute.keyword: str(value) for attribute, value in zip(PATIENT_ATTRIBUTES, row, strict=True)}


def key_of(bench: Bench, patient_id: str, issuer: str = "") -> str:
    """The index's key of a patient. The issuer may be left out where one patient alone has that ID. Raises
    NotFoundError, or BadInputError when several have it."""
    if not patient_id.strip():
        raise BadInputError("There is no patient ID.", "Give the ID of a patient who has one.")
    wanted = studies.c.patient_id == patient_id.strip()
    if issuer:
        wanted &= studies.c.issuer_of_patient_id == issuer.strip()
    statement = select(studies.c.patient_key, studies.c.issuer_of_patient_id).where(wanted).distinct()
    with bench.index.connect() as connection:
        patients = connection.execute(statement).all()
    if not patients:
        raise NotFoundError(
            f"The archive has no patient {in_words(patient_id, issuer)}.", "Look the ID up in the list of studies."
        )
    if len(patients) > 1:
        issuers = ", ".join(sorted(row.issuer_of_patient_id or "nobody" for row in patients))
        raise BadInputError(
            f"{len(patients)} patients have the ID {patient_id}, issued by {issuers}.", "Say which issuer is meant."
        )
    return str(patients[0].patient_key)


def in_words(patient_id: str, issuer: str) -> str:
    return f"{patient_id} of {issuer}" if issuer else patient_id


def another_patient(bench: Bench, header: Header, key: str) -> bool:
    """Whether the study that an instance belongs to is another patient's by now."""
    with bench.index.connect() as connection:
        now = connection.scalar(
            select(studies.c.patient_key).where(studies.c.study_instance_uid == header.get_keyword("StudyInstanceUID"))
        )
    return now is not None and now != key
