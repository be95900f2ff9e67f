"""Who may take a conversation, when several want it at once, sleep, or die."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversations import (
    Claim,
    ClaimLost,
    Claims,
    ConflictError,
    Database,
    Inbox,
    InboxTaken,
    Incoming,
    OpenTurn,
    Outbox,
    Outgoing,
    SqlConversations,
    Timer,
    Timers,
    TurnChange,
    UnitOfWork,
)
from bot.conversations.tables import claim_table
from tests.databases import HandClock

LEASE = timedelta(seconds=10)


def claims(database: Database, name: str, lease: timedelta = LEASE) -> Claims:
    return Claims(database, holder=name, lease=lease)


def worker(database: Database, name: str, lease: timedelta = LEASE) -> UnitOfWork:
    return UnitOfWork(database, claims=claims(database, name, lease))


async def receive(database: Database, *names: str, conversation: str = "c") -> None:
    async with database.write() as tx:
        for name in names:
            await Inbox(database).receive(tx, Incoming(name, conversation, {"text": name}))


def names(turn: OpenTurn) -> list[str]:
    return [row.event.event_id for row in turn.inbox]


async def taken(work: UnitOfWork, conversation: str = "c") -> OpenTurn:
    turn = await work.take(conversation)
    assert turn is not None
    return turn


async def test_one_at_a_time(database: Database) -> None:
    here, there = worker(database, "here"), worker(database, "there")
    await receive(database, "e1")
    turn = await taken(here)
    assert (turn.claim, names(turn)) == (Claim("c", 1), ["e1"])
    assert await here.take("c") is None, "another task of the same process"
    assert await there.take("c") is None
    await here.commit(turn, TurnChange({}))
    await receive(database, "e2")
    turn = await taken(there)
    assert (turn.claim, names(turn), turn.version) == (Claim("c", 2), ["e2"], 1)
    await receive(database, "e3", conversation="other")
    assert (await taken(here, "other")).claim == Claim("other", 1)


async def test_without_work_nothing_is_claimed(database: Database) -> None:
    work = worker(database, "here")
    turn = await taken(work)
    assert (turn.version, turn.inbox, turn.claim) == (0, (), None)
    await receive(database, "e1")
    await work.commit(await taken(work), TurnChange({"n": 1}))
    turn = await taken(work)
    assert (turn.version, turn.state, turn.inbox, turn.claim) == (1, {"n": 1}, (), None)
    async with database.read() as tx:
        assert (await tx.execute(select(claim_table.c.token, claim_table.c.holder))).all() == [(1, "")]


async def test_without_claims_everybody_may(database: Database) -> None:
    work = UnitOfWork(database)
    await receive(database, "e1")
    first, second = await taken(work), await taken(work)
    assert first == second
    await work.commit(first, TurnChange({}))
    with pytest.raises(ConflictError):
        await work.commit(second, TurnChange({}))


async def test_dead_holders_are_waited_for_and_counted(database: Database, clock: HandClock) -> None:
    workers = [worker(database, f"w{n}") for n in range(4)]
    await receive(database, "e1")
    for lost in range(3):
        assert (await taken(workers[lost])).claim == Claim("c", lost + 1, lost)
        clock.move(seconds=9)
        assert await workers[lost + 1].take("c") is None
        clock.move(seconds=1)
    turn = await taken(workers[3])
    assert turn.claim == Claim("c", 4, lost=3)
    await workers[3].commit(turn, TurnChange({}))
    await receive(database, "e2")
    assert (await taken(workers[0])).claim == Claim("c", 5), "who commits ends the count"


async def test_all_leases_end_when_the_only_process_starts(database: Database) -> None:
    await receive(database, "e1")
    await receive(database, "e2", conversation="d")
    before = worker(database, "before")
    await taken(before)
    await before.commit(await taken(before, "d"), TurnChange({}))
    held = claims(database, "after")
    assert await held.abandon_all() == 1
    assert await held.abandon_all() == 0
    assert (await taken(UnitOfWork(database, claims=held))).claim == Claim("c", 2, lost=1)


async def test_a_refused_commit_lets_the_conversation_go(database: Database) -> None:
    here, there = worker(database, "here"), worker(database, "there")
    await receive(database, "e1", "e2")
    turn = await taken(here)
    async with database.write() as tx:
        await Inbox(database).bury(tx, [turn.inbox[0].id], "by hand")
    with pytest.raises(InboxTaken):
        await here.commit(turn, TurnChange({}))
    again = await taken(there)
    assert (again.claim, names(again)) == (Claim("c", 2), ["e2"])


async def test_of_twenty_exactly_one(live: Database) -> None:
    workers = [worker(live, f"w{n}") for n in range(20)]
    for version in range(4):
        await receive(live, f"e{version}")
        turns = await asyncio.gather(*(work.take("c") for work in workers))
        ((winner, turn),) = [(work, turn) for work, turn in zip(workers, turns, strict=True) if turn is not None]
        assert (turn.version, turn.claim) == (version, Claim("c", version + 1))
        await winner.commit(turn, TurnChange({}))


@pytest.mark.parametrize("done", [1, 2])
async def test_a_claim_that_becomes_free_while_one_waits_for_it(live: Database, done: int) -> None:
    """PostgreSQL: the statement that waits began before the other's commit. What it gives must be from after it."""
    if not live.is_postgres:
        return
    here, there = worker(live, "here"), worker(live, "there")
    await receive(live, "e1", "e2")
    turn = await taken(here)
    waiting: list[asyncio.Task[OpenTurn | None]] = []

    async def let_the_other_wait(_: AsyncConnection) -> None:
        waiting.append(asyncio.create_task(there.take("c")))
        await until_blocked(live)

    await here.commit(turn, TurnChange({"by": "here"}, done=[row.id for row in turn.inbox[:done]]), also=let_the_other_wait)
    other = await waiting[0]
    assert other is not None
    assert (other.version, other.state, names(other)) == (1, {"by": "here"}, ["e2"][done - 1 :])
    assert other.claim == (Claim("c", 2) if done == 1 else None)
    if done == 1:
        assert await there.commit(other, TurnChange({})) == 2
    await receive(live, "e3")
    assert names(await taken(here)) == ["e3"]


@pytest.mark.parametrize("fate", ["counted", "buried"])
async def test_a_row_that_changes_while_the_commit_waits_for_it(live: Database, fate: str) -> None:
    """A row that was only counted as failed is taken in all the same; one that was given up refuses the commit, which stores nothing."""
    if not live.is_postgres:
        return
    work, inbox = worker(live, "here"), Inbox(live)
    await receive(live, "e0")
    await work.commit(await taken(work), TurnChange({"n": 0}))
    await receive(live, "e1", "e2")
    turn = await taken(work)
    async with live.write() as tx:
        assert await inbox.failed(tx, turn.inbox[1].id, "x", limit=1 if fate == "buried" else 9) == ("dead" if fate == "buried" else "open")
        commit = asyncio.create_task(work.commit(turn, TurnChange({"n": 1}, [{"event": "bot"}], [Outgoing({})])))
        await until_blocked(live)
    if fate == "counted":
        assert await commit == 2
        assert (await work.begin("c")).inbox == ()
        return
    with pytest.raises(InboxTaken):
        await commit
    again = await taken(work)
    assert (again.version, again.state, names(again), again.last_seq) == (1, {"n": 0}, ["e1"], 0)
    async with live.read() as tx:
        assert await Outbox(live).of(tx, "c") == []


async def until_blocked(database: Database) -> None:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        async with database.read() as connection:
            if await connection.scalar(query):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def test_workers_that_sleep_too_long_lose_and_repeat_nothing(live: Database) -> None:
    """Six workers, some of which doze through their leases, on three conversations that keep getting messages."""
    chance, per_conversation, conversations = random.Random(7), 15, ("a", "b", "c")
    refused: list[type[ConflictError]] = []
    left = dict.fromkeys(conversations, per_conversation)

    async def serve(number: int) -> None:
        work = worker(live, f"w{number}", timedelta(milliseconds=300))
        while any(left.values()):
            name = chance.choice(conversations)
            turn = await work.take(name)
            if turn is None or not turn.inbox:
                await asyncio.sleep(0.01)
                continue
            if chance.random() < 0.1:
                await asyncio.sleep(0.5)
            events = [{"event": "user", "id": event} for event in names(turn)]
            change = TurnChange({"n": turn.version}, events, [Outgoing({"to": event}) for event in names(turn)])
            try:
                await work.commit(turn, change)
                left[name] -= len(events)
            except ConflictError as conflict:
                refused.append(type(conflict))

    async def write() -> None:
        for n in range(per_conversation):
            for name in conversations:
                await receive(live, f"{name}{n}", conversation=name)
            await asyncio.sleep(0.03)

    async with asyncio.timeout(60):
        await asyncio.gather(write(), *(serve(n) for n in range(6)))
    store = SqlConversations(live, now=live.now)
    for name in conversations:
        expected = [f"{name}{n}" for n in range(per_conversation)]
        assert [event["id"] for event in await store.events(name, 99)] == expected
        async with live.read() as tx:
            assert [row.message.payload["to"] for row in await Outbox(live).of(tx, name)] == expected
    assert set(refused) <= {ClaimLost, ConflictError}


async def test_documents_of_any_text(database: Database, clock: HandClock) -> None:
    """Lists go in as one JSON value: nothing a customer can write may break out of it, or get lost in it."""
    strange = 'quote" back\\slash \\u0041 nul\x00 half\ud83d pair 😀 한국어 :name %s %(x)s ?'
    document: dict[str, Any] = {"event": "user", "text": strange, "z": 1.5, "a": None, strange: [strange]}
    work = UnitOfWork(database)
    later = clock() + timedelta(hours=1, microseconds=5)
    change = TurnChange(document, [document, document], [Outgoing(document, not_before=later)], [Timer("t", later, document)])
    await work.commit(await work.begin("c"), change)
    assert (await work.begin("c")).state == document
    assert await SqlConversations(database, now=clock).events("c", 9) == [document, document]
    async with database.read() as tx:
        (row,) = await Outbox(database).of(tx, "c")
        assert (row.message.payload, row.message.not_before, row.due) == (document, later, later)
        assert await Timers(database).running(tx, "c") == [Timer("t", later, document)]
        assert list(document) == list((await work.begin("c")).state or {}), "keys keep their order"


async def test_timers_of_one_turn(database: Database, clock: HandClock) -> None:
    work, at = UnitOfWork(database), clock()
    first = [Timer("twice", at, {"n": 1}), Timer("twice", at, {"n": 2}), Timer("stopped", at), Timer("kept", at)]
    await work.commit(await work.begin("c"), TurnChange({}, timers=first, cancelled_timers=["stopped", "unknown"]))
    async with database.read() as tx:
        assert {(t.key, t.payload.get("n")) for t in await Timers(database).running(tx, "c")} == {("twice", 2), ("kept", None)}
    await work.commit(await work.begin("c"), TurnChange({}, cancelled_timers=["kept"]))
    async with database.read() as tx:
        assert [timer.key for timer in await Timers(database).running(tx, "c")] == ["twice"]
        assert await tx.scalar(select(func.count()).select_from(claim_table)) == 0


async def test_hand_overs_of_one_turn(database: Database, clock: HandClock) -> None:
    work, store = UnitOfWork(database), SqlConversations(database, now=clock)
    asked = [{"event": "handoff", "skill": skill, "priority": 1} for skill in ("a", "b", "c")]
    back = {"event": "handoff_ended"}
    await work.commit(await work.begin("c"), TurnChange({}, asked[:1]))
    await work.commit(await work.begin("c"), TurnChange({}, [asked[1], back, asked[2]]))
    assert [row.skill for row in await store.waiting()] == ["c"]
    assert (await work.begin("c")).owner == "queue"
    await work.commit(await work.begin("c"), TurnChange({}, [asked[0], back]))
    assert await store.waiting() == []
    assert (await work.begin("c")).owner == "bot"
