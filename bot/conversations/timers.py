"""What happens later: reminders of silence, calls back. A due timer becomes an inbox row, so it is taken in order with the messages.

Setting a timer that runs replaces it; every setting has a number, its generation. A timer that fired and was then set anew or cancelled
by an earlier message of the same conversation shows as a stale inbox row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .encryption import Sealer
from .inbox import Inbox, Incoming
from .tables import timer_table


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer of a conversation, by key. `payload` is JSON and comes back in the inbox row."""

    key: str
    due: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)


class Timers:
    """All methods run in the caller's transaction."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        self._inbox = Inbox(database, sealer=sealer)
        insert = database.insert(timer_table)
        self._set = insert.on_conflict_do_update(
            index_elements=[timer_table.c.conversation, timer_table.c.key],
            set_={"generation": timer_table.c.generation + 1, "payload": insert.excluded.payload, "due": insert.excluded.due},
        )

    async def set(self, tx: AsyncConnection, conversation: str, timers: Sequence[Timer]) -> None:
        """Starts timers, or starts them anew."""
        rows = [
            {
                "conversation": conversation,
                "key": timer.key,
                "generation": 1,
                "payload": self._sealer.seal(dict(timer.payload), "timer", f"{conversation}/{timer.key}"),
                "due": timer.due,
            }
            for timer in timers
        ]
        if rows:
            await tx.execute(self._set, rows)

    async def cancel(self, tx: AsyncConnection, conversation: str, keys: Sequence[str]) -> None:
        """Stops timers; those that do not run stay as they are."""
        table = timer_table.c
        if keys:
            stop = update(timer_table).where(table.conversation == conversation, table.key.in_(keys))
            await tx.execute(stop.values(due=None, generation=table.generation + 1))

    async def fire(self, tx: AsyncConnection, limit: int = 100) -> list[str]:
        """Turns due timers into inbox rows, each exactly once however many call this. Returns the conversations to wake."""
        table = timer_table.c
        due = select(table.conversation, table.key).where(table.due <= self._database.moment()).order_by(table.due).limit(limit)
        chosen = due.with_for_update(skip_locked=True).cte("chosen")
        here = tuple_(table.conversation, table.key).in_(select(chosen.c.conversation, chosen.c.key))
        fire = update(timer_table).where(here, table.due.is_not(None)).values(due=None)
        fired = (await tx.execute(fire.returning(table.conversation, table.key, table.generation, table.payload))).all()
        for timer in fired:
            await self._inbox.receive(tx, self._event(timer.conversation, timer.key, timer.generation, timer.payload))
        return list(dict.fromkeys(timer.conversation for timer in fired))

    def _event(self, conversation: str, key: str, generation: int, payload: Any) -> Incoming:
        return Incoming(
            event_id=f"timer:{conversation}/{key}:{generation}",
            conversation=conversation,
            payload=self._sealer.open(payload, "timer", f"{conversation}/{key}"),
            kind="timer",
            timer=key,
            generation=generation,
        )

    async def running(self, tx: AsyncConnection, conversation: str) -> list[Timer]:
        """The timers that run, next one first."""
        table = timer_table.c
        query = select(table.key, table.due, table.payload).where(table.conversation == conversation, table.due.is_not(None))
        rows = await tx.execute(query.order_by(table.due, table.key))
        return [Timer(row.key, row.due, self._sealer.open(row.payload, "timer", f"{conversation}/{row.key}")) for row in rows]
