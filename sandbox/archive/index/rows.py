"""The rows of each level, and the column of each attribute in them: what every query of the index begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Label, func, select

from sandbox.archive.attributes import Attribute, Level
from sandbox.archive.index.schema import TABLE, instances, series, studies

FROM: dict[Level, FromClause] = {
    Level.PATIENT: studies,
    Level.STUDY: studies,
    Level.SERIES: series.join(studies, series.c.study_row == studies.c.id),
    Level.IMAGE: instances.join(series, instances.c.series_row == series.c.id).join(
        studies, series.c.study_row == studies.c.id
    ),
}
"""A level's table with those above it, so that keys of all of them may be asked."""

_of_patient = studies.alias("of_patient")


def _over_patient(total: ColumnElement[int]) -> Label[int]:
    """A count over all studies of the row's patient."""
    same = _of_patient.c.patient_key == studies.c.patient_key
    return select(total).where(same).correlate(studies).scalar_subquery().label(None)


_COMPUTED: dict[str, Callable[[], ColumnElement[int]]] = {
    "NumberOfPatientRelatedStudies": lambda: _over_patient(func.count()),
    "NumberOfPatientRelatedSeries": lambda: _over_patient(func.sum(_of_patient.c.number_of_study_related_series)),
    "NumberOfPatientRelatedInstances": lambda: _over_patient(func.sum(_of_patient.c.number_of_study_related_instances)),
}


def column_of(attribute: Attribute) -> ColumnElement[Any]:
    """An attribute's column; counts over a patient are made as they are asked."""
    computed = _COMPUTED.get(attribute.keyword)
    return computed() if computed else TABLE[attribute.level].c[attribute.column]
