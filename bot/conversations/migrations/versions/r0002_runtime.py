"""Broadcasts; when a message was last attempted; what is made once for an installation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True))
        outbox.add_column(sa.Column("broadcast", sa.String(), server_default=sa.text("''"), nullable=False))
    where = sa.text("broadcast <> ''")
    op.create_index("outbox_broadcast_idx", "outbox", ["broadcast", "status"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "broadcast",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="broadcast_pkey"),
        sa.CheckConstraint("status IN ('planning', 'running', 'stopped', 'done')", name=op.f("broadcast_status_check")),
    )
    op.create_table(
        "installation",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="installation_pkey"),
    )


def downgrade() -> None:
    op.drop_table("installation")
    op.drop_table("broadcast")
    op.drop_index("outbox_broadcast_idx", "outbox")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("broadcast")
        outbox.drop_column("attempted_at")
