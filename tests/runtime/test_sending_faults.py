"""What must not stop a sender or make it send twice: answers to commits that are lost, frozen processes, clocks, rows that cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import update

from bot.channels import Absent, ConversationKey, MessageChannel, Payload, Purpose, QuietHours, Reconciled
from bot.conversations import Database, Outbox, OutboxRow
from bot.conversations.tables import outbox_table
from bot.runtime.reconciler import Reconciler
from bot.runtime.sender import Sender

from .test_sending import World, world

__all__ = ["world"]

LEASE = timedelta(seconds=30)


async def claimed(world: World, holder: str, lease: timedelta = LEASE) -> OutboxRow:
    async with world.database.write() as tx:
        return (await Outbox(world.database).claim(tx, holder, limit=1, lease=lease))[0]


async def test_a_put_back_that_is_said_twice_takes_nothing_from_the_next_sender(world: World) -> None:
    """The answer to its commit was lost, so it is said again; meanwhile another sender has the row."""
    await world.put("x")
    outbox = Outbox(world.database)
    first = await claimed(world, "one")
    async with world.database.write() as tx:
        assert await outbox.put_back(tx, [first]) == 1
    await claimed(world, "two")
    async with world.database.write() as tx:
        assert await outbox.put_back(tx, [first]) == 0
        assert not await outbox.put_off(tx, first, datetime.now(UTC))


async def test_a_notice_put_off_till_the_morning_holds_up_no_reply(world: World) -> None:
    night = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
    nightly = replace(world, database=Database(world.database.engine, now=lambda: night))
    await nightly.put("reminder", purpose=Purpose.NOTIFY)
    async with nightly.running(nightly.sender()):
        await asyncio.sleep(1)
        await nightly.put("answer")
        await nightly.until(lambda found: found == ["pending", "sent"])


async def test_a_row_whose_key_is_missing_stops_nobody(world: World) -> None:
    await world.put("sealed")
    async with world.database.write() as tx:
        await tx.execute(update(outbox_table).values(payload={"$sealed": "old", "text": "AAAA"}))
    await world.put("fine", conversation="c2", to="+12125550123")
    async with world.running(world.sender()):
        await world.until(lambda found: found == ["retry", "sent"])
    assert (await world.causes())[0] == "unreadable"


async def test_a_row_that_is_no_payload_keeps_nobody_waiting(world: World) -> None:
    await world.put("bad")
    await world.put("good", conversation="c2", to="+12125550123")
    async with world.database.write() as tx:
        rows = await Outbox(world.database).claim(tx, "dead", limit=9, lease=timedelta(seconds=-1))
    async with world.database.write() as tx:
        await tx.execute(update(outbox_table).where(outbox_table.c.id == rows[0].id).values(payload={"odd": 1}))
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with asyncio.timeout(30):
        while (await world.statuses())[1] != "retry":
            await reconciler()
            await asyncio.sleep(0.2)


async def test_a_machine_whose_clock_is_ahead_believes_no_absence_too_early(world: World) -> None:
    if not world.database.is_postgres:
        pytest.skip("of PostgreSQL only: on SQLite there is one clock")
    ahead = Database(world.database.engine)
    ahead.now = lambda: datetime.now(UTC) + timedelta(minutes=10)
    ages: list[float] = []

    class Spy:
        name = "twilio"

        async def reconcile(
            self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
        ) -> Reconciled:
            ages.append((now - attempted_at).total_seconds())
            return Absent()

    await world.put("x")
    await claimed(world, "dead", timedelta(seconds=-1))
    await Reconciler(ahead, {"twilio": cast(MessageChannel, Spy())})()
    assert ages[0] < 60


async def test_a_frozen_sender_that_thaws_sends_nothing_twice(world: World) -> None:
    await world.put("once")
    frozen, thaw = asyncio.Event(), asyncio.Event()

    class Freezing(Sender):
        async def _paced(self, *row: Any) -> bool:
            paced = await super()._paced(*row)
            frozen.set()
            await thaw.wait()
            return paced

        async def _round(self) -> int:
            return 0 if frozen.is_set() else await super()._round()

    plain = world.sender("one")
    leadership = world.leaderships[plain]
    sender = Freezing(world.database, world.channel, leadership, holder="one")
    sending, leading = asyncio.create_task(sender.run()), asyncio.create_task(leadership.run())
    async with asyncio.timeout(20):
        await frozen.wait()
    leading.cancel()
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with world.running(world.sender("heir")):
        async with asyncio.timeout(40):
            while await world.statuses() != ["sent"]:
                await reconciler()
                await asyncio.sleep(0.2)
        thaw.set()
        await asyncio.sleep(1)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    await asyncio.gather(leading, return_exceptions=True)
    assert world.arrived() == ["once"]


async def test_a_long_queue_behind_a_slow_rate_is_not_taken_up_for_nothing(world: World) -> None:
    world.channel.settings = replace(world.channel.settings, segments_per_second=1.0)  # type: ignore[attr-defined]
    await world.put(*[f"t{n}" for n in range(300)], conversation="", purpose=Purpose.NOTIFY, priority=5, broadcast="b")
    sender = world.sender(quiet=QuietHours({}))
    async with world.running(sender):
        await asyncio.sleep(4)
    async with world.database.read() as connection:
        rows = (await connection.execute(outbox_table.select().where(outbox_table.c.attempted_at.is_not(None)))).all()
    assert 1 <= len(world.arrived()) <= 10
    assert len(rows) <= 32 + 5 * len(world.arrived()), "one look before the pace is known, then as many as it lets through"
