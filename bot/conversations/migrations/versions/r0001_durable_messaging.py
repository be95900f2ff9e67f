"""Conversations, transcript, effects, flow versions; inbox, outbox, receipts, consent, timers, claims."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _blank(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), server_default=sa.text("''"), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _moment(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    _make_conversations()
    _make_inbox()
    _make_outbox()
    _make_the_rest()
    if op.get_context().dialect.name == "postgresql":
        # Rows that are updated in place need room on their page (HOT), and queues are vacuumed by the thousand, not by the fifth.
        for table in ("conversation", "claim", "inbox", "outbox", "receipt", "timer"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 75)")
        for table in ("inbox", "outbox", "timer"):
            op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)")


def downgrade() -> None:
    for table in ("claim", "timer", "consent", "receipt", "outbox", "inbox", "flow_version", "handoff", "effect", "event", "conversation"):
        op.drop_table(table)


def _make_conversations() -> None:
    op.create_table(
        "conversation",
        *_text("id"),
        *_numbers("version"),
        _json("state"),
        *_numbers("last_seq"),
        _moment("updated_at"),
        sa.Column("owner", sa.String(), server_default=sa.text("'bot'"), nullable=False),
        *_blank("channel", "business", "customer"),
        sa.PrimaryKeyConstraint("id", name="conversation_pkey"),
        sa.CheckConstraint("owner IN ('bot', 'queue') OR owner LIKE 'agent:%'", name=op.f("conversation_owner_check")),
    )
    op.create_index("conversation_customer_idx", "conversation", ["customer"])
    op.create_table(
        "event",
        _id(),
        *_text("conversation"),
        *_numbers("seq"),
        _moment("at"),
        _json("body"),
        sa.PrimaryKeyConstraint("id", name="event_pkey"),
        sa.UniqueConstraint("conversation", "seq", name="event_conversation_seq_key"),
    )
    op.create_table(
        "effect",
        *_text("key", "action", "request_hash", "status"),
        _json("result", nullable=True),
        *_text("reason"),
        *_numbers("attempts"),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("key", name="effect_pkey"),
    )
    op.create_index("effect_conversation_idx", "effect", ["key"], postgresql_ops={"key": "text_pattern_ops"})
    op.create_index("effect_started_at_idx", "effect", ["started_at"])
    op.create_table(
        "handoff",
        _id(),
        *_text("conversation"),
        _moment("requested_at"),
        *_text("status", "skill"),
        *_numbers("priority"),
        _json("body"),
        sa.PrimaryKeyConstraint("id", name="handoff_pkey"),
    )
    op.create_index("handoff_conversation_idx", "handoff", ["conversation"])
    op.create_table(
        "flow_version",
        *_text("flow", "version"),
        _json("body"),
        _moment("kept_at"),
        sa.PrimaryKeyConstraint("flow", "version", name="flow_version_pkey"),
    )


def _make_inbox() -> None:
    op.create_table(
        "inbox",
        _id(),
        *_text("event_id", "conversation", "kind"),
        _json("payload"),
        *_text("channel", "business", "customer"),
        *_blank("timer"),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        *_text("status"),
        *_numbers("attempts"),
        *_text("cause"),
        _moment("received_at"),
        _moment("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="inbox_pkey"),
        sa.UniqueConstraint("event_id", name="inbox_event_id_key"),
        sa.CheckConstraint("status IN ('open', 'done', 'dead')", name=op.f("inbox_status_check")),
    )
    op.create_index("inbox_conversation_idx", "inbox", ["conversation", "status", "id"])
    _partial("inbox_waiting_idx", "inbox", ["received_at"], "status = 'open'")
    _partial("inbox_dead_idx", "inbox", ["id"], "status = 'dead'")


def _make_outbox() -> None:
    statuses = "'pending', 'sending', 'sent', 'retry', 'rejected', 'unknown', 'cancelled'"
    op.create_table(
        "outbox",
        _id(),
        *_text("key", "conversation", "purpose"),
        *_numbers("priority"),
        _json("payload"),
        *_text("channel", "business", "customer", "status"),
        _moment("created_at"),
        _moment("not_before"),
        _moment("due"),
        *_numbers("attempts"),
        *_text("holder"),
        _moment("lease_until", nullable=True),
        *_text("provider_id", "cause"),
        _moment("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="outbox_pkey"),
        sa.UniqueConstraint("key", name="outbox_key_key"),
        sa.CheckConstraint(f"status IN ({statuses})", name=op.f("outbox_status_check")),
    )
    op.create_index("outbox_conversation_idx", "outbox", ["conversation", "status", "id"])
    _partial("outbox_due_idx", "outbox", ["priority", "due", "id"], "status IN ('pending', 'retry')")
    _partial("outbox_lease_idx", "outbox", ["lease_until"], "status = 'sending'")
    _partial("outbox_unknown_idx", "outbox", ["id"], "status = 'unknown'")
    _partial("outbox_provider_id_idx", "outbox", ["channel", "provider_id"], "provider_id <> ''")


def _make_the_rest() -> None:
    op.create_table(
        "receipt",
        *_text("channel", "provider_id", "status", "error_code"),
        _moment("first_at"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("channel", "provider_id", name="receipt_pkey"),
    )
    op.create_index("receipt_first_at_idx", "receipt", ["first_at"])
    op.create_table(
        "consent",
        _id(),
        *_text("event_id", "business", "customer", "kind", "channel"),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name="consent_pkey"),
        sa.UniqueConstraint("event_id", name="consent_event_id_key"),
        sa.CheckConstraint("kind IN ('stop', 'start')", name=op.f("consent_kind_check")),
    )
    op.create_index("consent_address_idx", "consent", ["customer", "business", "id"])
    op.create_table(
        "timer",
        *_text("conversation", "key"),
        *_numbers("generation"),
        _json("payload"),
        _moment("due", nullable=True),
        sa.PrimaryKeyConstraint("conversation", "key", name="timer_pkey"),
    )
    _partial("timer_due_idx", "timer", ["due"], "due IS NOT NULL")
    op.create_table(
        "claim",
        *_text("conversation", "holder"),
        sa.Column("token", sa.BigInteger(), nullable=False),
        *_numbers("lost"),
        _moment("until"),
        sa.PrimaryKeyConstraint("conversation", name="claim_pkey"),
    )
