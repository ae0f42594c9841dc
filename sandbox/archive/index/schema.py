"""The tables, made from the attribute table. A migration under ``migrations/versions`` accompanies every change.

A study's row also holds its patient's attributes and its counts, so that most queries read one table. Text compares by
code point in both databases. Values a data set lacks are empty strings, never NULL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from sandbox.archive.attributes import AT_LEVEL, Attribute, Level

HEAD = "0001"
"""The newest migration. A database stamped with it is opened without loading Alembic."""

metadata = MetaData()

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_KEY = Integer().with_variant(BigInteger(), "postgresql")

_COUNTS = frozenset({"NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances"})
_KEPT_LISTS = frozenset({"ModalitiesInStudy", "SOPClassesInStudy", "AvailableTransferSyntaxUID"})


def _columns(*levels: Level) -> list[Column[str] | Column[int]]:
    return [column for level in levels for attribute in AT_LEVEL[level] for column in _columns_of(attribute)]


def _columns_of(attribute: Attribute) -> list[Column[str] | Column[int]]:
    if attribute.keyword in _COUNTS:
        return [Column(attribute.column, Integer, nullable=False, server_default="0")]
    if attribute.computed and attribute.keyword not in _KEPT_LISTS:
        return []
    columns: list[Column[str] | Column[int]] = [_text(attribute.column)]
    if attribute.folded:
        columns += [_text(f"{attribute.column}_folded"), _text(f"{attribute.column}_other")]
    return columns


def _text(name: str) -> Column[str]:
    return Column(name, _TEXT, nullable=False, server_default="")


studies = Table(
    "studies",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    _text("patient_key"),
    *_columns(Level.PATIENT, Level.STUDY),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("received", Float, nullable=False),
    UniqueConstraint("study_instance_uid", name="uq_studies_uid"),
    Index("ix_studies_patient_key", "patient_key"),
    Index("ix_studies_patient_id", "patient_id"),
    Index("ix_studies_patient_name", "patient_name_folded"),
    Index("ix_studies_patient_name_other", "patient_name_other"),
    Index("ix_studies_date", "study_date"),
    Index("ix_studies_accession", "accession_number"),
    Index("ix_studies_received", "received"),
)

series = Table(
    "series",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("study_row", _KEY, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    *_columns(Level.SERIES),
    UniqueConstraint("study_row", "series_instance_uid", name="uq_series_uid"),
    Index("ix_series_uid", "series_instance_uid"),
)

instances = Table(
    "instances",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("series_row", _KEY, ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
    *_columns(Level.IMAGE),
    _text("file"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("received", Float, nullable=False),
    UniqueConstraint("sop_instance_uid", name="uq_instances_uid"),
    Index("ix_instances_series", "series_row"),
    Index("ix_instances_received", "received"),
)

removals = Table(
    "removals",
    metadata,
    Column("file", String(128), primary_key=True),
)
"""Files whose rows are gone and which are still to be unlinked: written in the transaction that deletes the rows."""

TABLE: dict[Level, Table] = {
    Level.PATIENT: studies,
    Level.STUDY: studies,
    Level.SERIES: series,
    Level.IMAGE: instances,
}
