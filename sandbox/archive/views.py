"""What an administrator sees of an archive: typed reads for screens, commands and checks.

Text is as received and decoded; dates and times stay in DICOM form; sizes are bytes.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from sandbox.archive.index.index import Index
from sandbox.archive.index.schema import instances, series, studies
from sandbox.archive.names import fold
from sandbox.model.base import Model
from sandbox.model.view import Counts, InstanceSummary, SeriesSummary, StudyDetail, StudySummary


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


_SUMMARY = (
    studies.c.id,
    studies.c.study_instance_uid.label("study_uid"),
    studies.c.patient_id,
    studies.c.patient_name,
    studies.c.patient_birth_date.label("birth_date"),
    studies.c.patient_sex.label("sex"),
    studies.c.study_date,
    studies.c.study_time,
    studies.c.accession_number,
    studies.c.study_description.label("description"),
    studies.c.modalities_in_study,
    studies.c.number_of_study_related_series.label("series"),
    studies.c.number_of_study_related_instances.label("instances"),
    studies.c.size,
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
    details.sort(key=lambda detail: (_place(detail.number), detail.series_uid))
    return StudyDetail(study=StudySummary.model_validate(_summary(row)), series=tuple(details))


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
    return Counts(patients=patients, studies=in_studies, series=in_series, instances=in_instances, size=size)


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


def _series(row: RowMapping, within: list[InstanceSummary]) -> SeriesSummary:
    within.sort(key=lambda instance: (_place(instance.number), instance.sop_instance))
    return SeriesSummary(
        series_uid=row["series_instance_uid"],
        modality=row["modality"],
        number=_number(row["series_number"]),
        description=row["series_description"],
        instances=tuple(within),
    )


def _instance(row: RowMapping) -> InstanceSummary:
    return InstanceSummary(
        sop_instance=row["sop_instance_uid"],
        sop_class=row["sop_class_uid"],
        number=_number(row["instance_number"]),
        frames=max(_number(row["number_of_frames"]) or 1, 1),
        transfer_syntax=row["available_transfer_syntax_uid"],
        size=row["size"],
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _place(number: int | None) -> int:
    """Where it stands in a list: what has no number comes last."""
    return 1 << 31 if number is None else number
