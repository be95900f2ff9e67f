"""The port: who rings when a conversation has work. `embedded` rings within one process, `distributed` on many machines.

The database is the truth and the dispatcher is the doorbell: it may ring twice, late or out of order, but for every wake of a committed
transaction it rings at least once. Order, and that nothing happens twice, come from the inbox and from the commit of the turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

Work = Callable[[str], Awaitable[timedelta | None]]
"""Does what waits for a conversation. Returns None when nothing is left, else after how long to ring again. Never raises."""


class Dispatcher(Protocol):
    """Rings for conversations, each by one task at a time as far as this dispatcher knows."""

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        """Rings once `tx` (of `Database.write`) has committed, on whatever machine runs; never when it rolls back."""
        ...

    async def run(self, work: Work) -> None:
        """Answers the bell with `work`, several conversations at once, until `stop`. Wakes of before are answered too."""
        ...

    async def stop(self, grace: float) -> None:
        """Begins nothing new, waits up to `grace` seconds for what is under way, then cancels it. `run` returns."""
        ...
