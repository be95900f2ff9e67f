from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Inbox, Incoming, MigrationError, downgrade, migrate
from bot.conversations.database import Database
from bot.conversations.migrations import HEAD, VERSION_TABLE, config, current
from bot.conversations.tables import metadata

QUEUE_TABLES = {"procrastinate_jobs", "procrastinate_events", "procrastinate_workers", "procrastinate_periodic_defers"}
"""Made by revision 0003 on PostgreSQL; not in our metadata, the library knows them."""


def is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    return not (kind == "table" and name in QUEUE_TABLES)


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE, "include_object": is_ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


async def leftovers(engine: AsyncEngine) -> set[str]:
    """What there is in the schema of PostgreSQL besides tables: functions, types, sequences."""
    query = """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'c') AND typrelid NOT IN
            (SELECT oid FROM pg_class WHERE relkind = 'r')
        UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    """
    async with engine.connect() as connection:
        return set((await connection.execute(text(query))).scalars())


async def test_the_chain_makes_exactly_the_tables_of_the_code(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(differences), "the check sees a difference where there is one"
    assert await migrate(engine) == HEAD
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_up_down_and_up_again(engine: AsyncEngine) -> None:
    assert await current(engine) is None
    await migrate(engine)
    queue = QUEUE_TABLES if engine.dialect.name == "postgresql" else set()
    assert await tables(engine) == {*metadata.tables, *queue, VERSION_TABLE}
    assert await downgrade(engine, "base") == ""
    assert await tables(engine) == {VERSION_TABLE}
    if queue:
        assert await leftovers(engine) == set()
    assert await migrate(engine) == HEAD == await current(engine)
    assert await migrate(engine) == HEAD


async def test_head_is_the_newest_revision(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        heads = await connection.run_sync(lambda c: ScriptDirectory.from_config(config(c)).get_heads())
    assert heads == [HEAD]


async def test_many_at_once(engine: AsyncEngine) -> None:
    assert set(await asyncio.gather(*(migrate(engine) for _ in range(6)))) == {HEAD}


async def test_the_checks_and_indexes_are_there(engine: AsyncEngine) -> None:
    """`compare_metadata` does not look at checks and at the conditions of indexes."""
    await migrate(engine)

    def found(connection: Connection) -> tuple[set[str | None], set[str | None]]:
        look = inspect(connection)
        checks = {check["name"] for table in metadata.tables for check in look.get_check_constraints(table)}
        partial = {
            i["name"]
            for t in metadata.tables
            for i in look.get_indexes(t)
            if i.get("dialect_options", {}).get(f"{connection.dialect.name}_where") is not None
        }
        return checks, partial

    async with engine.connect() as connection:
        checks, partial = await connection.run_sync(found)
    assert checks == {
        "conversation_owner_check",
        "inbox_status_check",
        "attachment_status_check",
        "outbox_status_check",
        "consent_kind_check",
        "broadcast_status_check",
    }
    wanted = {i.name for t in metadata.tables.values() for i in t.indexes if i.dialect_options["sqlite"]["where"] is not None}
    assert partial == wanted
    assert len(wanted) == 9
    with pytest.raises(Exception, match="(?i)check"):
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO conversation (id, version, state, last_seq, updated_at, owner) VALUES ('c', 1, '{}', 0, '2026-01-01', 'nobody')"
                )
            )
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO conversation (id, version, state, last_seq, updated_at, owner) VALUES ('c', 1, '{}', 0, '2026-01-01', 'agent:kim')"
            )
        )


@pytest.mark.parametrize("before", ["0001", "0002"])
async def test_a_database_of_an_earlier_version_keeps_its_data(engine: AsyncEngine, before: str) -> None:
    assert await migrate(engine, before) == before
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO conversation (id, version, state, last_seq, updated_at) VALUES ('old', 7, '{}', 0, '2026-01-01')")
        )
    assert await migrate(engine) == HEAD
    async with Database(engine).write() as tx:
        assert (await tx.execute(text("SELECT version FROM conversation WHERE id = 'old'"))).scalar_one() == 7
        assert await Inbox(Database(engine)).receive(tx, Incoming("e", "old", {}))
    assert await downgrade(engine, before) == before
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM inbox"))).scalar_one() == 1


async def test_the_queue_is_made_to_stay_fast(postgres: AsyncEngine) -> None:
    """What the notes on procrastinate found; an upgrade of the library must not lose it."""
    await migrate(postgres)
    async with postgres.connect() as connection:
        kept = "SELECT unnest(proconfig) FROM pg_proc WHERE proname = 'procrastinate_fetch_job_v2'"
        settings = set((await connection.execute(text(kept))).scalars())
        index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'switchboard_jobs_lock_idx'"
        definition = (await connection.execute(text(index))).scalar_one()
    assert settings == {f"enable_{way}=off" for way in ("seqscan", "hashjoin", "mergejoin", "bitmapscan")}
    assert "(lock, priority DESC, id)" in definition


async def test_without_procrastinate_it_says_what_to_install(postgres: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "procrastinate.schema", None)
    with pytest.raises(MigrationError, match=r"pip install 'switchboard\[postgres\]'"):
        await migrate(postgres)
    assert await tables(postgres) == set(), "nothing was changed"


async def test_another_version_of_the_queue_is_refused(postgres: AsyncEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "99.00.00_01_pre_later.sql").touch()
    monkeypatch.setattr("procrastinate.schema.migrations_path", tmp_path)
    with pytest.raises(MigrationError, match="99.00.00_01_pre_later.sql"):
        await migrate(postgres)


async def test_somebody_elses_queue_is_left_alone(postgres: AsyncEngine) -> None:
    async with postgres.begin() as connection:
        await connection.execute(text("CREATE TABLE procrastinate_jobs (id bigint)"))
    with pytest.raises(MigrationError, match="of its own"):
        await migrate(postgres)
    assert await tables(postgres) == {"procrastinate_jobs"}


async def test_tables_of_unknown_origin_are_left_alone(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE conversation (id text)"))
    with pytest.raises(MigrationError, match="move it away"):
        await migrate(engine)
    assert await tables(engine) == {"conversation"}


async def test_a_database_of_a_newer_version(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(MigrationError, match="run the version of Switchboard that made it"):
        await migrate(engine)
    async with Database(engine).write() as tx:
        assert await Inbox(Database(engine)).receive(tx, Incoming("e", "c", {}))
