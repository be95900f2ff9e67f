from __future__ import annotations

import asyncio

import pytest

from bot.conversations import Database, Sealer, SealError, SqlConversations, TurnChange, UnitOfWork, reseal
from tests.databases import HandClock

from .test_encryption import NEW, OLD, SECRET, dump, fill, read_all


async def test_from_clear_to_sealed_to_the_next_key(database: Database, clock: HandClock) -> None:
    await fill(database, None, clock)
    plain = await read_all(database, None, clock)
    tables = {"conversation": 1, "event": 2, "inbox": 1, "attachment": 2, "outbox": 1, "effect": 1, "handoff": 1, "timer": 1}
    for sealer in (Sealer({"a": OLD}), Sealer({"b": NEW, "a": OLD})):
        assert await reseal(database, sealer, batch=1) == tables
        assert await reseal(database, sealer) == dict.fromkeys(tables, 0)
        assert SECRET not in await dump(database)
        assert await read_all(database, sealer, clock) == plain
    assert await read_all(database, Sealer({"b": NEW}, strict=True), clock) == plain
    with pytest.raises(SealError):
        await read_all(database, Sealer({"a": OLD}), clock)
    assert await reseal(database, Sealer({"b": NEW}), batch=3) == dict.fromkeys(tables, 0)


async def test_a_missing_key_stops_it(database: Database, clock: HandClock) -> None:
    await fill(database, Sealer({"a": OLD}), clock)
    with pytest.raises(SealError, match="'a', which is not configured"):
        await reseal(database, Sealer({"b": NEW}))


@pytest.mark.parametrize("batch", [1, 7, 40, 41])
async def test_pages(database: Database, clock: HandClock, batch: int) -> None:
    store = SqlConversations(database, now=clock)
    for n in range(40):
        await store.save(f"c{n:02}", {"n": n}, 0, [{"n": n}])
    sealer = Sealer({"a": OLD}, strict=False)
    done = await reseal(database, sealer, batch=batch)
    assert (done["conversation"], done["event"]) == (40, 40)
    strict = SqlConversations(database, now=clock, sealer=Sealer({"a": OLD}, strict=True))
    assert [await strict.events(f"c{n:02}", 1) for n in range(40)] == [[{"n": n}] for n in range(40)]


async def test_beside_live_traffic(live: Database) -> None:
    old, both = Sealer({"a": OLD}), Sealer({"b": NEW, "a": OLD})
    conversations = [f"c{n}" for n in range(6)]

    async def talk(conversation: str, turns: int, sealer: Sealer) -> None:
        work = UnitOfWork(live, sealer=sealer)
        for _ in range(turns):
            turn = await work.begin(conversation)
            await work.commit(turn, TurnChange({"turn": turn.version + 1}, [{"turn": turn.version + 1}]))

    await asyncio.gather(*(talk(conversation, 5, old) for conversation in conversations))
    await asyncio.gather(
        *(talk(conversation, 10, both) for conversation in conversations), reseal(live, both, batch=3), reseal(live, both, batch=4)
    )
    await reseal(live, both)
    store = SqlConversations(live, now=live.now, sealer=Sealer({"b": NEW}, strict=True))
    for conversation in conversations:
        found = await store.load(conversation)
        assert found is not None
        assert (found.state, found.version) == ({"turn": 15}, 15)
        assert await store.events(conversation, 99) == [{"turn": n} for n in range(1, 16)]
