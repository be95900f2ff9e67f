from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels import Address, ConversationKey, Event, Outbound, Payload
from bot.testing.doubles.smsc import SmscDouble
from integrations.smpp import SmppChannel, SmppSettings

OURS, THEIRS = "1588", "+821000000001"
KEY = ConversationKey("smpp", Address("tel", OURS), Address("tel", THEIRS))


@dataclass
class Store:
    """Where events go. `broken` makes it fail, `slow` makes it wait for the gate."""

    events: list[Event] = field(default_factory=list)
    broken: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def deliver(self, events: Sequence[Event]) -> None:
        await self.gate.wait()
        if self.broken:
            self.broken -= 1
            raise ConnectionError("no database")
        known = {event.event_id for event in self.events}
        self.events.extend(event for event in events if event.event_id not in known)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if hasattr(event, "text")]


def quick(smsc: SmscDouble, **changes: Any) -> SmppSettings:
    settings = SmppSettings.from_env(smsc.environment())
    return replace(settings, **{"send_timeout": 2.0, "reconnect_first": 0.02, "reconnect_most": 0.1, "parts_wait": 5.0} | changes)


@dataclass
class Running:
    channel: SmppChannel
    store: Store
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """As a graceful stop does."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def running(settings: SmppSettings, store: Store | None = None, *, connected: bool = True) -> AsyncIterator[Running]:
    kept = store or Store()
    channel = SmppChannel(settings, now=lambda: datetime.now(UTC))
    run = Running(channel, kept, asyncio.create_task(channel.run(kept.deliver)))
    try:
        if connected:
            async with asyncio.timeout(30):
                while not channel.connected:
                    await asyncio.sleep(0.005)
        yield run
    finally:
        await run.stop()


def payloads(channel: SmppChannel, text: str, reference: str = "turn:0") -> tuple[Payload, ...]:
    return channel.render(KEY, Outbound(reference, text))


@pytest.fixture
async def smsc() -> AsyncIterator[SmscDouble]:
    async with SmscDouble() as double:
        yield double
    assert double.violations == []
