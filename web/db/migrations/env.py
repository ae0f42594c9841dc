"""Alembic's entry: migrations run on the connection that web.db.database hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from web.db.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
