from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import (
    ConflictError,
    Conversations,
    FlowArchive,
    MemoryArchive,
    MemoryConversations,
    SqlConversations,
    Stored,
    connect,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


async def sql(engine: AsyncEngine) -> SqlConversations:
    made = SqlConversations(engine, now=lambda: NOW)
    await made.create()
    return made


@pytest.fixture
async def stores(engine: AsyncEngine) -> tuple[Conversations, ...]:
    """The same behaviour from both twins, on the engine of the test's parameter."""
    return MemoryConversations(), await sql(engine)


async def test_a_conversation_from_its_beginning(stores: tuple[Conversations, ...]) -> None:
    for store in stores:
        assert await store.load("c") is None
        assert await store.events("c", 10) == []
        assert await store.save("c", {"z": 1, "a": [None, True, 1.5, "한국어 🙂"]}, 0, [{"n": 1}, {"n": 2}]) == 1
        assert await store.save("c", {"z": 2}, 1, [{"n": 3}]) == 2
        assert await store.save("c", {"z": 3}, 2) == 3
        assert await store.load("c") == Stored({"z": 3}, 3)
        assert await store.events("c", 10) == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert await store.events("c", 2) == [{"n": 2}, {"n": 3}]
        assert await store.events("c", 0) == await store.events("other", 5) == []
        assert await store.load("other") is None


async def test_a_conflict_writes_nothing(stores: tuple[Conversations, ...]) -> None:
    for store in stores:
        with pytest.raises(ConflictError, match="c is no longer at version 3"):
            await store.save("c", {}, 3, [{"n": 0}])
        await store.save("c", {"v": 1}, 0, [{"n": 1}])
        for stale in (0, 2):
            with pytest.raises(ConflictError):
                await store.save("c", {"v": "lost"}, stale, [{"n": "lost"}])
        assert await store.load("c") == Stored({"v": 1}, 1)
        assert await store.events("c", 10) == [{"n": 1}]


@pytest.mark.parametrize("bad", [{"a": datetime(2026, 1, 1)}, {"a": float("nan")}, {"a": {1, 2}}, {"a": object()}])
async def test_what_is_not_json_is_refused_and_writes_nothing(stores: tuple[Conversations, ...], bad: dict[str, Any]) -> None:
    for store in stores:
        with pytest.raises(Exception, match="JSON|not JSON|Out of range"):
            await store.save("c", bad, 0)
        with pytest.raises(Exception, match="JSON|not JSON|Out of range"):
            await store.save("c", {}, 0, [{"n": 1}, bad])
        assert await store.load("c") is None
        assert await store.events("c", 10) == []


async def test_any_text_comes_back(stores: tuple[Conversations, ...]) -> None:
    state = {"text": "null\x00 half\ud83d 'quote\" \\ %s :x \u2028", "": {}, "z": 1, "a": 2, "big": 2**80, "float": 1.0}
    for store in stores:
        await store.save("c:'%\"", state, 0, [state])
        found = await store.load("c:'%\"")
        assert found is not None
        assert found.state == state
        assert list(found.state) == list(state), "the order of keys is part of a state"
        assert isinstance(found.state["float"], float)
        assert await store.events("c:'%\"", 1) == [state]


async def test_what_is_loaded_is_a_copy(stores: tuple[Conversations, ...]) -> None:
    for store in stores:
        state = {"a": [1]}
        await store.save("c", state, 0)
        state["a"].append(2)
        first = await store.load("c")
        assert first == Stored({"a": [1]}, 1)
        first.state["a"].append(3)
        assert await store.load("c") == Stored({"a": [1]}, 1)


async def test_of_many_savers_exactly_one_wins(engine: AsyncEngine) -> None:
    store = await sql(engine)
    for expected in range(4):  # the first round is the race to create it
        saves = [store.save("c", {"by": n}, expected, [{"by": n}, {"by": n}]) for n in range(8)]
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        assert [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)] == [expected + 1]
        winner = outcomes.index(expected + 1)
        assert await store.load("c") == Stored({"by": winner}, expected + 1)
        assert await store.events("c", 2) == [{"by": winner}] * 2
        assert len(await store.events("c", 100)) == 2 * (expected + 1)


async def test_many_conversations_at_once(engine: AsyncEngine) -> None:
    store = await sql(engine)

    async def talk(name: str) -> None:
        for turn in range(5):
            await store.save(name, {"turn": turn}, turn, [{"turn": turn}])

    await asyncio.gather(*(talk(f"c{n}") for n in range(20)))
    for n in range(20):
        assert await store.load(f"c{n}") == Stored({"turn": 4}, 5)
        assert await store.events(f"c{n}", 9) == [{"turn": turn} for turn in range(5)]


async def test_flow_versions_never_change(engine: AsyncEngine) -> None:
    for archive in (MemoryArchive(), await sql(engine)):
        assert isinstance(archive, FlowArchive)
        assert await archive.find("pay", "1") is None
        await asyncio.gather(*(archive.keep("pay", "1", {"steps": []}) for _ in range(3)))
        await archive.keep("pay", "1", {"steps": ["other"]})
        await archive.keep("pay", "2", {"steps": ["new"]})
        assert await archive.find("pay", "1") == {"steps": []}
        assert await archive.find("pay", "2") == {"steps": ["new"]}


async def test_few_statements(engine: AsyncEngine) -> None:
    store = await sql(engine)
    await store.save("c", {}, 0)
    seen: list[str] = []
    sqlalchemy_event.listen(engine.sync_engine, "before_cursor_execute", lambda c, cursor, statement, p, x, many: seen.append(statement))
    await store.load("c")
    assert len(seen) == 1
    seen.clear()
    await store.save("c", {}, 1, [{"n": 1}, {"n": 2}])
    assert [statement.split()[0] for statement in seen if not statement.startswith("BEGIN")] == ["UPDATE", "INSERT"]


async def test_reading_the_latest_uses_an_index(engine: AsyncEngine) -> None:
    store = await sql(engine)
    await store.save("c", {}, 0, [{"n": n} for n in range(50)])
    query = "SELECT body FROM event WHERE conversation = 'c' ORDER BY seq DESC LIMIT 5"
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = str((await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all())
            assert "USING INDEX" in plan
            assert "TEMP B-TREE" not in plan
        else:
            await connection.execute(text("SET enable_seqscan = off"))
            plan = str((await connection.execute(text(f"EXPLAIN {query}"))).all())
            assert "event_conversation_seq_key" in plan


async def test_creating_twice_and_at_once(engine: AsyncEngine) -> None:
    await asyncio.gather(*(sql(engine) for _ in range(4)))
    store = await sql(engine)
    await store.save("c", {}, 0)
    await sql(engine)
    assert await store.load("c") == Stored({}, 1)


async def test_a_naive_clock_is_refused(engine: AsyncEngine) -> None:
    await sql(engine)
    with pytest.raises(Exception, match="time zone"):
        await SqlConversations(engine, now=lambda: datetime(2026, 1, 1)).save("c", {}, 0)


async def test_sqlite_is_durable_and_shared(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    async with engine.connect() as connection:
        pragmas = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000}
    await engine.dispose()


async def test_sqlite_in_memory_serves_turns_side_by_side() -> None:
    engine = connect("sqlite://")
    store = await sql(engine)
    outcomes = await asyncio.gather(*(store.save("c", {"by": n}, 0, [{}]) for n in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 4
    assert len(await store.events("c", 9)) == 1
    await engine.dispose()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="no support for mysql"):
        connect("mysql://localhost/x")


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from bot.conversations import SqlConversations, connect

async def main():
    store = SqlConversations(connect(sys.argv[1]), now=lambda: datetime.now(UTC))
    await store.create()
    version = 0
    while True:
        version = await store.save("c", {"turn": version + 1}, version, [{"n": version, "half": h} for h in (1, 2)])
        print(version, flush=True)

asyncio.run(main())
"""


async def test_killed_while_writing(engine: AsyncEngine, request: pytest.FixtureRequest) -> None:
    """What was acknowledged is there; what is there is whole."""
    url = engine.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    acknowledged = max(int(line) for line in told if line.endswith("\n"))
    store = await sql(engine)
    found = await store.load("c")
    assert found is not None
    assert acknowledged <= found.version <= acknowledged + 1
    assert found.state == {"turn": found.version}
    events = await store.events("c", 100_000)
    assert events == [{"n": n, "half": half} for n in range(found.version) for half in (1, 2)]
    assert await store.save("c", {}, found.version) == found.version + 1


def test_importing_does_not_import_sqlalchemy() -> None:
    check = "import bot.conversations as c, sys; print('sqlalchemy' in sys.modules); c.SqlEffects; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split() == ["False", "True"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(state=st.dictionaries(st.text(), json_values, max_size=5))
def test_any_json_round_trips(state: dict[str, Any]) -> None:
    async def check() -> None:
        store = MemoryConversations()
        await store.save("c", state, 0, [state])
        assert await store.load("c") == Stored(state, 1)
        assert await store.events("c", 1) == [state]

    asyncio.run(check())
