"""What a worker of procrastinate says to its database, so that it outlives it. Imports procrastinate: only where jobs are run.

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
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback

from .telemetry import Telemetry

T = TypeVar("T")

POLL = 1.0
"""Seconds between looks for rings that nobody heard."""

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
            await asyncio.sleep(POLL)

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
                await asyncio.sleep(pause)
                pause = min(pause * 2, POLL)
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
