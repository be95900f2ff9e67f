"""Run by Alembic: on the connection, and in the transaction, that `migrate` opened."""

from __future__ import annotations

from alembic import context

from bot.conversations.migrations import VERSION_TABLE
from bot.conversations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
