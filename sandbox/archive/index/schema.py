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

HEAD = "0002"
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

operations = Table(
    "operations",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    _text("actor"),
    _text("kind"),
    _text("reason"),
    _text("subject"),
    _text("sentence"),
    Column("undone_by", _KEY, nullable=False, server_default="0"),
)
"""The audit journal of an administrator's operations: who did what to what, when and why."""

operation_items = Table(
    "operation_items",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("operation", _KEY, ForeignKey("operations.id", ondelete="CASCADE"), nullable=False),
    _text("direction"),
    _text("study_instance_uid"),
    _text("series_instance_uid"),
    _text("sop_instance_uid"),
    _text("sop_class_uid"),
    _text("transfer_syntax_uid"),
    _text("file"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("received", Float, nullable=False),
    Index("ix_operation_items_operation", "operation"),
    Index("ix_operation_items_uid", "sop_instance_uid"),
)
"""The instances an operation took out, put in or threw away. ``file`` is where one that was taken out lies in the bin,
relative to the files; empty when it is not there any more."""

placements = Table(
    "placements",
    metadata,
    Column("staged", String(160), primary_key=True),
    Column("file", String(128), nullable=False),
)
"""Files that are written and whose rows are committed, still to be renamed to their places."""

TABLE: dict[Level, Table] = {
    Level.PATIENT: studies,
    Level.STUDY: studies,
    Level.SERIES: series,
    Level.IMAGE: instances,
}
