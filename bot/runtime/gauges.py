"""How much waits: counts and ages, read from the database when they are asked for, and not more often than every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, literal, select

from bot.conversations import Database
from bot.conversations.tables import inbox_table, outbox_table, timer_table

from .deadline import Deadline

OUTBOX: Mapping[str, tuple[str, ...]] = {"waiting": ("pending", "retry"), "sending": ("sending",), "unknown": ("unknown",)}
"""The statuses of rows that are not finished, as they are counted."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waited at one moment; ages are in seconds, 0 when nothing waits. `outbox` and `overdue` go by the names in `OUTBOX`."""

    inbox: int
    inbox_age: float
    dead: int
    outbox: Mapping[str, int]
    overdue: Mapping[str, float]
    timers: int


class Gauges:
    """`await gauges.read()`. A reading is kept for `keep` seconds and has `patience` seconds to be made."""

    def __init__(
        self, database: Database, *, keep: float = 5.0, patience: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._keep = keep
        self._deadline = Deadline(patience)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._read_at: float | None = None
        self._backlog: Backlog | None = None
        self._query = _query(database)

    async def read(self) -> Backlog | None:
        """None when the database does not answer. Many may ask at once, one reads."""
        async with self._lock:
            if self._read_at is None or self._clock() - self._read_at >= self._keep:
                try:
                    self._backlog = await self._deadline(self._fresh())
                except Exception:  # whatever a driver raises, it is no answer
                    self._backlog = None
                self._read_at = self._clock()
            return self._backlog

    async def _fresh(self) -> Backlog:
        async with self._database.read() as connection:
            row = (await connection.execute(self._query)).one()
        return Backlog(
            inbox=row.inbox,
            inbox_age=_age(row.now, row.inbox_since),
            dead=row.dead,
            outbox={name: getattr(row, name) for name in OUTBOX},
            overdue={name: _age(row.now, getattr(row, f"{name}_since")) for name in OUTBOX},
            timers=row.timers,
        )


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _query(database: Database) -> Select[Any]:
    """All in one statement. The statuses are written into it: the partial indexes that answer it are not used for parameters."""
    inbox, outbox, timer = inbox_table.c, outbox_table.c, timer_table.c

    def one(value: ColumnElement[Any], *where: ColumnElement[bool]) -> Any:
        return select(value).where(*where).scalar_subquery()

    def status(column: Column[Any], *words: str) -> ColumnElement[bool]:
        if len(words) == 1:
            return column == literal(words[0], literal_execute=True)
        return column.in_([literal(word, literal_execute=True) for word in words])

    columns = [
        database.moment().label("now"),
        one(func.count(inbox.id), status(inbox.status, "open")).label("inbox"),
        one(func.min(inbox.received_at), status(inbox.status, "open")).label("inbox_since"),
        one(func.count(inbox.id), status(inbox.status, "dead")).label("dead"),
        one(func.count(timer.conversation), timer.due.is_not(None)).label("timers"),
    ]
    for name, words in OUTBOX.items():
        columns.append(one(func.count(outbox.id), status(outbox.status, *words)).label(name))
        since = outbox.due if name == "waiting" else outbox.not_before
        columns.append(one(func.min(since), status(outbox.status, *words)).label(f"{name}_since"))
    return select(*columns)
