"""The tables. The same on SQLite and on PostgreSQL; `migrations/` makes and changes them.

Documents are JSON text on both (`json`, not `jsonb`): a state is read whole, keeps the order of its keys, and may hold any
character a customer can send, which `jsonb` refuses. Documents with personal data go through `encryption.Sealer`.
Keys of PostgreSQL's own making and ours have the same names, so that a later revision can name what it changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Goes in with its zone and comes out in UTC, on databases without zones as well."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _partial(name: str, *columns: Any, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _text(name: str, *, default: str | None = None) -> Column[str]:
    return Column(name, String, nullable=False, server_default=None if default is None else text(f"'{default}'"))


def _number(name: str, *, default: int | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=None if default is None else str(default))


def _document(name: str) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=nullable)


def _row_id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

conversation_table = Table(
    "conversation",
    metadata,
    Column("id", String, primary_key=True),
    _number("version"),
    _document("state"),
    _number("last_seq"),
    _moment("updated_at"),
    _text("owner", default="bot"),
    _text("channel", default=""),
    _text("business", default=""),
    _text("customer", default=""),
    CheckConstraint("owner IN ('bot', 'queue') OR owner LIKE 'agent:%'", name="owner"),
    Index("conversation_customer_idx", "customer"),
)
"""`owner` is bot, queue or agent:<id>; the other party's addresses are "" when nobody told them."""

event_table = Table(
    "event",
    metadata,
    _row_id(),
    _text("conversation"),
    _number("seq"),
    _moment("at"),
    _document("body"),
    UniqueConstraint("conversation", "seq"),
)

effect_table = Table(
    "effect",
    metadata,
    Column("key", String, primary_key=True),
    _text("action"),
    _text("request_hash"),
    _text("status"),
    Column("result", JSON),
    _text("reason"),
    _number("attempts"),
    _moment("started_at"),
    _moment("finished_at", nullable=True),
    # Keys begin with their conversation; this operator class finds them by it whatever the collation.
    Index("effect_conversation_idx", "key", postgresql_ops={"key": "text_pattern_ops"}),
    Index("effect_started_at_idx", "started_at"),
)

handoff_table = Table(
    "handoff",
    metadata,
    _row_id(),
    Column("conversation", String, nullable=False, index=True),
    _moment("requested_at"),
    _text("status"),
    _text("skill"),
    _number("priority"),
    _document("body"),
)
"""The queue for people: one row a request, waiting until somebody takes it or the customer goes back to the bot."""

flow_version_table = Table(
    "flow_version",
    metadata,
    Column("flow", String, primary_key=True),
    Column("version", String, primary_key=True),
    _document("body"),
    _moment("kept_at"),
)

inbox_table = Table(
    "inbox",
    metadata,
    _row_id(),
    _text("event_id"),
    _text("conversation"),
    _text("kind"),
    _document("payload"),
    _text("channel"),
    _text("business"),
    _text("customer"),
    _text("timer", default=""),
    _number("generation", default=0),
    _text("status"),
    _number("attempts"),
    _text("cause"),
    _moment("received_at"),
    _moment("finished_at", nullable=True),
    UniqueConstraint("event_id"),
    CheckConstraint("status IN ('open', 'done', 'dead')", name="status"),
    Index("inbox_conversation_idx", "conversation", "status", "id"),
    _partial("inbox_waiting_idx", "received_at", where="status = 'open'"),
    _partial("inbox_dead_idx", "id", where="status = 'dead'"),
)

attachment_table = Table(
    "attachment",
    metadata,
    _row_id(),
    _text("conversation"),
    _text("event_id"),
    _number("position"),
    _text("channel"),
    _text("business"),
    _text("customer"),
    _text("status"),
    _text("cause"),
    _number("attempts"),
    _moment("due"),
    _text("content_type"),
    _number("size"),
    _moment("received_at"),
    _moment("finished_at", nullable=True),
    _document("source"),
    Column("content", JSON(none_as_null=True)),
    UniqueConstraint("event_id", "position"),
    CheckConstraint("status IN ('waiting', 'kept', 'refused')", name="status"),
    Index("attachment_conversation_idx", "conversation", "id"),
    _partial("attachment_waiting_idx", "due", "id", where="status = 'waiting'"),
)
"""Files customers sent, with their bytes: base64 text in `content`, null until they are kept. Here and not in a store of files, so that one
place is encrypted, grows old and is erased. `content` stands last: SQLite reads what is before it without reading it."""

outbox_table = Table(
    "outbox",
    metadata,
    _row_id(),
    _text("key"),
    _text("conversation"),
    _text("purpose"),
    _number("priority"),
    _document("payload"),
    _text("channel"),
    _text("business"),
    _text("customer"),
    _text("status"),
    _moment("created_at"),
    _moment("not_before"),
    _moment("due"),
    _number("attempts"),
    _text("holder"),
    _moment("lease_until", nullable=True),
    _text("provider_id"),
    _text("cause"),
    _moment("attempted_at", nullable=True),
    _text("broadcast", default=""),
    _moment("finished_at", nullable=True),
    UniqueConstraint("key"),
    CheckConstraint("status IN ('pending', 'sending', 'sent', 'retry', 'rejected', 'unknown', 'cancelled')", name="status"),
    Index("outbox_conversation_idx", "conversation", "status", "id"),
    _partial("outbox_due_idx", "priority", "due", "id", where="status IN ('pending', 'retry')"),
    _partial("outbox_lease_idx", "lease_until", where="status = 'sending'"),
    _partial("outbox_unknown_idx", "id", where="status = 'unknown'"),
    _partial("outbox_provider_id_idx", "channel", "provider_id", where="provider_id <> ''"),
    _partial("outbox_broadcast_idx", "broadcast", "status", where="broadcast <> ''"),
)
"""`not_before` is when it was meant to go, `due` when it is tried (or, of unknown outcome, asked for) next, `attempted_at` when it was
last taken up."""

receipt_table = Table(
    "receipt",
    metadata,
    Column("channel", String, primary_key=True),
    Column("provider_id", String, primary_key=True),
    _text("status"),
    _text("error_code"),
    _moment("first_at"),
    _moment("updated_at"),
    Index("receipt_first_at_idx", "first_at"),
)
"""What a provider tells of a message it took. May come before the sender has noted the provider's id, so it stands by itself."""

consent_table = Table(
    "consent",
    metadata,
    _row_id(),
    _text("event_id"),
    _text("business"),
    _text("customer"),
    _text("kind"),
    _text("channel"),
    _moment("at"),
    UniqueConstraint("event_id"),
    CheckConstraint("kind IN ('stop', 'start')", name="kind"),
    Index("consent_address_idx", "customer", "business", "id"),
)

timer_table = Table(
    "timer",
    metadata,
    Column("conversation", String, primary_key=True),
    Column("key", String, primary_key=True),
    _number("generation"),
    _document("payload"),
    _moment("due", nullable=True),
    _partial("timer_due_idx", "due", where="due IS NOT NULL"),
)
"""One row a timer, kept when it has fired (`due` null), so that its generations never repeat."""

claim_table = Table(
    "claim",
    metadata,
    Column("conversation", String, primary_key=True),
    _text("holder"),
    Column("token", BigInteger, nullable=False),
    _number("lost"),
    _moment("until"),
)
"""Who works on a conversation. The token grows with every claim; the row stays when it is released."""

broadcast_table = Table(
    "broadcast",
    metadata,
    Column("id", String, primary_key=True),
    _text("status"),
    _document("body"),
    _number("total"),
    _number("planned"),
    _moment("created_at"),
    _moment("finished_at", nullable=True),
    CheckConstraint("status IN ('planning', 'running', 'stopped', 'done')", name="status"),
)
"""One message to many. `planned` is how many recipients, of `total`, have their rows in the outbox: where to go on after a crash."""

installation_table = Table(
    "installation",
    metadata,
    Column("key", String, primary_key=True),
    _text("value"),
)
"""What is made once for a database and never changes, such as the secret that names of conversations are made with."""
