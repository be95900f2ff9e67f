from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.conversations import Database, Inbox, Timer, Timers, UnitOfWork
from tests.databases import HandClock

MINUTE = timedelta(minutes=1)


async def fire(database: Database, timers: Timers, limit: int = 100) -> list[str]:
    async with database.write() as tx:
        return await timers.fire(tx, limit)


async def test_a_due_timer_fires_once_into_the_inbox(database: Database, clock: HandClock) -> None:
    timers, inbox = Timers(database), Inbox(database)
    async with database.write() as tx:
        await timers.set(tx, "c", [Timer("silence", clock.at + MINUTE, {"step": "ask"}), Timer("later", clock.at + 9 * MINUTE)])
        await timers.set(tx, "d", [Timer("silence", clock.at + MINUTE)])
        await timers.set(tx, "d", [])
    assert await fire(database, timers) == []
    clock.move(minutes=1)
    assert sorted(await fire(database, timers)) == ["c", "d"]
    assert await fire(database, timers) == []
    async with database.read() as tx:
        (row,) = await inbox.open(tx, "c")
        assert (row.event.kind, row.event.timer, row.event.payload) == ("timer", "silence", {"step": "ask"})
        assert [timer.key for timer in await timers.running(tx, "c")] == ["later"]


async def test_a_timer_set_anew_fires_again(database: Database, clock: HandClock) -> None:
    timers, inbox = Timers(database), Inbox(database)
    for n in range(3):
        async with database.write() as tx:
            await timers.set(tx, "c", [Timer("silence", clock.at, {"n": n})])
        assert await fire(database, timers) == ["c"]
    async with database.read() as tx:
        assert [row.event.payload["n"] for row in await inbox.open(tx, "c")] == [0, 1, 2]


async def test_replaced_and_cancelled(database: Database, clock: HandClock) -> None:
    timers = Timers(database)
    async with database.write() as tx:
        await timers.set(tx, "c", [Timer("a", clock.at + MINUTE), Timer("b", clock.at + MINUTE)])
        await timers.set(tx, "c", [Timer("a", clock.at + 5 * MINUTE)])
        await timers.cancel(tx, "c", ["b", "never set"])
    clock.move(minutes=2)
    assert await fire(database, timers) == []
    clock.move(minutes=3)
    assert await fire(database, timers) == ["c"]


async def test_what_fired_and_was_then_answered_is_stale(database: Database, clock: HandClock) -> None:
    timers, work = Timers(database), UnitOfWork(database)
    async with database.write() as tx:
        await timers.set(tx, "c", [Timer("silence", clock.at), Timer("call", clock.at), Timer("other", clock.at)])
    await fire(database, timers)
    assert [row.stale for row in (await work.begin("c")).inbox] == [False, False, False]
    async with database.write() as tx:
        await timers.set(tx, "c", [Timer("silence", clock.at + MINUTE)])
        await timers.cancel(tx, "c", ["call"])
    stale = {row.event.timer: row.stale for row in (await work.begin("c")).inbox}
    assert stale == {"silence": True, "call": True, "other": False}


async def test_many_fire_at_once(live: Database) -> None:
    timers, inbox = Timers(live), Inbox(live)
    async with live.write() as tx:
        for n in range(60):
            await timers.set(tx, f"c{n}", [Timer("t", live.now() - MINUTE)])
    woken = await asyncio.gather(*(fire(live, timers, 10) for _ in range(12)))
    everyone = [conversation for some in woken for conversation in some]
    assert sorted(everyone) == sorted(f"c{n}" for n in range(60))
    async with live.read() as tx:
        assert sum([len(await inbox.open(tx, f"c{n}")) for n in range(60)]) == 60
