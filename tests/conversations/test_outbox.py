from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.channels import Status
from bot.conversations import Addresses, Consent, Database, Outbox, OutboxRow, Outgoing, Receipts
from tests.databases import HandClock

WHO = Addresses("sms", "+12025550100", "+12025550101")
LEASE = timedelta(seconds=30)


def message(key: str, conversation: str = "c", **more: Any) -> Outgoing:
    return Outgoing({"text": key}, **{"conversation": conversation, "addresses": WHO, "key": key, **more})


async def put(database: Database, *messages: Outgoing) -> None:
    async with database.write() as tx:
        await Outbox(database).put(tx, messages)


async def claim(database: Database, limit: int = 100, **more: Any) -> list[OutboxRow]:
    async with database.write() as tx:
        return await Outbox(database).claim(tx, "sender", limit=limit, lease=LEASE, **more)


async def settle(database: Database, row: OutboxRow, what: str, *arguments: Any) -> bool:
    async with database.write() as tx:
        return bool(await getattr(Outbox(database), what)(tx, row, *arguments))


async def statuses(database: Database, conversation: str = "c") -> dict[str, str]:
    async with database.read() as tx:
        return {row.message.key: row.status for row in await Outbox(database).of(tx, conversation)}


def keys(rows: list[OutboxRow]) -> list[str]:
    return [row.message.key for row in rows]


async def test_one_conversation_is_sent_in_order(database: Database, clock: HandClock) -> None:
    await put(database, *(message(key) for key in ("t/1:0", "t/1:1", "t/2:0")))
    for key in ("t/1:0", "t/1:1", "t/2:0"):
        (row,) = await claim(database)
        assert (row.message.key, row.status, row.attempts) == (key, "sending", 1)
        assert await claim(database) == [], "the next waits for it"
        assert await settle(database, row, "sent", f"SM-{key}")
    assert set((await statuses(database)).values()) == {"sent"}


async def test_a_retry_holds_up_what_follows_and_an_unknown_does_for_a_minute(database: Database, clock: HandClock) -> None:
    await put(database, message("1"), message("2"), message("3"))
    (row,) = await claim(database)
    assert await settle(database, row, "retry", timedelta(seconds=20), "rate_limited")
    assert await claim(database) == []
    clock.move(seconds=20)
    (row,) = await claim(database)
    assert (row.message.key, row.attempts, row.cause) == ("1", 2, "rate_limited")
    assert await settle(database, row, "unknown", "timeout")
    clock.move(seconds=59)
    assert await claim(database) == []
    clock.move(seconds=1)
    (row,) = await claim(database)
    assert row.message.key == "2"
    assert await settle(database, row, "rejected", "21211")
    assert keys(await claim(database)) == ["3"]


async def test_most_urgent_first_and_not_before_its_time(database: Database, clock: HandClock) -> None:
    later = clock.at + timedelta(hours=1)
    await put(
        database,
        message("campaign", "a", priority=5),
        message("tomorrow", "b", not_before=later),
        message("notice", "b", priority=3),
        message("reply", "b"),
        message("other", "d"),
    )
    assert keys(await claim(database)) == ["reply", "other", "notice", "campaign"], "the notice, written first, does not hold up the reply"
    clock.move(hours=1)
    assert keys(await claim(database)) == ["tomorrow"]


async def test_what_was_planned_for_later_holds_nothing_up(database: Database, clock: HandClock) -> None:
    await put(database, message("tomorrow", not_before=clock.at + timedelta(days=1)), message("now"))
    assert keys(await claim(database)) == ["now"]


async def test_limit_and_channel(database: Database) -> None:
    voice = Addresses("voice", "b", "x")
    await put(database, *(message(f"{n}", f"c{n}") for n in range(5)), message("v", "v", addresses=voice))
    assert keys(await claim(database, channel="voice")) == ["v"]
    assert keys(await claim(database, limit=2)) == ["0", "1"]
    assert keys(await claim(database, limit=9)) == ["2", "3", "4"]


async def test_no_two_senders_get_the_same(live: Database) -> None:
    await put(live, *(message(f"{n}", f"c{n}") for n in range(100)))
    batches = await asyncio.gather(*(claim(live, 7) for _ in range(20)))
    got = [key for batch in batches for key in keys(batch)]
    assert sorted(got) == sorted(f"{n}" for n in range(100))


async def test_a_dead_senders_rows_come_back_as_unknown(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database)
    await put(database, *(message(f"{n}", f"c{n}") for n in range(3)))
    rows = await claim(database)
    clock.move(seconds=29)
    async with database.write() as tx:
        assert await outbox.lose(tx) == 0
        assert await outbox.extend(tx, rows[:1], LEASE) == 1
    clock.move(seconds=1)
    async with database.write() as tx:
        assert await outbox.lose(tx) == 2
        assert [(row.message.key, row.cause) for row in await outbox.unresolved(tx)] == [("1", "sender_lost"), ("2", "sender_lost")]
        assert await outbox.extend(tx, rows, LEASE) == 1
    assert await claim(database) == [], "never sent again by itself"
    assert await settle(database, rows[1], "sent", "SM1"), "the slow sender was alive and knows best"
    assert await settle(database, rows[2], "retry", timedelta(0), "not_found")
    (again,) = await claim(database)
    assert (again.message.key, again.attempts) == ("2", 2)
    assert not await settle(database, rows[2], "sent", "late"), "its row has a new sender"
    assert await settle(database, again, "sent", "SM2")
    assert not await settle(database, again, "retry", timedelta(0), "x"), "sent is sent"


async def test_who_said_stop_gets_nothing(database: Database, clock: HandClock) -> None:
    other = Addresses("sms", "+12025550100", "+12025550102")
    await put(
        database,
        message("late"),
        message("bye", "c2", purpose="consent"),
        message("fine", "d", addresses=other),
        message("ad", "e", purpose="marketing"),
    )
    async with database.write() as tx:
        await Consent(database).record(tx, "e1", "stop", WHO, clock.at)
    assert keys(await claim(database)) == ["bye", "fine"]
    async with database.read() as tx:
        (row,) = await Outbox(database).of(tx, "c")
    assert (row.status, row.cause) == ("rejected", "opted_out")
    assert await statuses(database, "e") == {"ad": "rejected"}


async def test_cancelling(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database)
    later = clock.at + timedelta(days=1)
    await put(
        database,
        message("taken"),
        message("ad", purpose="marketing"),
        message("notice", purpose="notify", not_before=later),
        message("other", "d"),
    )
    await claim(database, 1)
    async with database.write() as tx:
        assert await outbox.cancel(tx, "c", purpose="marketing") == 1
        assert await outbox.cancel(tx, "c") == 1
    assert await statuses(database) == {"taken": "sending", "ad": "cancelled", "notice": "cancelled"}
    assert await statuses(database, "d") == {"other": "pending"}


async def test_a_key_is_used_once(database: Database) -> None:
    await put(database, message("1"))
    with pytest.raises(Exception, match="(?i)unique"):
        await put(database, message("2"), message("1"))
    assert await statuses(database) == {"1": "pending"}


@pytest.mark.parametrize("early", [True, False])
async def test_receipts_show_whenever_they_come(database: Database, early: bool) -> None:
    await put(database, message("1"), message("2"))
    (row,) = await claim(database)
    for step in ("receipt", "sent") if early else ("sent", "receipt"):
        if step == "sent":
            await settle(database, row, "sent", "SM1")
        else:
            async with database.write() as tx:
                await Receipts(database).record(tx, "sms", "SM1", Status.DELIVERED)
    async with database.read() as tx:
        first, second = await Outbox(database).of(tx, "c")
    assert (first.status, first.provider_id, first.delivery) == ("sent", "SM1", Status.DELIVERED)
    assert second.delivery is None


async def test_the_latest_of_a_conversation(database: Database) -> None:
    await put(database, *(message(str(n)) for n in range(5)))
    async with database.read() as tx:
        assert keys(await Outbox(database).of(tx, "c", last=2)) == ["3", "4"]


async def test_due_goes_by_the_servers_clock(live: Database) -> None:
    """A machine ten minutes ahead does not delay its replies."""
    if not live.is_postgres:
        return
    ahead = Database(live.engine)
    ahead.now = lambda: live.now() + timedelta(minutes=10)
    await put(ahead, message("1"))
    assert keys(await claim(live)) == ["1"]


async def test_an_unknown_is_asked_for_when_it_is_time(database: Database, clock: HandClock) -> None:
    await put(database, message("1"))
    (row,) = await claim(database)
    assert await settle(database, row, "unknown", "timeout", timedelta(seconds=5))
    outbox = Outbox(database)
    async with database.read() as tx:
        assert await outbox.unresolved(tx) == []
    clock.move(seconds=5)
    async with database.read() as tx:
        (found,) = await outbox.unresolved(tx)
    assert found.attempted_at == clock.at - timedelta(seconds=5)


async def test_a_receipt_with_our_reference_settles_whatever_was_unsure(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database)
    await put(database, message("1", "a"), message("2", "b"), message("3", "c"))
    first, second, third = await claim(database)
    assert await settle(database, first, "unknown", "timeout")
    assert await settle(database, second, "retry", timedelta(seconds=1), "rate")
    assert await settle(database, third, "rejected", "21211")
    async with database.write() as tx:
        assert [await outbox.confirm(tx, key, f"SM{key}") for key in ("1", "2", "3", "4")] == [True, True, False, False]
    clock.move(hours=1)
    assert await claim(database) == []
    found = [status for name in "abc" for status in (await statuses(database, name)).values()]
    assert found == ["sent", "sent", "rejected"]


async def test_what_was_not_begun_goes_back_and_counts_as_no_attempt(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database)
    await put(database, message("1", "a"), message("2", "b"))
    first, second = await claim(database)
    async with database.write() as tx:
        assert await outbox.put_back(tx, [first]) == 1
        assert await outbox.put_off(tx, second, clock.at + timedelta(hours=8))
    (again,) = await claim(database)
    assert (again.message.key, again.attempts) == ("1", 1)
    clock.move(hours=8)
    assert keys(await claim(database)) == ["2"]


async def test_what_is_accounted_for(database: Database) -> None:
    outbox = Outbox(database)
    await put(database, message("1"), message("2"), message("3", "other"))
    for _ in range(2):
        for row in await claim(database):
            if row.message.key != "2":
                assert await settle(database, row, "sent", f"SM{row.message.key}")
            else:
                async with database.read() as tx:
                    assert await outbox.accounted_for(tx, row) == {"SM1"}
