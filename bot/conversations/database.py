"""Engines, transactions and the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, bindparam, event, func, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from .document import decode, encode
from .statements import Spelling
from .tables import UtcDateTime

WRITE = "conversations_write"
"""Execution option of connections that write."""

_AFTER_COMMIT = "conversations_after_commit"

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_BUSY_SECONDS = 30
LIMITS = "-c statement_timeout=15s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
"""A transaction here takes milliseconds. One that hangs must not hold a conversation, or the rows of a dead machine, for ever."""


def connect(url: str, **options: Any) -> AsyncEngine:
    """An engine for `sqlite:///file.db` or `postgresql://user@host/name`. Dispose of it with `await engine.dispose()`.

    SQLite runs in WAL mode, flushes every commit to disk (`synchronous=FULL`) and overwrites what is deleted.
    `options` go to `create_async_engine`. Raises ValueError for another database.
    """
    parsed = make_url(url)
    name = parsed.get_backend_name()
    if name not in _DRIVERS:
        raise ValueError(f"no support for {name}: use sqlite:///path/to/file.db or postgresql://user@host/database")
    parsed = parsed.set(drivername=_DRIVERS[name])
    # Errors of a database print its parameters otherwise: what customers wrote, in logs.
    options = {"json_serializer": encode, "json_deserializer": decode, "hide_parameters": True, **options}
    if name != "sqlite":
        if "options" not in parsed.query:
            options["connect_args"] = {"options": LIMITS, **options.get("connect_args", {})}
        return create_async_engine(parsed, **options)
    if not parsed.database or parsed.database == ":memory:":
        # A database in memory is its connection; sharing one between turns would mix up their transactions.
        options = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, **options}
    engine = create_async_engine(parsed, **options)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def utc_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


class Database:
    """An engine as the rooms of this package use it. Make one an engine and pass it to all of them.

    `now` is the clock of records. Leases and dates that machines must agree on go by `moment`: the clock of the database itself on
    PostgreSQL, unless `now` was given (tests, simulations); on SQLite, which one machine uses, always `now`.
    """

    def __init__(self, engine: AsyncEngine, *, now: Callable[[], datetime] | None = None) -> None:
        self.engine = engine
        self.now = now or utc_now
        self.is_postgres = engine.dialect.name == "postgresql"
        self._shared_clock = self.is_postgres and now is None
        self.spelling = Spelling(postgres=self.is_postgres, shared_clock=self._shared_clock)
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = engine.execution_options(**{WRITE: True})
        # SQLite has one writer. Those of this process queue up here, in order; the database's own lock is polled and unfair.
        self._turnstile = None if self.is_postgres else asyncio.Lock()
        # `INSERT ... ON CONFLICT` is spelled alike on both, but built by each dialect's own function.
        self.insert = postgresql.insert if self.is_postgres else sqlite.insert

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Single statements without a transaction: each sees what is committed."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: commits at the end, and rolls back when left by an exception. Keep it short; call nobody inside."""
        async with self._turnstile or nullcontext(), self._writer.begin() as connection:
            callbacks: list[Callable[[], None]] = []
            notes = connection.info
            notes[_AFTER_COMMIT] = callbacks
            try:
                yield connection
                if callbacks:
                    await _commit(connection, callbacks)
            finally:
                del notes[_AFTER_COMMIT]

    @asynccontextmanager
    async def write_once(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that writes and commits by itself: a third of the round trips of a transaction."""
        if self._turnstile is None:
            async with self._reader.connect() as connection:
                yield connection
            return
        async with self._turnstile, self._reader.connect() as connection:
            yield connection

    def moment(self, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
        """The time, as SQL, when the statement runs, moved by `after`."""
        if self._shared_clock:
            time = func.clock_timestamp()
            return type_coerce(time + bindparam(None, after, type_=Interval) if after else time, UtcDateTime)
        return bindparam(None, type_=UtcDateTime, callable_=lambda: self.now() + after)

    def at_moment(self) -> dict[str, datetime]:
        """The parameters of `statements.Spelling.moment`: none where the server has the time."""
        return {} if self._shared_clock else {"moment": self.now()}

    def lease(self, length: timedelta) -> dict[str, Any]:
        """The parameters of `statements.Spelling.moment` and `until`."""
        if self._shared_clock:
            return {"lease": length}
        now = self.now()
        return {"moment": now, "until": now + length}


def after_commit(tx: AsyncConnection, callback: Callable[[], None]) -> None:
    """Calls `callback` once `tx` (of `Database.write`) has committed, in the order asked for; never when it was rolled back.

    It must not raise: what is committed cannot fail any more. Raises RuntimeError when `tx` is no open transaction of `Database.write`.
    """
    callbacks: list[Callable[[], None]] | None = tx.info.get(_AFTER_COMMIT)
    if callbacks is None:
        raise RuntimeError("after_commit needs the connection of an open `Database.write()`")
    callbacks.append(callback)


async def _commit(tx: AsyncConnection, callbacks: list[Callable[[], None]]) -> None:
    """Commits and calls back as one. A task that is cancelled meanwhile hears of it afterwards: a commit cannot be taken back half-way."""

    async def work() -> None:
        try:
            await tx.commit()
        except BaseException:
            await tx.rollback()  # asks nothing of the database; without it SQLAlchemy gives the connection back as it is
            raise
        for callback in callbacks:
            callback()

    task = asyncio.create_task(work())
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    failure = task.exception()
    if cancelled or failure:
        raise cancelled or failure  # type: ignore[misc]


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    settings = (f"busy_timeout={_BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in settings:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Takes the write lock at the beginning: a transaction that reads first and writes later fails when another wrote meanwhile."""
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
