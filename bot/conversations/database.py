"""Engines and tables. The same tables on SQLite and on PostgreSQL.

Documents are JSON text on both (`json`, not `jsonb`): a state is read whole, keeps the order of its keys, and may hold any
character a customer can send, which `jsonb` refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Integer, MetaData, String, Table, UniqueConstraint, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from .document import decode, encode

WRITE = "conversations_write"
"""Execution option of connections that write."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_BUSY_SECONDS = 30
_LOCK = 5_390_171  # any number, the same in every process that creates our tables


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


metadata = MetaData()

conversation_table = Table(
    "conversation",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", JSON(none_as_null=True), nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

event_table = Table(
    "event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("conversation", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", JSON(none_as_null=True), nullable=False),
    UniqueConstraint("conversation", "seq"),
)

effect_table = Table(
    "effect",
    metadata,
    Column("key", String, primary_key=True),
    Column("action", String, nullable=False),
    Column("request_hash", String, nullable=False),
    Column("status", String, nullable=False),
    Column("result", JSON),
    Column("reason", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)

handoff_table = Table(
    "handoff",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("conversation", String, nullable=False, index=True),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("status", String, nullable=False),
    Column("skill", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("body", JSON(none_as_null=True), nullable=False),
)
"""The queue for people: one row a request, waiting until somebody takes it or the customer goes back to the bot."""

flow_version_table = Table(
    "flow_version",
    metadata,
    Column("flow", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("body", JSON(none_as_null=True), nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)


def connect(url: str, **options: Any) -> AsyncEngine:
    """An engine for `sqlite:///file.db` or `postgresql://user@host/name`. Dispose of it with `await engine.dispose()`.

    SQLite runs in WAL mode and flushes every commit to disk (`synchronous=FULL`). `options` go to `create_async_engine`.
    Raises ValueError for another database.
    """
    parsed = make_url(url)
    name = parsed.get_backend_name()
    if name not in _DRIVERS:
        raise ValueError(f"no support for {name}: use sqlite:///path/to/file.db or postgresql://user@host/database")
    parsed = parsed.set(drivername=_DRIVERS[name])
    options = {"json_serializer": encode, "json_deserializer": decode, **options}
    if name != "sqlite":
        return create_async_engine(parsed, **options)
    if not parsed.database or parsed.database == ":memory:":
        # A database in memory is its connection; sharing one between turns would mix up their transactions.
        options = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, **options}
    engine = create_async_engine(parsed, **options)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Takes the write lock at the beginning: a transaction that reads first and writes later fails when another wrote meanwhile."""
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def create_tables(engine: AsyncEngine, *tables: Table) -> None:
    """Makes the tables that are not there yet; several processes may do so at once."""
    async with engine.execution_options(**{WRITE: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(metadata.create_all, tables=tables)
