from __future__ import annotations

import asyncio

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


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


async def test_the_chain_makes_exactly_the_tables_of_the_code(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(differences), "the check sees a difference where there is one"
    assert await migrate(engine) == HEAD
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_up_down_and_up_again(engine: AsyncEngine) -> None:
    assert await current(engine) is None
    await migrate(engine)
    assert await tables(engine) == {*metadata.tables, VERSION_TABLE}
    assert await downgrade(engine, "base") == ""
    assert await tables(engine) == {VERSION_TABLE}
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
        "outbox_status_check",
        "consent_kind_check",
        "broadcast_status_check",
    }
    wanted = {i.name for t in metadata.tables.values() for i in t.indexes if i.dialect_options["sqlite"]["where"] is not None}
    assert partial == wanted
    assert len(wanted) == 8
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
