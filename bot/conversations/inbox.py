"""What came in: every message, fired timer and other event a conversation must take in, once, in order.

An inbox row is open until the turn that took it in commits. All methods run in the caller's transaction, so that a row and the
wake-up of a worker, or a row and the turn's result, are committed together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, bindparam, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .addresses import Addresses
from .database import Database
from .encryption import Sealer
from .tables import inbox_table

CAUSE_LENGTH = 500
"""A cause is a code; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it came in. `event_id` names it once and for all, over all channels: `twilio:msg:SM..`, `timer:..`.

    `kind` is message, timer, or any other word the runtime knows; `payload` is JSON. `timer` and `generation` say which timer fired.
    """

    event_id: str
    conversation: str
    payload: Mapping[str, Any]
    addresses: Addresses = field(default_factory=Addresses)
    kind: str = "message"
    timer: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An event that waits to be taken in. `stale`: a timer that was set anew or cancelled since it fired; take it in without effect."""

    id: int
    event: Incoming
    received_at: datetime
    attempts: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up. `cause` is a code and holds no personal data."""

    id: int
    event_id: str
    conversation: str
    cause: str
    attempts: int
    received_at: datetime


class Inbox:
    """The rows of all conversations."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        # The statements of every message are built once; to build one costs as much as to run it.
        table = inbox_table.c
        entry = database.insert(inbox_table).values(received_at=database.moment())
        self._receive = entry.on_conflict_do_nothing().returning(table.id)
        self._finished = update(inbox_table).where(table.id.in_(bindparam("rows", expanding=True)), table.status == "open")

    async def receive(self, tx: AsyncConnection, event: Incoming) -> bool:
        """Takes an event in, unless it is there already. True when it was new: only then is there somebody to wake."""
        row = {
            "event_id": event.event_id,
            "conversation": event.conversation,
            "kind": event.kind,
            "payload": self._sealer.seal(dict(event.payload), "inbox", event.event_id),
            **event.addresses.columns(),
            "timer": event.timer,
            "generation": event.generation,
            "status": "open",
            "attempts": 0,
            "cause": "",
        }
        return (await tx.execute(self._receive, row)).scalar_one_or_none() is not None

    async def open(self, tx: AsyncConnection, conversation: str, limit: int = 20) -> list[InboxRow]:
        """The rows that wait, in the order they came in."""
        table = inbox_table.c
        query = select(inbox_table).where(table.conversation == conversation, table.status == "open").order_by(table.id).limit(limit)
        return [self.row(found) for found in await tx.execute(query)]

    def row(self, found: Row[Any], *, stale: bool = False) -> InboxRow:
        """A row as it was read."""
        addresses = Addresses(found.channel, found.business, found.customer)
        payload = self._sealer.open(found.payload, "inbox", found.event_id)
        event = Incoming(found.event_id, found.conversation, payload, addresses, found.kind, found.timer, found.generation)
        return InboxRow(found.id, event, found.received_at.astimezone(UTC), found.attempts, stale)

    async def done(self, tx: AsyncConnection, rows: Sequence[int]) -> bool:
        """Marks rows as taken in. False when one of them was not open any more: somebody else took it in, roll back."""
        return await self._finish(tx, rows, status="done")

    async def bury(self, tx: AsyncConnection, rows: Sequence[int], cause: str) -> bool:
        """Gives rows up as dead letters; the conversation goes on. False as with `done`."""
        return await self._finish(tx, rows, status="dead", cause=cause[:CAUSE_LENGTH])

    async def _finish(self, tx: AsyncConnection, rows: Sequence[int], **values: Any) -> bool:
        if not rows:
            return True
        known = {"rows": list(rows), "finished_at": self._database.now()}
        return (await tx.execute(self._finished, {**known, **values})).rowcount == len(set(rows))

    async def failed(self, tx: AsyncConnection, row: int, cause: str, *, limit: int) -> Literal["open", "dead", "gone"]:
        """Counts a failed attempt; the row is given up when `limit` attempts have failed. `cause` is a code, without personal data.

        "gone" when the row is not open any more.
        """
        table = inbox_table.c
        over = table.attempts + 1 >= limit
        count = update(inbox_table).where(table.id == row, table.status == "open")
        count = count.values(
            attempts=table.attempts + 1,
            cause=cause[:CAUSE_LENGTH],
            status=case((over, "dead"), else_="open"),
            finished_at=case((over, self._database.moment()), else_=None),
        )
        status: Literal["open", "dead"] | None = (await tx.execute(count.returning(table.status))).scalar_one_or_none()
        return status or "gone"

    async def waiting(self, tx: AsyncConnection, *, older_than: timedelta, limit: int = 1000) -> list[str]:
        """Conversations with rows that wait too long, longest first: what a sweeper wakes, and a starting process takes up (age zero)."""
        table = inbox_table.c
        late = select(table.conversation).where(table.status == "open", table.received_at <= self._database.moment(-older_than))
        rows = (await tx.execute(late.order_by(table.received_at).limit(limit))).scalars()
        return list(dict.fromkeys(rows))

    async def dead(self, tx: AsyncConnection, limit: int = 100) -> list[DeadLetter]:
        """The latest dead letters, newest first."""
        table = inbox_table.c
        columns = (table.id, table.event_id, table.conversation, table.cause, table.attempts, table.received_at)
        query = select(*columns).where(table.status == "dead").order_by(table.id.desc()).limit(limit)
        return [DeadLetter(*row) for row in await tx.execute(query)]

    async def revive(self, tx: AsyncConnection, row: int) -> bool:
        """Opens a dead letter again, with its attempts forgotten. It keeps its place in the order. False when it was not dead."""
        table = inbox_table.c
        again = (
            update(inbox_table).where(table.id == row, table.status == "dead").values(status="open", attempts=0, cause="", finished_at=None)
        )
        return (await tx.execute(again)).rowcount == 1
