"""The first index: studies with their patients, series, instances, and files still to be unlinked."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False, server_default="") for name in names]


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("file", sa.String(128), primary_key=True),
    )
    op.create_table(
        "studies",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        *_text(
            "patient_key",
            "patient_name",
            "patient_name_folded",
            "patient_name_other",
            "patient_id",
            "issuer_of_patient_id",
            "patient_birth_date",
            "patient_birth_time",
            "patient_sex",
            "other_patient_ids",
            "other_patient_names",
            "ethnic_group",
            "patient_comments",
            "study_instance_uid",
            "study_date",
            "study_time",
            "accession_number",
            "study_id",
            "study_description",
            "referring_physician_name",
            "referring_physician_name_folded",
            "referring_physician_name_other",
            "physicians_of_record",
            "name_of_physicians_reading_study",
            "admitting_diagnoses_description",
            "patient_age",
            "patient_size",
            "patient_weight",
            "occupation",
            "additional_patient_history",
            "institution_name",
            "procedure_code_sequence",
            "modalities_in_study",
            "sop_classes_in_study",
        ),
        sa.Column("number_of_study_related_series", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("number_of_study_related_instances", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("received", sa.Float(), nullable=False),
        sa.UniqueConstraint("study_instance_uid", name="uq_studies_uid"),
    )
    op.create_index("ix_studies_accession", "studies", ["accession_number"])
    op.create_index("ix_studies_date", "studies", ["study_date"])
    op.create_index("ix_studies_patient_id", "studies", ["patient_id"])
    op.create_index("ix_studies_patient_key", "studies", ["patient_key"])
    op.create_index("ix_studies_patient_name", "studies", ["patient_name_folded"])
    op.create_index("ix_studies_patient_name_other", "studies", ["patient_name_other"])
    op.create_index("ix_studies_received", "studies", ["received"])
    op.create_table(
        "series",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        sa.Column("study_row", _KEY, sa.ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
        *_text(
            "series_instance_uid",
            "modality",
            "series_number",
            "series_description",
            "series_date",
            "series_time",
            "body_part_examined",
            "laterality",
            "protocol_name",
            "patient_position",
            "frame_of_reference_uid",
            "performing_physician_name",
            "operators_name",
            "institution_name",
            "institutional_department_name",
            "station_name",
            "manufacturer",
            "manufacturer_model_name",
            "performed_procedure_step_start_date",
            "performed_procedure_step_start_time",
            "performed_procedure_step_id",
            "performed_procedure_step_description",
            "request_attributes_sequence",
        ),
        sa.Column("number_of_series_related_instances", sa.Integer(), nullable=False, server_default="0"),
        sa.UniqueConstraint("study_row", "series_instance_uid", name="uq_series_uid"),
    )
    op.create_index("ix_series_uid", "series", ["series_instance_uid"])
    op.create_table(
        "instances",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        sa.Column("series_row", _KEY, sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        *_text(
            "sop_instance_uid",
            "sop_class_uid",
            "instance_number",
            "image_type",
            "content_date",
            "content_time",
            "acquisition_date",
            "acquisition_time",
            "acquisition_number",
            "image_comments",
            "number_of_frames",
            "rows",
            "columns",
            "bits_allocated",
            "presentation_intent_type",
            "content_label",
            "content_description",
            "document_title",
            "completion_flag",
            "verification_flag",
            "concept_name_code_sequence",
            "available_transfer_syntax_uid",
            "file",
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("received", sa.Float(), nullable=False),
        sa.UniqueConstraint("sop_instance_uid", name="uq_instances_uid"),
    )
    op.create_index("ix_instances_received", "instances", ["received"])
    op.create_index("ix_instances_series", "instances", ["series_row"])


def downgrade() -> None:
    op.drop_table("instances")
    op.drop_table("series")
    op.drop_table("studies")
    op.drop_table("removals")
