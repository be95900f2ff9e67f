from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.bss.embedded import EmbeddedOperator

# So that a failing check of the contract shows its values.
pytest.register_assert_rewrite("integrations.bss.testing")

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


class Clock:
    """A time that moves when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def operator(clock: Clock) -> AsyncIterator[EmbeddedOperator]:
    """The personas only, in memory."""
    async with EmbeddedOperator.open(now=clock, customers=0) as operator:
        yield operator
