"""Broadcasts; files customers send; when a message was last attempted; what is made once for an installation."""

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
    _create_attachment()


def _create_attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("business", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="attachment_pkey"),
        sa.UniqueConstraint("event_id", "position", name="attachment_event_id_position_key"),
        sa.CheckConstraint("status IN ('waiting', 'kept', 'refused')", name=op.f("attachment_status_check")),
    )
    op.create_index("attachment_conversation_idx", "attachment", ["conversation", "id"])
    where = sa.text("status = 'waiting'")
    op.create_index("attachment_waiting_idx", "attachment", ["due", "id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("attachment")
    op.drop_table("installation")
    op.drop_table("broadcast")
    op.drop_index("outbox_broadcast_idx", "outbox")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("broadcast")
        outbox.drop_column("attempted_at")
