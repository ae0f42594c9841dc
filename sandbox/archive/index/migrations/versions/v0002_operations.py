"""An administrator's operations: the journal, the instances touched, and files on their way to their places."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False, server_default="") for name in names]


def upgrade() -> None:
    op.create_table(
        "operations",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(), nullable=False),
        *_text("actor", "kind", "reason", "subject", "sentence"),
        sa.Column("undone_by", _KEY, nullable=False, server_default="0"),
    )
    op.create_table(
        "operation_items",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        sa.Column("operation", _KEY, sa.ForeignKey("operations.id", ondelete="CASCADE"), nullable=False),
        *_text(
            "direction",
            "study_instance_uid",
            "series_instance_uid",
            "sop_instance_uid",
            "sop_class_uid",
            "transfer_syntax_uid",
            "file",
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("received", sa.Float(), nullable=False),
    )
    op.create_index("ix_operation_items_operation", "operation_items", ["operation"])
    op.create_index("ix_operation_items_uid", "operation_items", ["sop_instance_uid"])
    op.create_table(
        "placements",
        sa.Column("staged", sa.String(160), primary_key=True),
        sa.Column("file", sa.String(128), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("placements")
    op.drop_table("operation_items")
    op.drop_table("operations")
