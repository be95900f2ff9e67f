from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Claim, Claims, Database, migrate
from tests.databases import HandClock

LEASE = timedelta(seconds=10)


async def test_one_holder_at_a_time(database: Database, clock: HandClock) -> None:
    here, there = Claims(database, holder="here", lease=LEASE), Claims(database, holder="there", lease=LEASE)
    first = await here.acquire("c")
    assert first == Claim("c", 1)
    assert await here.acquire("c") is None
    assert await there.acquire("c") is None
    assert await there.acquire("other") == Claim("other", 1)
    await here.release(first)
    assert await there.acquire("c") == Claim("c", 2)
    assert await here.acquire("c") is None


async def test_a_dead_holder_is_waited_for_and_counted(database: Database, clock: HandClock) -> None:
    here, there = Claims(database, holder="here", lease=LEASE), Claims(database, holder="there", lease=LEASE)
    assert await here.acquire("c") == Claim("c", 1)
    clock.move(seconds=9)
    assert await there.acquire("c") is None
    clock.move(seconds=1)
    second = await there.acquire("c")
    assert second == Claim("c", 2, lost=1)
    clock.move(seconds=10)
    third = await here.acquire("c")
    assert third == Claim("c", 3, lost=2)
    await here.release(third)
    assert await there.acquire("c") == Claim("c", 4), "who lets go properly ends the count"


async def test_renewing(database: Database, clock: HandClock) -> None:
    here, there = Claims(database, holder="here", lease=LEASE), Claims(database, holder="there", lease=LEASE)
    mine = await here.acquire("c")
    assert mine is not None
    for _ in range(3):
        clock.move(seconds=8)
        assert await here.renew(mine)
        assert await there.acquire("c") is None
    clock.move(seconds=10)
    assert await there.acquire("c") == Claim("c", 2, lost=1)
    assert not await here.renew(mine), "it slept too long"
    await here.release(mine)
    assert await there.acquire("c") is None, "releasing what is lost takes nothing from the new holder"


async def test_a_late_renewal_holds_when_nobody_came(database: Database, clock: HandClock) -> None:
    here = Claims(database, holder="here", lease=LEASE)
    mine = await here.acquire("c")
    assert mine is not None
    clock.move(seconds=60)
    assert await here.renew(mine)
    assert await Claims(database, holder="there", lease=LEASE).acquire("c") is None
    await here.release(mine)
    assert not await here.renew(mine), "what was let go is not renewed"


async def test_of_twenty_exactly_one(live: Database) -> None:
    workers = [Claims(live, holder=f"w{n}", lease=LEASE) for n in range(20)]
    for token in range(1, 4):
        claims = [claim for claim in await asyncio.gather(*(worker.acquire("c") for worker in workers)) if claim]
        assert [claim.token for claim in claims] == [token]
        await workers[0].release(claims[0])


async def test_the_servers_clock_decides(engine: AsyncEngine) -> None:
    """Two machines whose clocks are ten minutes apart. SQLite is used by one machine, which has one clock."""
    if engine.dialect.name == "sqlite":
        return
    await migrate(engine)
    ahead, behind = Database(engine), Database(engine)
    ahead.now = lambda: behind.now() + timedelta(minutes=10)
    assert await Claims(behind, holder="behind", lease=LEASE).acquire("c") is not None
    assert await Claims(ahead, holder="ahead", lease=LEASE).acquire("c") is None
    short = Claims(ahead, holder="ahead", lease=timedelta(milliseconds=50))
    assert await short.acquire("d") is not None
    assert await Claims(behind, holder="behind", lease=LEASE).acquire("d") is None
    await asyncio.sleep(0.1)
    assert await Claims(behind, holder="behind", lease=LEASE).acquire("d") == Claim("d", 2, lost=1)
