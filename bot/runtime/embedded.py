"""The dispatcher of one process: a task a conversation, no server, nothing stored.

What it holds is only what was rung since it started. The rows are in the database, so whoever starts the process rings for every
conversation that has open ones (`Inbox.waiting`); that makes up for everything the process before it had not answered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextvars import Context, copy_context
from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversations.database import after_commit

from .dispatcher import Work
from .telemetry import Telemetry, silence

_AFTER_FAILURE = timedelta(seconds=1)


class EmbeddedDispatcher:
    """Rings within this process, for `concurrency` conversations at once, first come, first served.

    A conversation is queued, at work, or delayed (`work` asked to be rung again later). Rung while queued, it has nothing to add; rung
    while at work, it is rung once more afterwards, at the end of the queue; rung while delayed, it waits the delay out: the delay is
    a burst that is still coming in, or a failure that must cool off, and a new message changes neither. All in one event loop.
    """

    def __init__(self, *, concurrency: int = 32, telemetry: Telemetry = silence) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}: one conversation at a time is the least")
        self._concurrency = concurrency
        self._tell = telemetry
        self._queued: OrderedDict[str, None] = OrderedDict()
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # of those at work
        self._delayed: dict[str, asyncio.TimerHandle] = {}
        self._work: Work | None = None
        self._context = Context()
        self._stopping = asyncio.Event()

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        """Rings once `tx` has committed."""
        after_commit(tx, partial(self.ring, conversation))

    def ring(self, conversation: str) -> None:
        """Rings now: for what was stored before this process began, or what a sweeper found. Before `run` it waits for it."""
        if self._stopping.is_set() or conversation in self._delayed:
            return
        if conversation in self._at_work:
            self._again.add(conversation)
            return
        self._queued[conversation] = None
        self._fill()

    async def run(self, work: Work) -> None:
        """Answers with `work` until `stop`, or until cancelled."""
        self._context = copy_context()  # a turn must not inherit the log fields of the webhook that happened to ring
        self._work = work
        self._fill()
        try:
            await self._stopping.wait()
            if self._at_work:
                await asyncio.wait(self._at_work.values())
        finally:
            await self._end()

    async def stop(self, grace: float) -> None:
        """As the port says. What is queued or delayed is dropped here; its rows are open and will be rung for."""
        self._stopping.set()
        self._forget()
        if self._at_work:
            await asyncio.wait(self._at_work.values(), timeout=grace)
        await self._end()

    def _fill(self) -> None:
        """Gives the free places to those who queued first."""
        while self._work is not None and self._queued and len(self._at_work) < self._concurrency and not self._stopping.is_set():
            conversation, _ = self._queued.popitem(last=False)
            answer = self._answer(self._work, conversation)
            task = asyncio.get_running_loop().create_task(answer, context=self._context.copy())
            self._at_work[conversation] = task
            task.add_done_callback(partial(self._done, conversation))

    async def _answer(self, work: Work, conversation: str) -> None:
        self._again.discard(conversation)
        try:
            delay = await work(conversation)
        except (Exception, asyncio.CancelledError) as error:  # it never should, unless we stop
            if self._stopping.is_set():
                raise
            self._tell("turn_failed", conversation=conversation, cause=type(error).__name__, attempts=0)
            delay = _AFTER_FAILURE
        if delay is None or self._stopping.is_set():
            return
        self._again.discard(conversation)
        if delay > timedelta(0):
            later = asyncio.get_running_loop().call_later
            self._delayed[conversation] = later(delay.total_seconds(), self._due, conversation)
        else:
            self._again.add(conversation)

    def _done(self, conversation: str, _: asyncio.Task[None]) -> None:
        del self._at_work[conversation]
        if conversation in self._again:
            self._again.discard(conversation)
            self.ring(conversation)
        self._fill()

    def _due(self, conversation: str) -> None:
        del self._delayed[conversation]
        self.ring(conversation)

    async def _end(self) -> None:
        self._stopping.set()
        self._forget()
        tasks = list(self._at_work.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        self._queued.clear()
        self._again.clear()
        for timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
