"""The dispatcher of many machines: procrastinate on PostgreSQL, the database that is there anyway.

A wake is one job in the very transaction that stores the message: both are committed or neither. Jobs of a conversation carry its id
as their lock, so that one of them runs at a time, wherever. They carry no `queueing_lock`: it would merge a wake with a job that may
have looked before this transaction committed, and the message would wait for ever. A wake too many finds nothing to do.

Importing this module does not import procrastinate, nor does waking: only `run` does (`job_worker`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversations import Database

from .dispatcher import Work
from .telemetry import Telemetry, silence

if TYPE_CHECKING:
    from .job_worker import JobWorker

QUEUE = "switchboard"
TASK = "turn"

_WAKE = (
    f"SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('{QUEUE}', '{TASK}', 0, %(conversation)s::text, NULL, "
    "jsonb_build_object('conversation', %(conversation)s::text), NULL)::procrastinate_job_to_defer_v1])"
)
"""procrastinate's own function, the one its `defer` calls. On the connection of the caller, through SQLAlchemy, so that a connection
that breaks here is reported and replaced like any other."""


class ProcrastinateDispatcher:
    """Wakes and, where `run` is called, answers for `concurrency` conversations at once. A process of the web only wakes.

    A worker beats its heart four times in `dead_after`; when it has been silent for that long, the others ring again for what it
    was at. Too short costs a turn that runs twice when a machine pauses, and is committed once.
    `listen` False polls once a second instead of holding a connection that listens (needed behind pgbouncer in transaction mode).
    A delay that `work` asks for is waited out here, with the conversation kept and no place taken. Raises ValueError for another database.
    """

    def __init__(
        self,
        database: Database,
        *,
        concurrency: int = 32,
        dead_after: timedelta = timedelta(seconds=3.5),
        listen: bool = True,
        telemetry: Telemetry = silence,
    ) -> None:
        if not database.is_postgres:
            raise ValueError("several machines share a PostgreSQL; a SQLite file is for one process and its EmbeddedDispatcher")
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}: one conversation at a time is the least")
        self._database = database
        self._concurrency = concurrency
        self._dead_after = dead_after
        self._listen = listen
        self._tell = telemetry
        self._worker: JobWorker | None = None
        self._stopped = False

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        """Rings once `tx` has committed, on a machine that runs."""
        await tx.exec_driver_sql(_WAKE, {"conversation": conversation})

    async def run(self, work: Work) -> None:
        """Answers with `work` until `stop`; outlives losses of the database, and reports them as `database_down`.

        Raises ImportError without the extra `postgres`, RuntimeError when the database was not migrated.
        """
        if self._stopped:
            return
        from .job_worker import JobWorker

        self._worker = JobWorker(
            self._database.engine,
            work,
            queue=QUEUE,
            task=TASK,
            concurrency=self._concurrency,
            dead_after=self._dead_after,
            listen=self._listen,
            telemetry=self._tell,
        )
        await self._worker.run()

    async def stop(self, grace: float) -> None:
        """As the port says. What is not finished goes back to the queue and is rung for on another machine, or by the next start."""
        self._stopped = True
        if self._worker is not None:
            await self._worker.stop(grace)
