"""Real processes that die with kill -9, or sleep with SIGSTOP, at the worst moment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.conversations import (
    Addresses,
    Claims,
    Database,
    Inbox,
    Incoming,
    OpenTurn,
    Outbox,
    Outgoing,
    SqlConversations,
    Timers,
    TurnChange,
    UnitOfWork,
)

LEASE = timedelta(seconds=1)

CHILD = """
import asyncio, sys
from datetime import timedelta
from bot.conversations import *

async def stop_here(tx=None):
    print("here", flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # until killed, or told to go on

async def main(url, moment):
    database = Database(connect(url))
    work = UnitOfWork(database, claims=Claims(database, holder="child", lease=timedelta(seconds=1)))
    turn = await work.take("c")
    if moment == "working":
        await stop_here()
    change = TurnChange({"by": "child"}, [{"by": "child"}], [Outgoing({"by": "child"})], [Timer("t", database.now())])
    try:
        await work.commit(turn, change, also=stop_here if moment == "committing" else None)
        print("committed", flush=True)
    except ConflictError as error:
        print(type(error).__name__, flush=True)
    if moment == "committed":
        await stop_here()
    if moment == "sending":
        async with database.write() as tx:
            await Outbox(database).claim(tx, "child", limit=9, lease=timedelta(seconds=1))
        await stop_here()

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def child(database: Database, moment: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that has come to `moment` of its turn."""
    command = [sys.executable, "-c", CHILD, database.engine.url.render_as_string(hide_password=False), moment]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line == "here\n":
                break
        yield process
    finally:
        process.kill()
        process.communicate()


async def take_over(database: Database) -> str:
    """Waits for the dead worker's lease, then does what is left to do. Says what it found."""
    turn = await patiently(UnitOfWork(database, claims=Claims(database, holder="parent", lease=LEASE)))
    found = f"version {turn.version}, {len(turn.inbox)} open"
    if turn.inbox:
        assert turn.claim is not None
        assert turn.claim.lost == 1
        await UnitOfWork(database).commit(turn, TurnChange({"by": "parent"}, [{"by": "parent"}], [Outgoing({"by": "parent"})]))
    return found


async def patiently(work: UnitOfWork) -> OpenTurn:
    while (turn := await work.take("c")) is None:
        await asyncio.sleep(0.05)
    return turn


@pytest.fixture
async def ready(live: Database) -> Database:
    """One message waits."""
    async with live.write() as tx:
        assert await Inbox(live).receive(tx, Incoming("e1", "c", {}, Addresses("sms", "b", "x")))
    return live


@pytest.mark.parametrize(
    ("moment", "found", "events", "sent"),
    [
        ("working", "version 0, 1 open", ["parent"], ["parent"]),
        ("committing", "version 0, 1 open", ["parent"], ["parent"]),
        ("committed", "version 1, 0 open", ["child"], ["child"]),
    ],
)
async def test_killed(ready: Database, moment: str, found: str, events: list[str], sent: list[str]) -> None:
    with child(ready, moment) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert await take_over(ready) == found
    assert [event["by"] for event in await SqlConversations(ready, now=ready.now).events("c", 9)] == events
    async with ready.read() as tx:
        assert [row.message.payload["by"] for row in await Outbox(ready).of(tx, "c")] == sent
        assert len(await Timers(ready).running(tx, "c")) == (moment == "committed")


async def test_frozen_and_thawed(ready: Database) -> None:
    """A worker that sleeps through its lease wakes up believing it still has it."""
    with child(ready, "working") as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert await take_over(ready) == "version 0, 1 open"
        os.kill(process.pid, signal.SIGCONT)
        told, _ = await asyncio.to_thread(process.communicate, "go on\n")
    assert told == "ClaimLost\n"
    assert [event["by"] for event in await SqlConversations(ready, now=ready.now).events("c", 9)] == ["parent"]


async def test_thawed_while_the_other_still_works(ready: Database) -> None:
    with child(ready, "working") as process:
        os.kill(process.pid, signal.SIGSTOP)
        work = UnitOfWork(ready, claims=Claims(ready, holder="parent", lease=timedelta(seconds=60)))
        turn = await patiently(work)
        os.kill(process.pid, signal.SIGCONT)
        told, _ = await asyncio.to_thread(process.communicate, "go on\n")
        assert told == "ClaimLost\n"
        assert await work.commit(turn, TurnChange({"by": "parent"})) == 1


async def test_a_sender_killed_before_it_could_tell(ready: Database) -> None:
    with child(ready, "sending") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    outbox = Outbox(ready)
    lost = 0
    while not lost:
        await asyncio.sleep(0.05)
        async with ready.write() as tx:
            lost = await outbox.lose(tx)
    assert lost == 1
    async with ready.write() as tx:
        assert await outbox.claim(tx, "parent", limit=9, lease=LEASE) == [], "never blindly sent again"
        (row,) = await outbox.unresolved(tx)
        assert await outbox.sent(tx, row, "SM1")
        assert [row.status for row in await outbox.of(tx, "c")] == ["sent"]
