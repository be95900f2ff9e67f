from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, text

from bot.conversations.database import Database, after_commit


async def test_called_in_order_once_committed(live: Database) -> None:
    called: list[str] = []
    async with live.write() as tx:
        await tx.execute(text("INSERT INTO installation (key, value) VALUES ('a', '1')"))
        after_commit(tx, lambda: called.append("first"))
        after_commit(tx, lambda: called.append("second"))
        await asyncio.sleep(0.01)
        assert called == []
    assert called == ["first", "second"]
    async with live.write():
        pass
    assert called == ["first", "second"], "the next transaction of the connection begins with none"


async def test_never_called_when_rolled_back(live: Database) -> None:
    called: list[str] = []
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with live.write() as tx:
            after_commit(tx, lambda: called.append("gone"))
            raise ZeroDivisionError
    async with live.write():
        pass
    assert called == []


async def test_never_called_when_the_commit_fails(live: Database) -> None:
    called: list[str] = []

    def refuse(_: object) -> None:
        raise OSError("disk full")

    event.listen(live.engine.sync_engine, "commit", refuse)
    with pytest.raises(OSError, match="disk full"):  # noqa: PT012
        async with live.write() as tx:
            await tx.execute(text("INSERT INTO installation (key, value) VALUES ('a', '1')"))
            after_commit(tx, lambda: called.append("gone"))
    event.remove(live.engine.sync_engine, "commit", refuse)
    assert called == []
    async with live.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM installation WHERE key = 'a'"))).scalar_one() == 0


async def test_cancelled_at_any_instant_it_is_called_when_and_only_when_it_was_committed(live: Database) -> None:
    called: set[int] = set()

    async def write(number: int) -> None:
        async with live.write() as tx:
            await tx.execute(text("INSERT INTO installation (key, value) VALUES (:key, '')"), {"key": f"k{number}"})
            after_commit(tx, lambda: called.add(number))

    cancelled = 0
    for number in range(150):
        task = asyncio.create_task(write(number))
        for _ in range(number % 50):  # each step of the event loop is an instant
            await asyncio.sleep(0)
        await asyncio.sleep(0.00005 * (number // 50))
        task.cancel()
        cancelled += isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
    async with live.read() as connection:
        keys = (await connection.execute(text("SELECT key FROM installation WHERE key LIKE 'k%'"))).scalars()
        assert called == {int(key[1:]) for key in keys}
    assert cancelled > 10


async def test_needs_a_transaction_of_ours(live: Database) -> None:
    async with live.write():
        pass
    async with live.read() as connection:
        with pytest.raises(RuntimeError, match="Database.write"):
            after_commit(connection, lambda: None)
