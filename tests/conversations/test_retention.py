from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.channels import MediaFile, MediaLink
from bot.conversations import (
    Addresses,
    Attachments,
    Database,
    Inbox,
    Incoming,
    Outbox,
    Outgoing,
    Retention,
    RetentionPolicy,
    SqlConversations,
    SqlEffects,
    TurnChange,
    UnitOfWork,
)
from tests.databases import HandClock

from .test_customer_data import ANN, BOB, counts, live_a_little

DAY = timedelta(days=1)
EVERYTHING = RetentionPolicy(conversations=30 * DAY, transcripts=30 * DAY, messages=30 * DAY, effects=30 * DAY)


async def test_without_a_policy_everything_stays(database: Database, clock: HandClock) -> None:
    await live_a_little(database, ANN, "Ann")
    before = await counts(database)
    clock.move(days=9999)
    assert await Retention(database, RetentionPolicy()).apply() == {}
    assert await counts(database) == before


async def test_old_conversations_go_whole(database: Database, clock: HandClock) -> None:
    await live_a_little(database, ANN, "Ann")
    one = await counts(database)
    clock.move(days=20)
    await live_a_little(database, BOB, "Bob")
    retention = Retention(database, RetentionPolicy(conversations=30 * DAY))
    assert await retention.apply() == {}
    clock.move(days=11)
    assert await retention.apply() == {name: count for name, count in one.items() if name != "consent"}
    assert await retention.apply() == {}
    assert await counts(database) == {**one, "consent": 2 * one["consent"]}, "who said stop is not forgotten"


async def test_what_is_not_finished_stays(database: Database, clock: HandClock) -> None:
    work, inbox, outbox = UnitOfWork(database), Inbox(database), Outbox(database)
    effects = SqlEffects(database, now=clock)
    for name in ("waits", "unsent", "agent", "idle"):
        await work.commit(await work.begin(name), TurnChange({}, owner="agent:kim" if name == "agent" else None))
    await work.commit(await work.begin("queue"), TurnChange({}, [{"event": "handoff", "skill": "s", "priority": 1}]))
    async with database.write() as tx:
        await inbox.receive(tx, Incoming("open", "waits", {}))
        await inbox.receive(tx, Incoming("dead", "other", {}))
        await inbox.bury(tx, [row.id for row in await inbox.open(tx, "other")], "x")
        await outbox.put(tx, [Outgoing({}, "unsent", key="k", not_before=clock.at + 900 * DAY)])
    await effects.begin("other/unknown", "pay", "h")
    await effects.begin("other/failed", "pay", "h")
    await effects.failed("other/failed", "no")
    clock.move(days=100)
    assert await Retention(database, EVERYTHING).apply() == {"conversation": 1, "event": 1, "effect": 1}
    for name in ("waits", "unsent", "agent", "queue"):
        assert (await work.begin(name)).version == 1, name
    assert (await counts(database)) == {"conversation": 4, "handoff": 1, "inbox": 2, "outbox": 1, "effect": 1}


async def test_files_grow_old_as_messages_do(database: Database, clock: HandClock) -> None:
    """Finished ones; those that wait, and those of younger messages, stay."""
    attachments, link = Attachments(database), MediaLink("https://files.example/1", "image/png")
    for number in range(30):
        async with database.write() as tx:
            await attachments.expect(tx, "c", f"e{number}", Addresses("sms", "b", ANN), [link])
        (row,) = await attachments.claim(limit=1, lease=DAY * 900)
        if number % 3:
            await (attachments.kept(row, MediaFile(b"x", "image/png")) if number % 2 else attachments.refused(row, "type"))
        clock.move(days=1)
    assert await Retention(database, RetentionPolicy(transcripts=DAY, effects=DAY)).apply() == {}
    assert await Retention(database, RetentionPolicy(messages=5 * DAY)).apply() == {"attachment": 16}
    left = {(file.event_id, file.status) for file in await attachments.of("c")}
    assert left == {
        *((f"e{number}", "waiting") for number in range(0, 30, 3)),
        *((f"e{number}", "kept") for number in (25, 29)),
        *((f"e{number}", "refused") for number in (26, 28)),
    }


async def test_a_conversation_that_goes_takes_its_files_along(database: Database, clock: HandClock) -> None:
    work, attachments, link = UnitOfWork(database), Attachments(database), MediaLink("https://files.example/1", "image/png")
    for name in ("old", "young"):
        await work.commit(await work.begin(name), TurnChange({}))
        async with database.write() as tx:
            await attachments.expect(tx, name, name, Addresses("sms", "b", ANN), [link, link])
        (row,) = await attachments.claim(limit=1, lease=DAY)
        await attachments.kept(row, MediaFile(b"x", "image/png"))
        clock.move(days=20)
    deleted = await Retention(database, RetentionPolicy(conversations=30 * DAY)).apply()
    assert deleted == {"conversation": 1, "attachment": 2}
    assert len(await attachments.of("young")) == 2


@pytest.mark.parametrize("batch", [1, 3, 500])
async def test_pages_and_what_stands_in_the_way(database: Database, clock: HandClock, batch: int) -> None:
    """Old rows behind old rows that must stay are found; young ones are not touched."""
    store, inbox = SqlConversations(database, now=clock), Inbox(database)
    for day in range(10):
        await store.save("c", {}, day, [{"day": day}, {"day": day}])
        async with database.write() as tx:
            await inbox.receive(tx, Incoming(f"e{day}", "c", {}))
            if day % 3:
                await inbox.done(tx, [row.id for row in await inbox.open(tx, "c") if row.event.event_id == f"e{day}"])
        clock.move(days=1)
    deleted = await Retention(database, RetentionPolicy(transcripts=4 * DAY, messages=4 * DAY)).apply(batch=batch)
    assert deleted == {"event": 12, "inbox": 4}
    assert [event["day"] for event in await store.events("c", 99)] == [6, 6, 7, 7, 8, 8, 9, 9]
    async with database.read() as tx:
        assert [row.event.event_id for row in await inbox.open(tx, "c")] == ["e0", "e3", "e6", "e9"]
    await store.save("c", {}, 10, [{"day": 10}])
    assert len(await store.events("c", 99)) == 9, "numbers go on"


async def test_everything_goes_in_the_end(database: Database, clock: HandClock) -> None:
    await live_a_little(database, ANN, "Ann")
    clock.move(days=31)
    await asyncio.gather(*(Retention(database, EVERYTHING).apply() for _ in range(3)))
    assert await counts(database) == {"consent": 2}


async def test_messages_without_a_conversation(database: Database, clock: HandClock) -> None:
    outbox = Outbox(database)
    async with database.write() as tx:
        await outbox.put(tx, [Outgoing({}, "", Addresses("sms", "b", ANN), key=f"k{n}") for n in range(3)])
        first, second, third = await outbox.claim(tx, "s", limit=9, lease=DAY)
        await outbox.sent(tx, first, "SM1")
        await outbox.unknown(tx, second, "timeout")
        await outbox.rejected(tx, third, "21211")
    clock.move(days=31)
    assert await Retention(database, EVERYTHING).apply() == {"outbox": 2}
