from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.conversations import Database, Inbox, Incoming, connect, migrate
from bot.conversations.migrations import HEAD, VERSION_TABLE
from bot.runtime.deadline import Deadline
from bot.runtime.gauges import Gauges
from bot.runtime.health import Health
from tests.databases import HandClock


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_ready(database: Database) -> None:
    report = await Health(database).ready()
    assert report.ok
    assert report.to_json() == {
        "status": "ready",
        "checks": {"database": {"status": "ok"}, "migrations": {"status": "ok", "revision": HEAD, "wanted": HEAD}},
    }


async def test_draining_is_for_good(database: Database) -> None:
    health = Health(database)
    health.drain()
    report = await health.ready()
    assert (report.ok, report.to_json()) == (False, {"status": "draining", "checks": {}})
    assert health.live().ok


async def test_a_database_that_nobody_migrated(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/new.db")
    report = await Health(Database(engine)).ready()
    await engine.dispose()
    assert (report.status, report.ok) == ("unavailable", False)
    assert report.checks["migrations"] == {"status": "fail", "revision": "none", "wanted": HEAD}


async def test_older_and_newer_migrations(database: Database) -> None:
    for revision, ok, status in (("0000", False, "fail"), ("9999", True, "warn")):
        async with database.write() as tx:
            await tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'"))
        report = await Health(database).ready()
        assert (report.ok, report.checks["migrations"]["status"]) == (ok, status)


async def test_an_answer_counts_for_a_second(database: Database) -> None:
    clock = Seconds()
    health = Health(database, clock=clock)
    assert (await health.ready()).ok
    async with database.write() as tx:
        await tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0000'"))
    clock.now += 0.9
    assert (await health.ready()).ok
    clock.now += 0.1
    assert not (await health.ready()).ok


async def test_a_database_that_is_away() -> None:
    engine = connect("postgresql://nobody:secret@127.0.0.1:1/nothing")
    report = await Health(Database(engine)).ready()
    await engine.dispose()
    assert report.to_json() == {"status": "unavailable", "checks": {"database": {"status": "fail", "cause": "OperationalError"}}}


async def test_a_database_that_says_nothing() -> None:
    """It takes the connection and falls silent, as behind a firewall, or when it is frozen."""
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    engine = connect(f"postgresql://nobody@127.0.0.1:{silent.sockets[0].getsockname()[1]}/nothing")
    report = await Health(Database(engine), patience=0.2).ready()
    assert report.checks["database"] == {"status": "fail", "cause": "no_answer", "seconds": 0.2}
    silent.close()
    await engine.dispose()


async def test_a_postgres_that_takes_no_writes(postgres_url: str) -> None:
    standby = connect(postgres_url, connect_args={"options": "-c default_transaction_read_only=on"})
    report = await Health(Database(standby)).ready()
    await standby.dispose()
    assert (report.ok, report.checks["database"]) == (False, {"status": "fail", "cause": "read_only"})


async def test_a_late_inbox_is_a_warning_and_no_reason_to_refuse_webhooks(database: Database, clock: HandClock) -> None:
    async with database.write() as tx:
        await Inbox(database).receive(tx, Incoming("twilio:msg:1", "c1", {}))
    clock.move(seconds=61)
    report = await Health(database, Gauges(database), lag=60).ready()
    assert (report.ok, report.status) == (True, "ready")
    assert report.checks["inbox"] == {"status": "warn", "open": 1, "oldest_seconds": 61.0}
    assert (await Health(database, Gauges(database), lag=62).ready()).checks["inbox"]["status"] == "ok"


async def test_live_is_a_heart_that_beats(database: Database) -> None:
    clock = Seconds()
    health = Health(database, stall=10, clock=clock)
    heart = asyncio.create_task(health.watch())
    await asyncio.sleep(0)
    assert health.live().ok
    clock.now += 11
    report = health.live()
    assert (report.ok, report.status, report.checks["event_loop"]) == (False, "stalled", {"status": "fail", "seconds": 11.0})
    async with asyncio.timeout(30):
        while not health.live().ok:
            await asyncio.sleep(0.05)
    heart.cancel()


async def test_a_deadline_does_not_wait_for_work_that_cannot_be_cancelled(tmp_path: Path) -> None:
    """A driver's thread that waits for a lock ends when it ends."""
    blocked = asyncio.Event()

    async def stubborn() -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await blocked.wait()
            raise ValueError("late, and nobody is interested") from None
        return 1

    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        await deadline(stubborn())
    blocked.set()
    assert await Deadline(60)(asyncio.sleep(0, 5)) == 5


async def test_a_deadline_cancelled_cancels_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    task = asyncio.create_task(Deadline(3600)(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(30):
        await ended.wait()


async def test_a_locked_sqlite_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    engine = connect(f"sqlite:///{path}")
    await migrate(engine)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert (await Health(Database(engine)).ready()).ok
    other.close()
    await engine.dispose()
