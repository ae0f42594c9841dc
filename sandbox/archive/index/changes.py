"""Rows out of the index and counts made right again, inside the one transaction of an operation.

An operation never updates an instance's row: it drops it and adds what the instance is now. Whatever is left of series
and studies is counted anew from their rows, so that no count can drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from sandbox.archive.index.schema import instances, series, studies

_AT_A_TIME = 500


@dataclass(frozen=True)
class InstanceRow:
    """An indexed instance as operations need it. ``file`` is relative to the files, ``size`` in bytes, ``received`` in
    seconds since the epoch."""

    study_uid: str
    series_uid: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    file: str
    size: int
    received: float


_ROWS = (
    select(
        studies.c.study_instance_uid,
        series.c.series_instance_uid,
        instances.c.sop_class_uid,
        instances.c.sop_instance_uid,
        instances.c.available_transfer_syntax_uid,
        instances.c.file,
        instances.c.size,
        instances.c.received,
    )
    .select_from(
        instances.join(series, instances.c.series_row == series.c.id).join(studies, series.c.study_row == studies.c.id)
    )
    .order_by(studies.c.id, series.c.id, instances.c.id)
)


def rows_where(connection: Connection, *conditions: ColumnElement[bool]) -> list[InstanceRow]:
    """The instances for which all conditions hold, study by study, series by series in the order they came."""
    return [InstanceRow(*row) for row in connection.execute(_ROWS.where(*conditions))]


def rows_of(connection: Connection, sop_instances: Sequence[str]) -> list[InstanceRow]:
    """The instances with the given SOP Instance UIDs, as far as they are indexed."""
    return [
        row for some in _chunks(sop_instances) for row in rows_where(connection, instances.c.sop_instance_uid.in_(some))
    ]


def drop_rows(connection: Connection, sop_instances: Sequence[str]) -> None:
    """Delete instances' rows; count what is left of their series and studies, and delete those that are empty."""
    touched: set[int] = set()
    for some in _chunks(sop_instances):
        chosen = instances.c.sop_instance_uid.in_(some)
        touched.update(connection.execute(select(instances.c.series_row).where(chosen).distinct()).scalars())
        connection.execute(delete(instances).where(chosen))
    in_studies: set[int] = set()
    for series_row in sorted(touched):
        in_studies.add(
            int(connection.execute(select(series.c.study_row).where(series.c.id == series_row)).scalar_one())
        )
        left = connection.scalar(select(func.count()).where(instances.c.series_row == series_row)) or 0
        if left:
            connection.execute(
                update(series).where(series.c.id == series_row).values(number_of_series_related_instances=left)
            )
        else:
            connection.execute(delete(series).where(series.c.id == series_row))
    for study_row in sorted(in_studies):
        _count_study(connection, study_row)


def _count_study(connection: Connection, study_row: int) -> None:
    within = select(series.c.id).where(series.c.study_row == study_row).scalar_subquery()
    of_study = instances.c.series_row.in_(within)
    count, size, received = connection.execute(
        select(func.count(), func.coalesce(func.sum(instances.c.size), 0), func.max(instances.c.received)).where(
            of_study
        )
    ).one()
    if not count:
        connection.execute(delete(studies).where(studies.c.id == study_row))
        return
    modalities = connection.execute(
        select(series.c.modality).where(series.c.study_row == study_row).order_by(series.c.id)
    ).scalars()
    classes = connection.execute(
        select(instances.c.sop_class_uid)
        .where(of_study)
        .group_by(instances.c.sop_class_uid)
        .order_by(func.min(instances.c.id))
    ).scalars()
    connection.execute(
        update(studies)
        .where(studies.c.id == study_row)
        .values(
            number_of_study_related_instances=count,
            number_of_study_related_series=connection.scalar(
                select(func.count()).where(series.c.study_row == study_row)
            ),
            size=int(size),
            received=received,
            modalities_in_study=_listed(modalities),
            sop_classes_in_study=_listed(classes),
        )
    )


def _listed(values: Iterable[str]) -> str:
    return "\\".join(dict.fromkeys(value for value in values if value))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_A_TIME):
        yield values[start : start + _AT_A_TIME]
