"""Alembic's entry: runs migrations on the connection that sandbox.archive.index.database hands in. No ini file."""

from alembic import context

from sandbox.archive.index.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
