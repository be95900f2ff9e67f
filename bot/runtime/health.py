"""Whether this process lives, and whether it should be sent webhooks: what an orchestrator, a load balancer and systemd ask.

Live is the event loop that turns. Ready is a database that answers, takes writes and is migrated, and a process that does not drain.
Work that lags is no reason to refuse webhooks, which would lose what waits safely otherwise: it shows as a check with a warning.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from bot.conversations import Database
from bot.conversations.migrations import HEAD, current

from .deadline import Deadline
from .gauges import Gauges

_BEAT = 0.5

Check = Mapping[str, str | float]
"""`status` is ok, warn or fail; the rest says why, by codes and numbers."""


@dataclass(frozen=True, slots=True)
class Report:
    """`status` in one word, and what it comes from. Holds no secrets and no personal data."""

    status: str
    checks: Mapping[str, Check]
    ok: bool

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "checks": {name: dict(check) for name, check in self.checks.items()}}


class Health:
    """`watch` runs beside the work; the web application sees to that.

    Times are in seconds: the loop may hang for `stall`, the database has `patience` to answer and its answer counts for `keep`; the
    inbox is late when a row has waited for `lag`, which is looked at with `gauges` only.
    """

    def __init__(
        self,
        database: Database,
        gauges: Gauges | None = None,
        *,
        stall: float = 10.0,
        patience: float = 1.0,
        keep: float = 1.0,
        lag: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._gauges = gauges
        self._stall, self._keep, self._lag = stall, keep, lag
        self._clock = clock
        self._deadline = Deadline(patience)
        self._lock = asyncio.Lock()
        self._beat_at = clock()
        self._looked_at: float | None = None
        self._found: Mapping[str, Check] = {}
        self._draining = False

    async def watch(self) -> None:
        """The heartbeat, until cancelled."""
        while True:
            self._beat_at = self._clock()
            await asyncio.sleep(_BEAT)

    def drain(self) -> None:
        """From now on not ready, for good: whoever balances load sends nothing more."""
        self._draining = True

    def live(self) -> Report:
        """Live or stalled."""
        since = self._clock() - self._beat_at
        ok = since <= self._stall
        check: Check = {"status": "ok" if ok else "fail", "seconds": round(since, 3)}
        return Report("live" if ok else "stalled", {"event_loop": check}, ok)

    async def ready(self) -> Report:
        """Ready, draining or unavailable."""
        if self._draining:
            return Report("draining", {}, False)
        checks = dict(await self._database_checks())
        ok = all(check["status"] != "fail" for check in checks.values())
        if ok and self._gauges is not None and (backlog := await self._gauges.read()) is not None:
            late = backlog.inbox_age > self._lag
            checks["inbox"] = {"status": "warn" if late else "ok", "open": backlog.inbox, "oldest_seconds": round(backlog.inbox_age, 1)}
        return Report("ready" if ok else "unavailable", checks, ok)

    async def _database_checks(self) -> Mapping[str, Check]:
        async with self._lock:
            if self._looked_at is None or self._clock() - self._looked_at >= self._keep:
                try:
                    self._found = await self._deadline(self._look())
                except TimeoutError:
                    self._found = {"database": {"status": "fail", "cause": "no_answer", "seconds": self._deadline.seconds}}
                except Exception as error:  # whatever a driver raises, it is no answer
                    self._found = {"database": {"status": "fail", "cause": type(error).__name__}}
                self._looked_at = self._clock()
            return self._found

    async def _look(self) -> Mapping[str, Check]:
        revision = await current(self._database.engine) or ""
        if self._database.is_postgres:
            async with self._database.read() as connection:
                if (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on":
                    return {"database": {"status": "fail", "cause": "read_only"}}
        # While a new version is rolled out the database is ahead of the old one, which goes on.
        known = "ok" if revision == HEAD else "warn" if revision > HEAD else "fail"
        return {"database": {"status": "ok"}, "migrations": {"status": known, "revision": revision or "none", "wanted": HEAD}}
