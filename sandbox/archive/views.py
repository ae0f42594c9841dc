"""What an administrator sees of an archive: typed reads for screens, commands and checks.

Text is as received and decoded; dates and times stay in DICOM form; sizes are bytes, ``received`` seconds since the
epoch.
"""

from __future__ import annotations

from pydantic import Field
from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from sandbox.archive.index.index import Index
from sandbox.archive.index.schema import instances, series, studies
from sandbox.archive.names import fold
from sandbox.model.base import Model


class StudyFilter(Model):
    """Which studies: each field narrows. ``text`` is looked for anywhere in name, ID, accession number, description;
    ``name`` at the beginning of the patient's name. Case and accents of names do not count."""

    text: str = ""
    patient_id: str = ""
    name: str = ""
    accession_number: str = ""
    study_uid: str = ""
    modality: str = ""
    date_from: str = ""
    date_to: str = ""


class StudySummary(Model):
    """One study with its patient and counts."""

    study_uid: str
    patient_id: str
    issuer: str
    patient_name: str
    birth_date: str
    sex: str
    study_date: str
    study_time: str
    accession_number: str
    study_id: str
    description: str
    referring_physician: str
    modalities: tuple[str, ...]
    number_of_series: int
    number_of_instances: int
    size: int
    received: float


class InstanceSummary(Model):
    sop_instance_uid: str
    sop_class_uid: str
    instance_number: str
    transfer_syntax: str
    number_of_frames: int
    rows: int
    columns: int
    size: int
    received: float


class SeriesDetail(Model):
    series_uid: str
    modality: str
    series_number: str
    description: str
    body_part: str
    station_name: str
    number_of_instances: int
    instances: tuple[InstanceSummary, ...] = ()


class StudyDetail(StudySummary):
    series: tuple[SeriesDetail, ...] = ()


class Counts(Model):
    """How much there is. ``bytes`` counts whole files."""

    patients: int = Field(ge=0)
    studies: int = Field(ge=0)
    series: int = Field(ge=0)
    instances: int = Field(ge=0)
    bytes: int = Field(ge=0)


_SUMMARY = (
    studies.c.id,
    studies.c.study_instance_uid.label("study_uid"),
    studies.c.patient_id,
    studies.c.issuer_of_patient_id.label("issuer"),
    studies.c.patient_name,
    studies.c.patient_birth_date.label("birth_date"),
    studies.c.patient_sex.label("sex"),
    studies.c.study_date,
    studies.c.study_time,
    studies.c.accession_number,
    studies.c.study_id,
    studies.c.study_description.label("description"),
    studies.c.referring_physician_name.label("referring_physician"),
    studies.c.modalities_in_study,
    studies.c.number_of_study_related_series.label("number_of_series"),
    studies.c.number_of_study_related_instances.label("number_of_instances"),
    studies.c.size,
    studies.c.received,
)


def list_studies(index: Index, wanted: StudyFilter, limit: int, offset: int) -> list[StudySummary]:
    """Studies, those that received something last first."""
    statement = (
        select(*_SUMMARY)
        .where(*_conditions(wanted))
        .order_by(studies.c.received.desc(), studies.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    with index.connect() as connection:
        return [StudySummary.model_validate(_summary(row)) for row in connection.execute(statement).mappings()]


def count_studies(index: Index, wanted: StudyFilter) -> int:
    """How many studies the filter lets through."""
    with index.connect() as connection:
        return connection.scalar(select(func.count()).select_from(studies).where(*_conditions(wanted))) or 0


def study_detail(index: Index, study_uid: str) -> StudyDetail | None:
    """One study with its series and instances, or None."""
    with index.connect() as connection:
        row = connection.execute(select(*_SUMMARY).where(studies.c.study_instance_uid == study_uid)).mappings().first()
        if row is None:
            return None
        series_rows = (
            connection.execute(select(series).where(series.c.study_row == row["id"]).order_by(series.c.id))
            .mappings()
            .all()
        )
        instance_rows = (
            connection.execute(
                select(instances)
                .where(instances.c.series_row.in_(select(series.c.id).where(series.c.study_row == row["id"])))
                .order_by(instances.c.id)
            )
            .mappings()
            .all()
        )
    within: dict[int, list[InstanceSummary]] = {}
    for found in instance_rows:
        within.setdefault(found["series_row"], []).append(_instance(found))
    details = [_series(found, within.get(found["id"], [])) for found in series_rows]
    details.sort(key=lambda detail: (_number(detail.series_number), detail.series_uid))
    return StudyDetail.model_validate(_summary(row) | {"series": tuple(details)})


def count_all(index: Index) -> Counts:
    """Totals over the archive."""
    with index.connect() as connection:
        row = connection.execute(
            select(
                func.count(studies.c.patient_key.distinct()),
                func.count(),
                func.coalesce(func.sum(studies.c.number_of_study_related_series), 0),
                func.coalesce(func.sum(studies.c.number_of_study_related_instances), 0),
                func.coalesce(func.sum(studies.c.size), 0),
            )
        ).one()
    patients, in_studies, in_series, in_instances, size = (int(value) for value in row)
    return Counts(patients=patients, studies=in_studies, series=in_series, instances=in_instances, bytes=size)


def _conditions(wanted: StudyFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(
            or_(
                studies.c.patient_name_folded.contains(fold(wanted.text), autoescape=True),
                studies.c.patient_name_other.contains(fold(wanted.text), autoescape=True),
                *(
                    column.icontains(wanted.text, autoescape=True)
                    for column in (studies.c.patient_id, studies.c.accession_number, studies.c.study_description)
                ),
            )
        )
    if wanted.name:
        found.append(studies.c.patient_name_folded.startswith(fold(wanted.name), autoescape=True))
    for column, value in (
        (studies.c.patient_id, wanted.patient_id),
        (studies.c.accession_number, wanted.accession_number),
        (studies.c.study_instance_uid, wanted.study_uid),
    ):
        if value:
            found.append(column == value)
    if wanted.modality:
        found.append(("\\" + studies.c.modalities_in_study + "\\").contains(f"\\{wanted.modality}\\", autoescape=True))
    if wanted.date_from:
        found.append(studies.c.study_date >= wanted.date_from)
    if wanted.date_to:
        found += [studies.c.study_date > "", studies.c.study_date <= wanted.date_to]
    return found


def _summary(row: RowMapping) -> dict[str, object]:
    values = {key: value for key, value in row.items() if key not in ("id", "modalities_in_study")}
    modalities = row["modalities_in_study"]
    return values | {"modalities": tuple(modalities.split("\\")) if modalities else ()}


def _series(row: RowMapping, within: list[InstanceSummary]) -> SeriesDetail:
    within.sort(key=lambda instance: (_number(instance.instance_number), instance.sop_instance_uid))
    return SeriesDetail(
        series_uid=row["series_instance_uid"],
        modality=row["modality"],
        series_number=row["series_number"],
        description=row["series_description"],
        body_part=row["body_part_examined"],
        station_name=row["station_name"],
        number_of_instances=row["number_of_series_related_instances"],
        instances=tuple(within),
    )


def _instance(row: RowMapping) -> InstanceSummary:
    return InstanceSummary(
        sop_instance_uid=row["sop_instance_uid"],
        sop_class_uid=row["sop_class_uid"],
        instance_number=row["instance_number"],
        transfer_syntax=row["available_transfer_syntax_uid"],
        number_of_frames=int(row["number_of_frames"] or 1),
        rows=int(row["rows"] or 0),
        columns=int(row["columns"] or 0),
        size=row["size"],
        received=row["received"],
    )


def _number(text: str) -> int:
    return int(text) if text else 1 << 31
