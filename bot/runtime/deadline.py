"""Waiting, but not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadline:
    """`await deadline(work())` gives its result, or raises TimeoutError after `seconds` even if the work cannot be cancelled at once.

    Work on a database that has fallen silent may not end for a while after it was cancelled: a driver's thread waits for a lock, or a
    rollback for an answer. `asyncio.timeout` would wait for that, too.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._late: set[asyncio.Task[Any]] = set()

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task,), timeout=self.seconds)
        finally:
            if not task.done():
                task.cancel()
                self._late.add(task)
                task.add_done_callback(self._ended)
        if not task.done():
            raise TimeoutError(f"no answer within {self.seconds:g} s")
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more; not to be reported as forgotten
