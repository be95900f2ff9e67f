"""What happens by the clock, in the one process that keeps house: timers, sweeping, asking after unknown sends, deleting what is old."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from bot.channels import BacklogChannel, Deliver, MessageChannel
from bot.conversations import Database, Inbox, Retention, Timers

from .dispatcher import Dispatcher
from .leadership import Leadership
from .telemetry import Telemetry, silence

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Job:
    """`work` is called every so many seconds, never twice at once; it may raise, and is called again all the same."""

    name: str
    every: float
    work: Callable[[], Awaitable[object]]


class Schedules:
    """Runs jobs while this process leads. Goes by the steady clock: nothing happens twice or not at all when the wall clock jumps."""

    def __init__(
        self, jobs: Sequence[Job], leadership: Leadership, *, telemetry: Telemetry = silence, chance: Callable[[], float] = random.random
    ) -> None:
        self._jobs = jobs
        self._leadership = leadership
        self._tell = telemetry
        self._chance = chance
        self._stopping = asyncio.Event()
        self._at_work: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until `stop`."""
        loops = [asyncio.create_task(self._repeat(job)) for job in self._jobs]
        try:
            await self._stopping.wait()
            if self._at_work:
                await asyncio.wait(self._at_work)
        finally:
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def stop(self, grace: float) -> None:
        """Begins no more jobs and gives those at work `grace` seconds."""
        self._stopping.set()
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=grace)

    async def _repeat(self, job: Job) -> None:
        await asyncio.sleep(min(job.every, 1.0) * self._chance())
        while not self._stopping.is_set():
            await self._leadership.held()
            task = asyncio.create_task(self._once(job))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
            await asyncio.wait({task})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), job.every * (0.9 + 0.2 * self._chance()))

    async def _once(self, job: Job) -> None:
        try:
            await job.work()
        except Exception as error:
            self._tell("job_failed", job=job.name, cause=type(error).__name__)


# --- the jobs -------------------------------------------------------------------------------------------------------------------------


async def fire_timers(
    database: Database, timers: Timers, dispatcher: Dispatcher, telemetry: Telemetry = silence, *, limit: int = 200
) -> int:
    """Due timers become inbox rows, with a wake each, in one transaction. Returns how many conversations were woken."""
    async with database.write() as tx:
        woken = await timers.fire(tx, limit)
        for conversation in woken:
            await dispatcher.wake(tx, conversation)
    if woken:
        telemetry("timer", count=len(woken))
    return len(woken)


async def sweep(
    database: Database,
    inbox: Inbox,
    dispatcher: Dispatcher,
    telemetry: Telemetry = silence,
    *,
    older_than: timedelta = timedelta(seconds=30),
    limit: int = 200,
) -> int:
    """Rings again for conversations whose rows have waited too long: what the dispatcher should never have forgotten. Returns how many.

    Few at a time: rows that wait because everybody is busy are rung for already, and more bells do not help.
    """
    async with database.read() as connection:
        late = await inbox.waiting(connection, older_than=older_than, limit=limit)
    for start in range(0, len(late), 100):
        async with database.write() as tx:
            for conversation in late[start : start + 100]:
                await dispatcher.wake(tx, conversation)
    if late:
        telemetry("swept", count=len(late))
    return len(late)


async def retain(retention: Retention, telemetry: Telemetry = silence) -> None:
    """Deletes what is older than the policy keeps it."""
    for table, count in (await retention.apply()).items():
        telemetry("retention", table=table, count=count)


async def fetch_backlog(
    database: Database,
    channels: Mapping[str, MessageChannel],
    take: Deliver,
    telemetry: Telemetry = silence,
    *,
    back: timedelta = timedelta(minutes=30),
) -> None:
    """Asks providers for messages whose webhooks may never have reached us, for many do not tell twice. Known ones change nothing."""
    since = database.now() - back
    for name, channel in channels.items():
        if not isinstance(channel, BacklogChannel):
            continue
        try:
            events = await channel.backlog(since)
        except OSError as error:  # asked again in a few minutes; the other channels are asked now
            telemetry("job_failed", job="backlog", cause=type(error).__name__)
            continue
        for start in range(0, len(events), _BATCH):
            await take(events[start : start + _BATCH])
        telemetry("recovered", channel=name, count=len(events))
