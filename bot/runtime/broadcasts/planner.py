"""From a file to rows of the outbox, a thousand lines a transaction, so that a planner that dies can be followed by another.

Each transaction moves `broadcast.planned` on from where this planner believes it to be, while the broadcast is being planned: of two
planners, or of one and a `stop`, one finds that it is not so any more, and gives up without a trace.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Address
from bot.conversations import Consent, Database, Outbox, Outgoing, Sealer
from bot.conversations.tables import broadcast_table, outbox_table

from .order import BroadcastOrder, BroadcastRefused
from .recipients import Checked, Recipient, RecipientFile, Skipped
from .timeline import Timeline
from .writer import Composer, Zones

CHUNK = 1000

OnProgress = Callable[[int, int], None]
"""Called with how many lines of how many are done."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A broadcast's row. `body` holds the order, the file it is read from, and what planning counted."""

    id: str
    status: str
    body: Mapping[str, Any]
    total: int
    planned: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def order(self) -> BroadcastOrder:
        return BroadcastOrder.from_json(self.body["order"])


class Planner:
    """Plans broadcasts. Rendering and reading happen in a thread: whatever else the process does goes on."""

    def __init__(self, database: Database, *, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._outbox = Outbox(database, sealer=sealer)
        self._consent = Consent(database)

    async def check(self, file: RecipientFile, order: BroadcastOrder, composer: Composer | None, checked: Checked) -> None:
        """Reads a file through without storing anything; with a composer, as if it were planned."""
        with closing(file.read()) as lines:
            async for chunk in _chunks(lines):
                for line in chunk:
                    if isinstance(line, Skipped):
                        checked.skip(line)
                checked.total = chunk[-1].line - 1
                if composer is None:
                    checked.good += sum(isinstance(line, Recipient) for line in chunk)
                    continue
                made = await self._compose(chunk, order, composer)
                for result in made:
                    if isinstance(result, Skipped):
                        checked.skip(result)
                    else:
                        checked.accept(len(result))

    async def plan(self, stored: Stored, file: RecipientFile, composer: Composer, progress: OnProgress) -> None:
        """Writes the rows of all lines after `stored.planned`, and sets the broadcast running. Raises BroadcastRefused when somebody
        stopped it, or plans it too."""
        planned, skipped, before = stored.planned, Counter(stored.body["skipped"]), stored.body["segments"]
        with closing(file.read()) as lines:
            async for chunk in _chunks(lines):
                fresh = [line for line in chunk if line.line - 1 > planned]
                if not fresh:
                    continue
                skipped.update(line.reason for line in fresh if isinstance(line, Skipped))
                made = await self._compose(fresh, stored.order, composer)
                skipped.update(result.reason for result in made if isinstance(result, Skipped))
                rows = [row for result in made if not isinstance(result, Skipped) for row in result]
                body = {**stored.body, "skipped": dict(skipped), "segments": before + composer.segments}
                async with self._database.write() as tx:
                    await self._advance(tx, stored.id, planned, planned=fresh[-1].line - 1, body=body)
                    await self._outbox.put(tx, rows)
                planned = fresh[-1].line - 1
                progress(planned, stored.total)
        await self.planned(stored, planned)

    async def planned(self, stored: Stored, planned: int | None = None) -> None:
        """Sets a broadcast running whose lines are all planned."""
        async with self._database.write() as tx:
            await self._advance(tx, stored.id, stored.planned if planned is None else planned, planned=stored.total, status="running")

    async def reschedule(self, stored: Stored, timeline: Timeline, zones: Zones, progress: OnProgress) -> int:
        """Gives every row that waits or was cancelled a new time, and lets it wait. Returns how many had been cancelled."""
        table = outbox_table.c
        movable = or_(table.status == "pending", table.status == "cancelled")
        async with self._database.read() as connection:
            found = await connection.execute(select(table.id).where(table.broadcast == stored.id, movable).order_by(table.id))
            ids = found.scalars().all()
        columns = (table.id, table.status, table.conversation, table.customer, table.key, table.payload)
        again = update(outbox_table).where(table.id == bindparam("of"), movable)
        again = again.values(status="pending", due=bindparam("at"), not_before=bindparam("at"), cause="", finished_at=None)
        due: dict[str, Any] = {}  # of the message whose parts we are in
        back = 0
        for start in range(0, len(ids), CHUNK):
            page = select(*columns).where(table.id.in_(ids[start : start + CHUNK]), movable).order_by(table.id)
            async with self._database.read() as connection:
                rows = (await connection.execute(page)).all()
            times = await asyncio.to_thread(self._times, rows, timeline, zones, due)
            async with self._database.write() as tx:
                await self._advance(tx, stored.id, stored.planned)
                if times:
                    await tx.execute(again, times)
            back += sum(row.status == "cancelled" for row in rows)
            progress(min(start + CHUNK, len(ids)), len(ids))
        return back

    def _times(self, rows: Sequence[Any], timeline: Timeline, zones: Zones, due: dict[str, Any]) -> list[dict[str, Any]]:
        times = []
        for row in rows:
            segments = int(self._sealer.open(row.payload, "outbox", row.key)["segments"])
            at = due.get(row.conversation) if row.conversation else None
            if at is None:
                at = timeline.take(zones(Address.parse(row.customer).value), segments)
            due.clear()
            if at is not None:  # always, for what was planned before, unless the hours were changed since
                due[row.conversation] = at
                times.append({"of": row.id, "at": at})
        return times

    async def _compose(
        self, lines: Sequence[Recipient | Skipped], order: BroadcastOrder, composer: Composer
    ) -> list[list[Outgoing] | Skipped]:
        """The rows of each recipient among the lines."""
        recipients = [line for line in lines if isinstance(line, Recipient)]
        business = str(order.business)
        pairs = {recipient.line: (business, str(order.key(recipient.number).customer)) for recipient in recipients}
        async with self._database.read() as connection:
            stopped = await self._consent.stopped(connection, pairs.values())

        def compose() -> list[list[Outgoing] | Skipped]:
            return [
                Skipped(recipient.line, "opted_out") if pairs[recipient.line] in stopped else composer.compose(recipient)
                for recipient in recipients
            ]

        return await asyncio.to_thread(compose)

    async def _advance(self, tx: AsyncConnection, broadcast: str, believed: int, **values: Any) -> None:
        """The fence, first in every transaction of a planner."""
        table = broadcast_table.c
        mine = update(broadcast_table).where(table.id == broadcast, table.status == "planning", table.planned == believed)
        if (await tx.execute(mine.values({"planned": believed, **values}))).rowcount != 1:
            raise BroadcastRefused("interrupted", f"broadcast {broadcast} was stopped, or is planned by somebody else: see its status")


async def _chunks(lines: Iterator[Recipient | Skipped]) -> AsyncIterator[list[Recipient | Skipped]]:
    while chunk := await asyncio.to_thread(lambda: list(islice(lines, CHUNK))):
        yield chunk
