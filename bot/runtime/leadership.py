"""What one process does for all: sending (so that rates are strict), connections that providers know one end of, housekeeping. A lease,
like the claim on a conversation.

Two processes never both lead for longer than it takes to notice; what they do stands being done twice, so that costs nothing but pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.conversations import Claim, Claims

from .telemetry import Telemetry, silence


class Leadership:
    """`run` tries for it until `stop`; `leads` says whether this process has it now, and `held` waits until it does.

    `claims` must have the given `lease`. Names of tasks have a colon, names of conversations none.
    """

    def __init__(self, claims: Claims, task: str, *, lease: timedelta, telemetry: Telemetry = silence) -> None:
        self._claims = claims
        self._name = f"task:{task}"
        self._task = task
        self._lease = lease.total_seconds()
        self._tell = telemetry
        self._clock: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self.term = 0
        """How often this process has taken the task up."""
        self._claim: Claim | None = None
        self._until = 0.0
        self._held = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def leads(self) -> bool:
        return self._held.is_set() and self._clock() < self._until

    async def held(self) -> None:
        """Returns when this process leads."""
        while not self.leads:
            self._held.clear() if self._clock() >= self._until else None
            await self._held.wait()

    async def run(self) -> None:
        while not self._stopping.is_set():
            began = self._clock()
            try:
                await self._try()
            except (SQLAlchemyError, OSError):
                pass  # the lease may run out meanwhile, and then it is lost
            else:
                if self._claim is not None:
                    self._until = began + self._lease
                    if not self._held.is_set():
                        self.term += 1
                        self._held.set()
                        self._tell("leader", task=self._task, state="held")
            if self._held.is_set() and self._clock() >= self._until:
                self._lose()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._lease / 3)

    async def while_leading(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs `work` whenever this process leads, and cancels it when it leads no more. Until cancelled."""
        while True:
            await self.held()
            task = asyncio.create_task(work())
            try:
                while self.leads and not task.done():
                    await asyncio.wait({task}, timeout=self._lease / 6)
                if task.done():
                    task.result()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def stop(self, grace: float = 0.0) -> None:
        """Lets go, so that another process need not wait for the lease."""
        self._stopping.set()
        claim, self._claim = self._claim, None
        self._held.clear()
        if claim is not None:
            with suppress(SQLAlchemyError, OSError):
                await self._claims.release(claim)

    async def _try(self) -> None:
        if self._claim is None:
            self._claim = await self._claims.acquire(self._name)
        elif not await self._claims.renew(self._claim):
            self._lose()

    def _lose(self) -> None:
        if self._held.is_set():
            self._tell("leader", task=self._task, state="lost")
        self._claim = None
        self._until = 0.0
        self._held.clear()
