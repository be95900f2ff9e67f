"""The process that runs the jobs: procrastinate's worker, with a manager that persists, and a watch over the other workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations.database import LIMITS

from .dispatcher import Work
from .jobs import POLL, NotMigrated, PersistentManager
from .telemetry import Telemetry

_AFTER_FAILURE = timedelta(seconds=1)
_NO_BOUND = 1_000_000
_CONNECTION = {
    # A machine that vanished without a word must be noticed within seconds.
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 5,
    "application_name": "switchboard worker",
    # What the queue forgets in a crash of the server is rung for again; not to flush it to disk saves most of the time to the turn. The
    # wake itself is flushed with the message, by the transaction it is part of.
    "options": f"{LIMITS} -c synchronous_commit=off",
}


class _GoBack(Exception):
    """This process stops: the job goes back to the queue."""


class _Always(BaseRetryStrategy):
    """Whatever did not end well goes back: nobody would ring again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision()


class JobWorker:
    """Runs the jobs of one process. `stop` may come at any time, and once; a worker that was stopped is not run again."""

    def __init__(
        self,
        engine: AsyncEngine,
        work: Work,
        *,
        queue: str,
        task: str,
        concurrency: int,
        dead_after: timedelta,
        listen: bool,
        telemetry: Telemetry,
    ) -> None:
        self._engine = engine
        self._work = work
        self._dead_after = dead_after.total_seconds()
        self._tell = telemetry
        connector = PsycopgConnector()
        self._manager = PersistentManager(connector, queue=queue, concurrency=concurrency, telemetry=telemetry)
        self._app = App(connector=connector)
        self._app.job_manager = self._manager
        self._app.task(name=task, queue=queue, retry=_Always())(self._answer)
        self._places = asyncio.Semaphore(concurrency)
        self._stopping = asyncio.Event()
        self._finished = asyncio.Event()
        self._worker = Worker(
            self._app,
            queues=[queue],
            concurrency=_NO_BOUND,  # the manager bounds it: a job that waits takes no place
            fetch_job_polling_interval=POLL,
            abort_job_polling_interval=3600,  # nobody aborts jobs here
            shutdown_graceful_timeout=0,
            listen_notify=listen,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=self._dead_after / 4,
            stalled_worker_timeout=self._dead_after,
        )

    async def run(self) -> None:
        """Until `stop`, or until cancelled."""
        watcher: asyncio.Task[None] | None = None
        try:
            async with self._pool() as pool:
                await self._app.connector.open_async(pool)
                watcher = asyncio.create_task(self._watch())
                while not self._stopping.is_set():
                    await self._run_worker(watcher)
        finally:
            if watcher is not None:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
            self._finished.set()

    @asynccontextmanager
    async def _pool(self) -> AsyncIterator[AsyncConnectionPool[Any]]:
        pool = AsyncConnectionPool(
            _conninfo(self._engine),
            min_size=1,
            max_size=4,
            open=False,
            configure=_autocommit,
            timeout=5,
            reconnect_timeout=2,
            name="jobs",
        )
        await pool.open(wait=False)
        try:
            yield pool
        finally:
            await pool.close(timeout=1)

    async def stop(self, grace: float) -> None:
        """Lets nothing new begin, gives what is under way `grace` seconds, then sends it back. Returns when `run` is over."""
        self._begin_stop(grace)
        await self._finished.wait()

    def _begin_stop(self, grace: float) -> None:
        self._manager.give_up_in(grace + 0.5)
        self._stopping.set()
        self._worker.shutdown_graceful_timeout = grace
        self._worker.stop()  # type: ignore[no-untyped-call]

    async def _run_worker(self, watcher: asyncio.Task[None]) -> None:
        running = asyncio.create_task(self._worker.run())  # type: ignore[no-untyped-call]
        try:
            await asyncio.sleep(0)  # its first step forgets a stop that came before
            if self._stopping.is_set():
                self._worker.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait({running, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if watcher.done():  # it only ends when nothing can work
                watcher.result()
            await running
        except (asyncio.CancelledError, NotMigrated):
            self._begin_stop(0)
            await asyncio.wait({running}, timeout=1)
            running.cancel()
            raise
        except ConnectorException as error:
            if not self._stopping.is_set():
                self._tell("database_down", cause=type(error.__cause__ or error).__name__)
                await asyncio.sleep(POLL)

    async def _watch(self) -> None:
        """Rings for the dead, and for what nobody works on."""
        for beat in count():
            await asyncio.sleep(self._dead_after / 8)
            if beat % 8 == 0:
                self._manager.doubt()
            rung = await self._manager.ring_for_the_dead(self._dead_after)
            if rung:
                self._tell("swept", count=rung)

    async def _answer(self, conversation: str) -> None:
        """The task: rings until nothing is left. The lock is held all the while, so later wakes of the conversation stay behind."""
        while True:
            delay = await self._ring(conversation)
            if delay is None:
                return
            if delay > timedelta(0):
                await self._wait(delay)

    async def _ring(self, conversation: str) -> timedelta | None:
        async with self._places:
            if self._stopping.is_set():
                raise _GoBack
            try:
                return await self._work(conversation)
            except (Exception, asyncio.CancelledError) as error:  # it never should, unless we stop
                if self._stopping.is_set():
                    raise _GoBack from None
                self._tell("turn_failed", conversation=conversation, cause=type(error).__name__, attempts=0)
                return _AFTER_FAILURE

    async def _wait(self, delay: timedelta) -> None:
        await self._manager.leave_place()
        try:
            async with asyncio.timeout(delay.total_seconds()):
                await self._stopping.wait()
            raise _GoBack
        except TimeoutError:
            return
        finally:
            self._manager.take_place()


async def _autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    """procrastinate says one statement at a time; a transaction around each would be two more round trips."""
    await connection.set_autocommit(True)


def _conninfo(engine: AsyncEngine) -> str:
    """Where the engine connects to, in libpq's words. What the URL says goes before `_CONNECTION`."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    arguments.pop("context", None)  # SQLAlchemy's types, no business of the queue
    return make_conninfo("", **{**_CONNECTION, **arguments})
