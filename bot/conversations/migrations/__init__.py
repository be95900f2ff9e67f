"""The history of the tables, as one chain of Alembic revisions, and `migrate`, which brings a database up to date.

The embedded default migrates itself when it is opened; an operator of several machines runs `switchboard migrate` before the new
version is started. A revision is written once and never changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The newest revision."""

VERSION_TABLE = "switchboard_version"

_LOCK = 5_390_171  # any number, the same in every process that changes our tables


class MigrationError(Exception):
    """The database cannot be brought to the wanted revision. Nothing was changed; the message says what to do."""


async def migrate(engine: AsyncEngine, revision: str = "head") -> str:
    """Upgrades to a revision, in one transaction, and returns the revision the database is at. Several processes may do so at once.

    Raises MigrationError for a database with tables of unknown origin, or one that a newer version has migrated.
    """
    if revision == "head" and await current(engine) == HEAD:
        return HEAD
    async with Database(engine).write() as tx:
        await tx.run_sync(_change, "upgrade", revision)
    return await current(engine) or ""


async def downgrade(engine: AsyncEngine, revision: str) -> str:
    """Goes back to a revision (`base`: no tables, all data gone) and returns it, "" for base. Raises MigrationError."""
    async with Database(engine).write() as tx:
        await tx.run_sync(_change, "downgrade", revision)
    return await current(engine) or ""


async def current(engine: AsyncEngine) -> str | None:
    """The revision a database is at; None for one that was never migrated."""
    async with Database(engine).read() as connection:
        return await connection.run_sync(_current)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
    return found


def _change(connection: Connection, direction: str, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    here = _current(connection)
    if here == HEAD and revision == "head":
        return
    if here is None and inspect(connection).has_table("conversation"):
        advice = "it was made before there were migrations; move it away and let a new one be made"
        raise MigrationError(f"the database has a table `conversation` and no `{VERSION_TABLE}`: {advice} [unknown-origin]")
    from alembic import command
    from alembic.util import CommandError

    change = command.upgrade if direction == "upgrade" else command.downgrade
    try:
        change(config(connection), revision)
    except CommandError as error:
        advice = "run the version of Switchboard that made it, or name a revision of this version"
        raise MigrationError(
            f"cannot {direction} the database from {here or 'base'} to {revision}: {error}; {advice} [unknown-revision]"
        ) from error


def config(connection: Connection) -> Config:
    """What Alembic needs to work on a connection, without a file of settings."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made
