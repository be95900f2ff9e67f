"""Both dispatchers behind one face, and a `work` that says what happened to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from bot.conversations import Database, Inbox, Incoming
from bot.runtime.dispatcher import Dispatcher, Work
from bot.runtime.distributed import ProcrastinateDispatcher
from bot.runtime.embedded import EmbeddedDispatcher

PATIENCE = 20.0
"""Seconds until something that should happen is given up. It is not a measurement."""


async def until(happened: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.01)


class Told(list[tuple[str, dict[str, str | int]]]):
    """Telemetry that remembers."""

    def __call__(self, event: str, *, seconds: float | None = None, count: int = 1, **fields: str | int) -> None:
        self.append((event, {"count": count, **fields}))

    def events(self) -> set[str]:
        return {event for event, _ in self}


class Bench:
    """A database, and the dispatcher that belongs to it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.inbox = Inbox(database)
        self.told = Told()

    def dispatcher(self, concurrency: int = 8) -> EmbeddedDispatcher | ProcrastinateDispatcher:
        if self.database.is_postgres:
            return ProcrastinateDispatcher(self.database, concurrency=concurrency, telemetry=self.told)
        return EmbeddedDispatcher(concurrency=concurrency, telemetry=self.told)

    async def start(self, dispatcher: Dispatcher, work: Work) -> asyncio.Task[None]:
        """Begins to run as a process does. What was rung before it began, the embedded dispatcher must be told: it stores nothing."""
        if isinstance(dispatcher, EmbeddedDispatcher):
            async with self.database.read() as connection:
                for conversation in await self.inbox.waiting(connection, older_than=timedelta(0)):
                    dispatcher.ring(conversation)
        return asyncio.create_task(dispatcher.run(work))

    @asynccontextmanager
    async def running(self, work: Work, concurrency: int = 8) -> AsyncIterator[Dispatcher]:
        dispatcher = self.dispatcher(concurrency)
        task = await self.start(dispatcher, work)
        try:
            yield dispatcher
        finally:
            await dispatcher.stop(0)
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, PATIENCE)

    async def receive(self, dispatcher: Dispatcher, conversation: str, event: str = "") -> None:
        async with self.database.write() as tx:
            assert await self.inbox.receive(tx, Incoming(event or conversation, conversation, {}))
            await dispatcher.wake(tx, conversation)

    async def take(self, conversation: str) -> list[str]:
        """A turn: what is open is taken in, in its order."""
        async with self.database.write() as tx:
            rows = await self.inbox.open(tx, conversation)
            assert await self.inbox.done(tx, [row.id for row in rows])
        return [row.event.event_id for row in rows]

    async def left(self) -> list[str]:
        async with self.database.read() as connection:
            return await self.inbox.waiting(connection, older_than=timedelta(0))


class Recorder:
    """Work that counts, and looks who else is at it."""

    def __init__(self) -> None:
        self.rung: Counter[str] = Counter()
        self.order: list[str] = []
        self.at_work: Counter[str] = Counter()
        self.most = 0
        self.overlaps = 0

    async def __call__(self, conversation: str) -> timedelta | None:
        self.rung[conversation] += 1
        self.order.append(conversation)
        self.at_work[conversation] += 1
        self.overlaps += self.at_work[conversation] > 1
        self.most = max(self.most, self.at_work.total())
        try:
            return await self.do(conversation)
        finally:
            self.at_work[conversation] -= 1

    async def do(self, conversation: str) -> timedelta | None:
        await asyncio.sleep(0)
        return None
