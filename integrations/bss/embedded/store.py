"""The database: one SQLite file or memory, short transactions, one writer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from ..errors import BssError, Code
from .codec import codec, decode, encode
from .tables import TABLES, metadata

T = TypeVar("T")


class Transaction:
    """One transaction: entities in, entities out."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, cls: type[T], entity_id: str) -> T | None:
        found = await self.select(cls, TABLES[cls].c.id == entity_id)
        return found[0] if found else None

    async def get(self, cls: type[T], entity_id: str) -> T:
        """Raises `not_found`."""
        found = await self.find(cls, entity_id)
        if found is None:
            raise BssError(Code.NOT_FOUND, f"no {cls.__name__} has the id {entity_id!r}")
        return found

    async def select(self, cls: type[T], *where: ColumnElement[bool], order: Iterable[Any] = (), limit: int | None = None) -> tuple[T, ...]:
        query = select(TABLES[cls]).where(*where).order_by(*order).limit(limit)
        return tuple(decode(cls, tuple(row)) for row in await self._connection.execute(query))

    async def add(self, entity: Any) -> None:
        table = TABLES[type(entity)]
        await self._connection.execute(insert(table), dict(zip(table.c.keys(), encode(entity), strict=True)))

    async def add_all(self, cls: type[T], entities: Iterable[T]) -> None:
        """Many of one kind at once, past SQLAlchemy's per-row work: this is how seeding stays fast."""
        rows = [encode(entity) for entity in entities]
        if rows:
            marks = ",".join("?" * len(codec(cls).names))
            await self._connection.exec_driver_sql(f"INSERT INTO {TABLES[cls].name} VALUES ({marks})", rows)

    async def put(self, entity: T) -> T:
        """Write an entity over the row with its id, or add it."""
        table = TABLES[type(entity)]
        row = dict(zip(table.c.keys(), encode(entity), strict=True))
        await self._connection.execute(insert(table).prefix_with("OR REPLACE"), row)
        return entity

    async def change(self, entity: T, **changes: Any) -> T:
        """The entity with some fields changed, stored."""
        return await self.put(replace(entity, **changes))  # type: ignore[type-var]

    async def remove(self, cls: type[Any], entity_id: str) -> None:
        table = TABLES[cls]
        await self._connection.execute(delete(table).where(table.c.id == entity_id))


class Store:
    """Opens transactions. In memory there is one connection, so readers take turns with the writer."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine | None) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Store:
        """Raises ValueError for a URL that is not `sqlite+aiosqlite`."""
        parsed = make_url(url)
        if parsed.drivername != "sqlite+aiosqlite":
            raise ValueError(f"the embedded operator lives in SQLite: sqlite+aiosqlite:///file, not {parsed.drivername}")
        if parsed.database in (None, "", ":memory:"):
            store = cls(_engine(url, begin="BEGIN IMMEDIATE", poolclass=StaticPool), None)
        else:
            store = cls(_engine(url, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0), _engine(url, begin="BEGIN"))
        async with store._writer.begin() as connection:
            await connection.run_sync(metadata.create_all)
        return store

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not None:
            await self._reader.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """All of it or nothing."""
        async with self._turn, self._writer.begin() as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """One consistent view."""
        if self._reader is None:
            async with self._turn, self._writer.begin() as connection:
                yield Transaction(connection)
        else:
            async with self._reader.begin() as connection:
                yield Transaction(connection)


def _engine(url: str, *, begin: str, **options: Any) -> AsyncEngine:
    engine = create_async_engine(url, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver's own implicit BEGIN comes too late to give a consistent view; ours is said in `_begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
