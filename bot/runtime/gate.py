"""Turns run together, except those that are suspected of killing their process: they run alone, so that nobody else is blamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Many may be within `together`; whoever is within `alone` is the only one."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._next = asyncio.Lock()
        self._closed = False
        self._within = 0

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._within += 1
        try:
            yield
        finally:
            self._within -= 1
            await self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Lets nobody else in, and waits until all have left."""
        async with self._next:
            self._closed = True
            try:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._within == 0)
                yield
            finally:
                self._closed = False
                await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
