"""A web application on a real port, for tests: with real channels, a real log and real metrics."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Deliver, Event, WebhookChannel
from bot.conversations import Database
from bot.conversations.tables import inbox_table
from bot.runtime.gauges import Gauges
from bot.runtime.health import Health
from bot.runtime.logs import Log
from bot.runtime.observing import Observer
from bot.runtime.reception import Reception
from bot.runtime.server import Server, serve
from bot.runtime.web import Webhook, application
from bot.testing.doubles.twilio import TwilioDouble
from integrations.twilio import TwilioSettings, open_channel

MESSAGES, STATUS = "/channels/twilio/messages", "/channels/twilio/status"


class Doorbell:
    """A dispatcher that only notes who was rung for."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        self.woken.append(conversation)

    async def run(self, work: Any) -> None:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError


@dataclass
class Served:
    """`log` has the lines, parsed; `events` what was stored, if the test did not store it itself."""

    server: Server
    observer: Observer
    health: Health
    stream: io.StringIO
    events: list[Event] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def log(self, event: str = "webhook") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    async def logged(self, event: str = "webhook") -> dict[str, Any]:
        """The first such line, when it is written."""
        async with asyncio.timeout(30):
            while not self.log(event):
                await asyncio.sleep(0.01)
        return self.log(event)[0]

    async def raw(self, *parts: bytes, pause: float = 0.0) -> bytes:
        return await raw(self.server.port, *parts, pause=pause)


async def raw(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Sends bytes as they are, with pauses; all that is answered until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()

    async def read() -> None:
        with suppress(ConnectionError):
            while part := await reader.read(1 << 16):
                answer.extend(part)

    reading = asyncio.create_task(read())
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    async with asyncio.timeout(30):
        await reading
    writer.close()
    return bytes(answer)


@asynccontextmanager
async def serving(
    database: Database,
    take: Deliver | None = None,
    *,
    twilio: TwilioDouble | None = None,
    channel: WebhookChannel | None = None,
    connections: int = 1000,
    **options: Any,
) -> AsyncIterator[Served]:
    """Serves the webhooks of an adapter for `twilio` (or those of `channel`). Without `take` the events are only kept."""
    twilio = twilio or TwilioDouble()
    stream = io.StringIO()
    log = Log(stream)
    gauges = Gauges(database, keep=0)
    observer, health = Observer(log, gauges), Health(database, gauges, keep=0)
    events: list[Event] = []

    async def keep(told: Sequence[Event]) -> None:
        events.extend(told)

    environment = twilio.environment(TWILIO_API_BASE_URL="http://127.0.0.1:1")
    async with open_channel(TwilioSettings.from_env(environment), trust_env=False) as adapter:
        webhooks = [Webhook(path, channel or adapter) for path in (MESSAGES, STATUS)]
        app = application(webhooks, take or keep, health, observer, **options)
        with log.standard():
            server = await serve(app, "127.0.0.1", 0, connections=connections)
            twilio.caller.connect_to = server.url
            try:
                yield Served(server, observer, health, stream, events)
            finally:
                await server.stop(1.0)


def reception(database: Database) -> Reception:
    return Reception(database, Doorbell(), secret=b"of this installation")


async def rows(database: Database) -> int:
    """How many events the inbox has."""
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(inbox_table))).scalar_one()
