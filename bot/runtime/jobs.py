"""A worker of procrastinate that outlives its database, and its own freezing. Imports procrastinate: only where jobs are run.

procrastinate's worker asks its `JobManager` for everything it says to the database. `PersistentManager` says the same things, but goes
on saying them until they are heard, so that the worker never sees the database fail. What the stock manager leaves open, and why it
matters here (procrastinate 3.10):

- a job whose end could not be written stays `doing` under a living worker, its conversation locked for good: it is written again and again;
- a job fetched by a statement whose answer was lost, or whose end the server forgot in a crash, likewise: after any failure, and now
  and then, jobs under our name that we do not know go back;
- a heartbeat that fails once is never tried again, and the worker is taken for dead while it works;
- a worker that was frozen and pruned fetches under an id that is gone: it registers anew;
- one that was taken for dead ends jobs that are somebody else's by now: we end a job only while it is ours;
- the end of a job frees its lock and tells nobody, so the conversation's next job waits for the poll: the worker is nudged;
- a notification that comes while a fetch finds nothing is forgotten until the poll: the fetch is made again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

import psycopg
from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations.database import LIMITS

from .dispatcher import Work
from .telemetry import Telemetry

T = TypeVar("T")

_POLL = 1.0  # seconds; for rings that nobody heard
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

_REGISTER = "SELECT worker_id, set_config('synchronous_commit', 'on', true) FROM procrastinate_register_worker_v1()"
"""Flushed, unlike the rest: a name that the server forgot would be given to another worker, and ours keep its jobs alive."""
_BACK = (
    "SELECT procrastinate_retry_job_v2(id, NULL, NULL, NULL, NULL), "
    """pg_notify('procrastinate_queue_v1#' || queue_name, '{"type": "job_inserted", "job_id": 0}') """
)
_RETRY = _BACK + "FROM procrastinate_jobs WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing'"
_FINISH = (
    "SELECT procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, %(delete)s) FROM procrastinate_jobs "
    "WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing'"
)
_UNKNOWN = _BACK + "FROM procrastinate_jobs WHERE worker_id = %(worker)s AND status = 'doing' AND id <> ALL(%(known)s)"
_DEAD = (
    _BACK + "FROM (SELECT id, queue_name FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = %(queue)s AND "
    "(worker_id IS NULL OR worker_id IN (SELECT id FROM procrastinate_workers "
    "WHERE last_heartbeat < now() - make_interval(secs => %(after)s))) FOR UPDATE SKIP LOCKED) AS job"
)


class NotMigrated(RuntimeError):
    """The tables of the queue are not there, or not those of this version."""


class _GoBack(Exception):
    """This process stops: the job goes back to the queue."""


class _Always(BaseRetryStrategy):
    """Whatever did not end well goes back: nobody would ring again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision()


class PersistentManager(JobManager):
    """What a worker says to the database, said until it is heard. `concurrency` bounds the jobs that are neither done nor waiting."""

    def __init__(self, connector: PsycopgConnector, *, queue: str, concurrency: int, telemetry: Telemetry) -> None:
        super().__init__(connector)
        self._queue = queue
        self._concurrency = concurrency
        self._tell = telemetry
        self._worker = 0
        self._known: set[int] = set()
        self._under_way = 0
        self._down = False
        self._suspicious = False
        self._give_up_at: float | None = None
        self._rings = 0
        self._notify: NotificationCallback | None = None

    def give_up_in(self, seconds: float) -> None:
        """The process stops: what has not been heard by then is left to those who find our heart silent."""
        self._give_up_at = asyncio.get_running_loop().time() + seconds

    def doubt(self) -> None:
        """Compares our jobs in the queue with those we know, at the next fetch."""
        self._suspicious = True

    async def leave_place(self) -> None:
        """A job waits: another one may be fetched."""
        self._under_way -= 1
        await self.nudge()

    def take_place(self) -> None:
        """A job has waited. It does not ask: it came before those that were fetched meanwhile."""
        self._under_way += 1

    async def nudge(self) -> None:
        """Lets the worker look for jobs now."""
        await self._heard(channel="", notification={"type": "job_inserted", "job_id": 0})

    async def _heard(self, *, channel: str, notification: Notification) -> None:
        self._rings += 1
        if self._notify is not None:
            await self._notify(channel=channel, notification=notification)

    async def ring_for_the_dead(self, after: float) -> int:
        """Puts back the jobs of workers whose heart was silent for `after` seconds. Any number of workers may do so at once."""
        try:
            rows = await self.connector.execute_query_all_async(_DEAD, queue=self._queue, after=after)
        except ConnectorException as error:
            self._failed(error)
            return 0
        self._down = False
        return len(rows)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        while self._under_way < self._concurrency:
            rings = self._rings
            try:
                job = await self._fetch(queues)
            except ConnectorException as error:
                if isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
                    self._worker = 0
                    continue
                self._failed(error)
                return None  # the worker asks again at the next poll
            self._down = False
            if job is not None and job.id is not None:
                self._known.add(job.id)
                self._under_way += 1
                return job
            if rings == self._rings:
                return None
        return None

    async def _fetch(self, queues: Iterable[str] | None) -> Job | None:
        if not self._worker:
            self._worker = await self._register()
        if self._suspicious:
            self._suspicious = False
            await self.connector.execute_query_all_async(_UNKNOWN, worker=self._worker, known=list(self._known))
        return await super().fetch_job(queues, self._worker)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        await self._settle(job, _FINISH, status=status.value, delete=delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        await self._settle(job, _RETRY)

    async def register_worker(self) -> int:
        self._worker = await self._insist(self._register)
        return self._worker

    async def _register(self) -> int:
        row = await self.connector.execute_query_one_async(_REGISTER)
        return int(row["worker_id"])

    async def update_heartbeat(self, worker_id: int) -> None:
        heartbeat = super().update_heartbeat
        await self._insist(lambda: heartbeat(self._worker))

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        prune = super().prune_stalled_workers
        return await self._insist(lambda: prune(seconds_since_heartbeat))

    async def unregister_worker(self, worker_id: int) -> None:
        unregister = super().unregister_worker
        await self._insist(lambda: unregister(self._worker))

    async def listen_for_jobs(self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None) -> None:
        self._notify = on_notification
        while True:
            try:
                await super().listen_for_jobs(on_notification=self._heard, queues=queues)
            except ConnectorException as error:
                self._failed(error)
            await asyncio.sleep(_POLL)

    async def _settle(self, job: Job, query: Any, **values: Any) -> None:
        """Writes how a job ended, unless it is somebody else's by now."""
        settle = self.connector.execute_query_all_async
        try:
            await self._insist(lambda: settle(query, job=job.id, worker=job.worker_id, **values))
        finally:
            self._known.discard(job.id or 0)
            self._under_way -= 1
        await self.nudge()

    async def _insist(self, say: Callable[[], Awaitable[T]]) -> T:
        pause = 0.05
        while True:
            try:
                heard = await say()
            except ConnectorException as error:
                self._failed(error)
                if self._give_up_at is not None and asyncio.get_running_loop().time() + pause > self._give_up_at:
                    raise
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _POLL)
            else:
                self._down = False
                return heard

    def _failed(self, error: ConnectorException) -> None:
        """Reports an outage once. From now on our jobs in the queue may be others than those we know."""
        self._suspicious = True
        cause = error.__cause__ or error
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedFunction):
            raise NotMigrated("the tables of the queue are not there: run `switchboard migrate` [not-migrated]") from error
        if not self._down:
            self._tell("database_down", cause=type(cause).__name__)
        self._down = True


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
            fetch_job_polling_interval=_POLL,
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
                await asyncio.sleep(_POLL)

    async def _watch(self) -> None:
        """Rings for the dead, and for what nobody works on."""
        for beat in count():
            await asyncio.sleep(self._dead_after / 8 * random.uniform(0.8, 1.0))
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
