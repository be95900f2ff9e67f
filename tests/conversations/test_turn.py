from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversations import (
    Addresses,
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
    OwnerChanged,
    SqlConversations,
    Stored,
    Timer,
    Timers,
    TurnChange,
    UnitOfWork,
)
from bot.conversations.tables import metadata
from tests.databases import HandClock

WHO = Addresses("sms", "+12025550100", "+12025550101")
HANDOFF = {"event": "handoff", "reason": "asked", "skill": "billing", "priority": 2, "summary": "s"}


async def receive(database: Database, *names: str, conversation: str = "c") -> None:
    inbox = Inbox(database)
    async with database.write() as tx:
        for name in names:
            await inbox.receive(tx, Incoming(name, conversation, {"text": name}, WHO))


def worker(database: Database, name: str, lease: timedelta = timedelta(seconds=10)) -> UnitOfWork:
    return UnitOfWork(database, claims=Claims(database, holder=name, lease=lease))


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        found = {name: (await tx.execute(select(func.count()).select_from(table))).scalar_one() for name, table in metadata.tables.items()}
    return {name: count for name, count in found.items() if count}


def full(turn: OpenTurn, clock: Callable[[], Any]) -> TurnChange:
    """A turn that touches everything."""
    return TurnChange(
        state={"turn": turn.version + 1},
        events=({"event": "user", "text": "hi"}, {"event": "bot", "text": "hello"}, HANDOFF),
        outbox=(Outgoing({"text": "hello"}), Outgoing({"text": "later"}, not_before=clock() + timedelta(hours=1), priority=3)),
        timers=(Timer("silence", clock() + timedelta(minutes=5)),),
        cancelled_timers=("other",),
    )


async def test_a_turn_from_its_beginning(database: Database, clock: HandClock) -> None:
    work, store = UnitOfWork(database), SqlConversations(database, now=clock)
    await receive(database, "e1", "e2")
    turn = await work.begin("c")
    assert (turn.version, turn.state, turn.owner, turn.addresses, turn.id) == (0, None, "bot", WHO, "c/1")
    assert [row.event.event_id for row in turn.inbox] == ["e1", "e2"]
    assert await work.commit(turn, full(turn, clock)) == 1
    assert await store.load("c") == Stored({"turn": 1}, 1)
    assert [event["event"] for event in await store.events("c", 9)] == ["user", "bot", "handoff"]
    assert [row.skill for row in await store.waiting()] == ["billing"]
    async with database.read() as tx:
        first, second = await Outbox(database).of(tx, "c")
        assert [(timer.key, timer.due) for timer in await Timers(database).running(tx, "c")] == [
            ("silence", clock.at + timedelta(minutes=5))
        ]
    assert (first.message.key, first.message.addresses, first.due) == ("c/1:0", WHO, clock.at)
    assert (second.message.key, second.due) == ("c/1:1", clock.at + timedelta(hours=1))
    again = await work.begin("c")
    assert (again.version, again.state, again.owner, again.addresses, again.inbox) == (1, {"turn": 1}, "queue", WHO, ())


async def test_a_conversation_nobody_knows(database: Database) -> None:
    turn = await UnitOfWork(database).begin("c")
    assert (turn.version, turn.state, turn.inbox, turn.addresses) == (0, None, (), Addresses())


async def test_rows_are_taken_in_as_the_turn_says(database: Database) -> None:
    work = UnitOfWork(database)
    await receive(database, *(f"e{n}" for n in range(5)))
    turn = await work.begin("c", limit=4)
    ids = [row.id for row in turn.inbox]
    assert len(ids) == 4
    await work.commit(turn, TurnChange({}, done=ids[:2], dead={ids[2]: "unreadable"}))
    assert [row.event.event_id for row in (await work.begin("c")).inbox] == ["e3", "e4"]
    async with database.read() as tx:
        assert [(letter.event_id, letter.cause) for letter in await Inbox(database).dead(tx)] == [("e2", "unreadable")]
    turn = await work.begin("c")
    await work.commit(turn, TurnChange({}, dead={turn.inbox[0].id: "poison"}))
    assert (await work.begin("c")).inbox == (), "the others are done by default"


@pytest.mark.parametrize("fault", ["also", "event", "state", "payload", "timer", "taken", "buried", "cancelled"])
async def test_a_fault_at_any_step_leaves_nothing(database: Database, clock: HandClock, fault: str) -> None:
    work = UnitOfWork(database)
    await receive(database, "e1")
    for version in (0, 1):  # a new conversation and a known one
        turn = await work.begin("c")
        before = await counts(database)
        change: dict[str, Any] = {name: getattr(full(turn, clock), name) for name in TurnChange.__dataclass_fields__}
        also = None
        bad = {"a": object()}
        if fault in ("also", "cancelled"):

            async def also(tx: AsyncConnection, events: int = 3 * version + 3) -> None:
                assert await tx.scalar(select(func.count()).select_from(metadata.tables["event"])) == events
                raise asyncio.CancelledError if fault == "cancelled" else RuntimeError("JSON")
        elif fault == "taken":
            change["done"] = [row.id for row in turn.inbox] + [10**6]
        elif fault == "buried":
            change["dead"] = {10**6: "x"}
        else:
            values = {
                "event": ("events", [{"event": "ok"}, bad]),
                "state": ("state", bad),
                "payload": ("outbox", [Outgoing(bad)]),
                "timer": ("timers", [Timer("t", clock.at, bad)]),
            }
            change.update([values[fault]])
        with pytest.raises(BaseException, match="JSON|not open any more|^$") as caught:
            await work.commit(turn, TurnChange(**change), also=also)
        assert isinstance(caught.value, InboxTaken) == (fault in ("taken", "buried"))
        assert await counts(database) == before
        same = await work.begin("c")
        assert (same.version, same.state, same.inbox) == (turn.version, turn.state, turn.inbox)
        await work.commit(turn, full(turn, clock))
        await receive(database, f"after {version}")


async def test_the_wake_up_is_in_the_same_transaction(database: Database) -> None:
    work = UnitOfWork(database)

    async def wake(tx: AsyncConnection) -> None:
        await Inbox(database).receive(tx, Incoming("wake", "c", {}))

    await work.commit(await work.begin("c"), TurnChange({}), also=wake)
    assert [row.event.event_id for row in (await work.begin("c")).inbox] == ["wake"]


async def test_of_twenty_turns_exactly_one_wins_each_version(live: Database) -> None:
    work, store = UnitOfWork(live), SqlConversations(live, now=live.now)
    for version in range(5):
        await receive(live, f"e{version}")
        turns = await asyncio.gather(*(work.begin("c") for _ in range(20)))
        assert {turn.version for turn in turns} == {version}
        changes = [TurnChange({"by": n}, [{"event": "by", "n": n}], [Outgoing({"by": n})], [Timer("t", live.now())]) for n in range(20)]
        outcomes = await asyncio.gather(*map(work.commit, turns, changes), return_exceptions=True)
        assert [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)] == [version + 1]
        winner = outcomes.index(version + 1)
        assert await store.load("c") == Stored({"by": winner}, version + 1)
        assert (await store.events("c", 1))[0]["n"] == winner
        async with live.read() as tx:
            assert (await Outbox(live).of(tx, "c"))[-1].message.payload == {"by": winner}
    assert await counts(live) == {"conversation": 1, "event": 5, "inbox": 5, "outbox": 5, "timer": 1}


async def test_a_second_turn_for_the_same_rows(database: Database) -> None:
    """Even where the version would allow it, an inbox row is taken in once."""
    work = UnitOfWork(database)
    await receive(database, "e1")
    stale = await work.begin("c")
    await work.commit(stale, TurnChange({"n": 1}))
    turn = await work.begin("c")
    with pytest.raises(InboxTaken):
        await work.commit(turn, TurnChange({"n": 2}, done=[row.id for row in stale.inbox]))
    assert (await work.begin("c")).state == {"n": 1}


async def test_a_person_who_took_over_is_not_talked_over(database: Database) -> None:
    work = UnitOfWork(database)
    await work.commit(await work.begin("c"), TurnChange({}))
    slow, desk = await work.begin("c"), await work.begin("c")
    await _take_over(database, "agent:kim")
    with pytest.raises(OwnerChanged):
        await work.commit(slow, TurnChange({}, outbox=[Outgoing({"text": "late"})]))
    with pytest.raises(OwnerChanged):
        await work.commit(desk, TurnChange({}))
    now = await work.begin("c")
    assert now.owner == "agent:kim"
    await work.commit(now, TurnChange({}, [{"event": "handoff_ended"}]))
    assert (await work.begin("c")).owner == "bot"
    await work.commit(await work.begin("c"), TurnChange({}, owner="agent:lee"))
    assert (await work.begin("c")).owner == "agent:lee"
    assert (await counts(database)).get("outbox") is None


async def _take_over(database: Database, owner: str) -> None:
    from sqlalchemy import update

    from bot.conversations.tables import conversation_table

    async with database.write() as tx:
        await tx.execute(update(conversation_table).values(owner=owner))


@pytest.mark.parametrize("known", [False, True])
async def test_a_frozen_holder_is_fenced_off(database: Database, clock: HandClock, known: bool) -> None:
    work = UnitOfWork(database)
    here, there = (worker(database, name) for name in ("here", "there"))
    if known:
        await work.commit(await work.begin("c"), TurnChange({}))
    await receive(database, "e1")
    frozen = await here.take("c")
    clock.move(seconds=11)
    other = await there.take("c")
    assert frozen is not None
    assert other is not None
    assert other.claim == Claim("c", 2, lost=1)
    with pytest.raises(ClaimLost):
        await work.commit(frozen, TurnChange({"by": "frozen"}, outbox=[Outgoing({})]))
    await work.commit(other, TurnChange({"by": "other"}, outbox=[Outgoing({})]))
    with pytest.raises(ClaimLost, match="leave it to them"):
        await work.commit(frozen, TurnChange({"by": "frozen"}, outbox=[Outgoing({})]))
    assert (await work.begin("c")).state == {"by": "other"}
    assert (await counts(database))["outbox"] == 1


async def test_a_holder_that_is_late_but_alone_may_commit(database: Database, clock: HandClock) -> None:
    work = worker(database, "here")
    await receive(database, "e1")
    turn = await work.take("c")
    assert turn is not None
    clock.move(seconds=60)
    assert await work.commit(turn, TurnChange({})) == 1


async def test_no_connection_is_held_in_between(live: Database) -> None:
    pool: Any = live.engine.pool
    turn = await UnitOfWork(live).begin("c")
    assert pool.checkedout() == 0
    await UnitOfWork(live).commit(turn, TurnChange({}))
    assert pool.checkedout() == 0


def seen_by(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that a database is sent from now on; on PostgreSQL by the driver, which not all go to through SQLAlchemy."""
    seen: list[str] = []
    if database.is_postgres:
        from psycopg import AsyncCursor

        execute = AsyncCursor.execute

        async def watched(self: Any, query: Any, *args: Any, **options: Any) -> Any:
            seen.append(" ".join(str(query).split()))
            return await execute(self, query, *args, **options)

        monkeypatch.setattr(AsyncCursor, "execute", watched)
    else:
        engine = database.engine.sync_engine
        sqlalchemy_event.listen(engine, "before_cursor_execute", lambda c, k, statement, p, x, m: seen.append(" ".join(statement.split())))
    return seen


async def test_statements_of_a_turn(live: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget: on PostgreSQL one statement to claim and load, one to commit with events, messages, a timer, a hand-over, and release."""
    work, seen = worker(live, "w"), seen_by(live, monkeypatch)
    for version in range(2):
        await receive(live, *(f"{version}.{n}" for n in range(3)))
        seen.clear()
        turn = await work.take("c")
        assert turn is not None
        await work.commit(turn, full(turn, live.now))
        words = [" ".join(statement.split()[:3]) for statement in seen if not statement.startswith("BEGIN")]
        saved = "UPDATE conversation SET" if version else "INSERT INTO conversation"
        expected = ["INSERT INTO claim", "SELECT saved.version AS", saved, "UPDATE inbox SET", "INSERT INTO outbox"]
        expected += [
            "INSERT INTO timer",
            "UPDATE timer SET",
            "INSERT INTO event",
            "UPDATE handoff SET",
            "INSERT INTO handoff",
            "UPDATE claim SET",
        ]
        assert words == (["WITH claimed AS", "WITH taken AS"] if live.is_postgres else expected)


async def test_connections_that_died(live: Database) -> None:
    """The database was restarted: one turn fails, as SQLAlchemy's errors, and the next finds a connection that works."""
    if not live.is_postgres:
        return
    work = worker(live, "w")
    await receive(live, "e1")
    await asyncio.gather(*(work.begin(f"c{n}") for n in range(4)))  # several connections wait in the pool
    assert live.engine.pool.checkedin() > 1  # type: ignore[attr-defined]
    async with live.read() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = ''"
        await connection.exec_driver_sql(others)
        with pytest.raises(DBAPIError):
            await work.take("c")
    turn = await work.take("c")
    assert turn is not None
    await work.commit(turn, TurnChange({}))


async def test_the_server_keeps_the_plans(live: Database) -> None:
    """The text of a statement does not depend on how many rows it writes."""
    if not live.is_postgres:
        return
    work = worker(live, "w")
    async with live.engine.connect() as connection:  # the pool hands out the same connection each time
        await connection.exec_driver_sql("DEALLOCATE ALL")
    for version in range(9):
        await receive(live, *(f"{version}.{n}" for n in range(version + 1)))
        turn = await work.take("c")
        assert turn is not None
        size = range(version + 1)
        await work.commit(turn, TurnChange({}, [{"event": "bot", "n": n} for n in size], [Outgoing({"n": n}) for n in size]))
    async with live.read() as connection:
        kept = await connection.exec_driver_sql("SELECT statement, generic_plans + custom_plans AS used FROM pg_prepared_statements")
        used = {" ".join(row.statement.split()[:3]): row.used for row in kept}
    assert used["WITH claimed AS"] >= 3
    assert used["WITH taken AS"] >= 3


async def test_the_two_stores_share_a_conversation(database: Database, clock: HandClock) -> None:
    """The session API saves through `SqlConversations`; owner and versions agree."""
    work, store = UnitOfWork(database), SqlConversations(database, now=clock)
    await store.save("c", {"n": 1}, 0, [HANDOFF])
    turn = await work.begin("c")
    assert (turn.version, turn.state, turn.owner) == (1, {"n": 1}, "queue")
    await work.commit(turn, TurnChange({"n": 2}, [{"event": "handoff_ended"}]))
    assert await store.load("c") == Stored({"n": 2}, 2)
    assert await store.waiting() == []
    assert [event["event"] for event in await store.events("c", 9)] == ["handoff", "handoff_ended"]
