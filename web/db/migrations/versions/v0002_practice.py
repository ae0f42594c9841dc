"""What an attempt was made as and how it ended; cards of spaced practice; sittings of exams and trainers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("attempts") as attempts:
        attempts.add_column(sa.Column("mode", sa.String(16), nullable=False, server_default="drill"))
        attempts.add_column(sa.Column("score", sa.Integer, nullable=True))
        attempts.add_column(sa.Column("finished", sa.DateTime(timezone=True), nullable=True))
        attempts.add_column(sa.Column("debrief", sa.JSON, nullable=True))
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.UniqueConstraint("user_id", "subject", name="one_card_a_subject"),
    )
    op.create_table(
        "sittings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Integer, nullable=True),
        sa.Column("document", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("sittings")
    op.drop_table("cards")
    with op.batch_alter_table("attempts") as attempts:
        for name in ("debrief", "finished", "score", "mode"):
            attempts.drop_column(name)
