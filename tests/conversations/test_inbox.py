from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.conversations import Addresses, Database, Inbox, Incoming
from tests.databases import HandClock

WHO = Addresses("sms", "+12025550100", "+12025550101")


def message(number: int, conversation: str = "c") -> Incoming:
    return Incoming(f"sms:SM{number}", conversation, {"text": f"no. {number}"}, WHO)


async def fill(database: Database, inbox: Inbox, *events: Incoming) -> list[bool]:
    async with database.write() as tx:
        return [await inbox.receive(tx, event) for event in events]


async def test_an_event_comes_in_once(database: Database, clock: HandClock) -> None:
    inbox = Inbox(database)
    assert await fill(database, inbox, message(1), message(2), message(1)) == [True, True, False]
    assert await fill(database, inbox, Incoming("sms:SM1", "other", {"text": "twice"})) == [False]
    async with database.read() as tx:
        rows = await inbox.open(tx, "c")
        assert await inbox.open(tx, "other") == []
    assert [row.event for row in rows] == [message(1), message(2)]
    assert {(row.received_at, row.attempts, row.stale) for row in rows} == {(clock.at, 0, False)}


async def test_twenty_deliveries_at_once(live: Database) -> None:
    inbox = Inbox(live)
    outcomes = await asyncio.gather(*(fill(live, inbox, message(n % 4)) for n in range(20)))
    assert sum(new for (new,) in outcomes) == 4
    async with live.read() as tx:
        assert len(await inbox.open(tx, "c")) == 4


async def test_order_and_done(database: Database) -> None:
    inbox = Inbox(database)
    await fill(database, inbox, *(message(n) for n in (5, 3, 9, 1)), message(7, "other"))
    async with database.write() as tx:
        rows = await inbox.open(tx, "c", limit=3)
        assert [row.event.event_id for row in rows] == ["sms:SM5", "sms:SM3", "sms:SM9"]
        assert await inbox.done(tx, [rows[0].id, rows[2].id])
        assert not await inbox.done(tx, [rows[0].id, rows[1].id])
    async with database.read() as tx:
        assert [row.event.event_id for row in await inbox.open(tx, "c")] == ["sms:SM1"]
        assert len(await inbox.open(tx, "other")) == 1
    assert await fill(database, inbox, message(5)) == [False], "done stays known"


async def test_a_row_is_given_up_after_its_attempts(database: Database, clock: HandClock) -> None:
    inbox = Inbox(database)
    await fill(database, inbox, message(1), message(2))
    async with database.write() as tx:
        first, second = await inbox.open(tx, "c")
        assert [await inbox.failed(tx, first.id, "crashed", limit=3) for _ in range(4)] == ["open", "open", "dead", "gone"]
        assert await inbox.bury(tx, [second.id], "too_long")
        assert not await inbox.bury(tx, [second.id], "too_long")
        assert await inbox.open(tx, "c") == []
        dead = await inbox.dead(tx)
        assert [(letter.id, letter.cause, letter.attempts) for letter in dead] == [(second.id, "too_long", 0), (first.id, "crashed", 3)]
        assert await inbox.revive(tx, first.id)
        assert not await inbox.revive(tx, first.id)
        assert [row.attempts for row in await inbox.open(tx, "c")] == [0]


async def test_what_waits_too_long(database: Database, clock: HandClock) -> None:
    inbox = Inbox(database)
    await fill(database, inbox, message(1, "a"), message(2, "b"), message(3, "a"))
    clock.move(seconds=20)
    await fill(database, inbox, message(4, "late"))
    clock.move(seconds=10)
    async with database.write() as tx:
        assert await inbox.waiting(tx, older_than=timedelta(seconds=31)) == []
        assert await inbox.waiting(tx, older_than=timedelta(seconds=30)) == ["a", "b"]
        assert await inbox.waiting(tx, older_than=timedelta(0)) == ["a", "b", "late"]
        await inbox.done(tx, [row.id for row in await inbox.open(tx, "a")])
        assert await inbox.waiting(tx, older_than=timedelta(0)) == ["b", "late"]


async def test_what_waits_by_the_servers_clock(live: Database) -> None:
    inbox = Inbox(live)
    await fill(live, inbox, message(1))
    async with live.read() as tx:
        assert await inbox.waiting(tx, older_than=timedelta(seconds=30)) == []
        assert await inbox.waiting(tx, older_than=timedelta(0)) == ["c"]


async def test_a_row_and_its_wake_up_are_one(database: Database) -> None:
    inbox = Inbox(database)

    async def webhook() -> None:
        async with database.write() as tx:
            assert await inbox.receive(tx, message(1))
            raise RuntimeError("the queue is away")

    with pytest.raises(RuntimeError, match="away"):
        await webhook()
    assert await fill(database, inbox, message(1)) == [True]


async def test_any_text_comes_back(database: Database) -> None:
    inbox = Inbox(database)
    payload = {"text": "null\x00 half\ud83d 'quote\" \\ %s :x 한국어 🙂"}
    await fill(database, inbox, Incoming("e:'%", "c:'%\"", payload))
    async with database.read() as tx:
        assert [row.event.payload for row in await inbox.open(tx, "c:'%\"")] == [payload]
