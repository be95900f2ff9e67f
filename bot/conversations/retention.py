"""How long things are kept, and the job that deletes what is older. Works in short transactions beside live traffic.

What is not finished stays: open inbox rows and dead letters, messages not sent, effects with an unknown outcome, conversations that
a person has or that anything waits for, and who said stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, delete, exists, select, true, tuple_

from .customer_data import delete_rows
from .database import Database
from .paging import following
from .tables import (
    attachment_table,
    conversation_table,
    effect_table,
    event_table,
    handoff_table,
    inbox_table,
    outbox_table,
    receipt_table,
)

_UNSENT = ("pending", "sending", "retry", "unknown")
_SETTLED = ("sent", "rejected", "cancelled")


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Ages after which things are deleted; None keeps them.

    `conversations`: since the last turn, with everything that belongs to the conversation. `transcripts`: events, and hand-overs that
    are over. `messages`: inbox and outbox rows that are finished, files customers sent, and receipts. `effects`: finished entries of the ledger. Keep
    messages and effects longer than a provider may deliver the same event again.
    """

    conversations: timedelta | None = None
    transcripts: timedelta | None = None
    messages: timedelta | None = None
    effects: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Ageing:
    """Rows of a table that grow old together: `order` is about the order of `time`, `finished` says which may go.

    `most` rows are deleted in one transaction, fewer of large ones.
    """

    table: Table
    order: tuple[Column[Any], ...]
    time: Column[Any]
    finished: ColumnElement[bool]
    most: int = 500


class Retention:
    """Applies a policy."""

    def __init__(self, database: Database, policy: RetentionPolicy) -> None:
        self._database = database
        self._policy = policy

    async def apply(self, *, batch: int = 500) -> dict[str, int]:
        """Deletes what is too old; returns how many rows, by table. Calling it again, or twice at once, is harmless."""
        event, handoff, inbox, outbox, effect = (t.c for t in (event_table, handoff_table, inbox_table, outbox_table, effect_table))
        receipt, attachment = receipt_table.c, attachment_table.c
        transcripts = (
            _Ageing(event_table, (event.id,), event.at, true()),
            _Ageing(handoff_table, (handoff.id,), handoff.requested_at, handoff.status == "ended"),
        )
        messages = (
            _Ageing(inbox_table, (inbox.id,), inbox.received_at, inbox.status == "done"),
            _Ageing(attachment_table, (attachment.id,), attachment.received_at, attachment.status != "waiting", most=10),
            _Ageing(outbox_table, (outbox.id,), outbox.created_at, outbox.status.in_(_SETTLED)),
            _Ageing(receipt_table, (receipt.first_at, receipt.channel, receipt.provider_id), receipt.first_at, true()),
        )
        effects = (_Ageing(effect_table, (effect.started_at, effect.key), effect.started_at, effect.status != "started"),)
        counts = await self._conversations(self._policy.conversations, min(batch, 100))
        for age, group in ((self._policy.transcripts, transcripts), (self._policy.messages, messages), (self._policy.effects, effects)):
            for ageing in group if age is not None else ():
                deleted = await self._rows(ageing, self._database.now() - (age or timedelta(0)), min(batch, ageing.most))
                counts[ageing.table.name] = counts.get(ageing.table.name, 0) + deleted
        return {name: count for name, count in counts.items() if count}

    async def _rows(self, ageing: _Ageing, before: datetime, batch: int) -> int:
        """Goes from the oldest row on, and ends at the first page where nothing is old: the job costs what it deletes."""
        key = tuple(ageing.table.primary_key.columns)
        page = select(*ageing.order, *key, (ageing.time < before).label("old")).order_by(*ageing.order).limit(batch)
        last: Sequence[Any] | None = None
        count = 0
        while True:
            async with self._database.read() as connection:
                query = page if last is None else page.where(following(ageing.order, last))
                rows = (await connection.execute(query)).all()
            size = len(ageing.order)
            old = [tuple(row[size:-1]) for row in rows if row.old]
            if not old:
                return count
            gone = delete(ageing.table).where(tuple_(*key).in_(old), ageing.time < before, ageing.finished)
            async with self._database.write() as tx:
                count += (await tx.execute(gone)).rowcount
            last = rows[-1][:size]

    async def _conversations(self, age: timedelta | None, batch: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        if age is None:
            return counts
        table = conversation_table.c
        idle = _is_idle(self._database.now() - age)
        last = ""
        while True:
            async with self._database.read() as connection:
                page = select(table.id).where(idle, table.id > last).order_by(table.id).limit(batch)
                found = (await connection.execute(page)).scalars().all()
            if not found:
                return counts
            async with self._database.write() as tx:
                # A conversation that a turn has just now locked is not idle.
                again = select(table.id).where(table.id.in_(found), idle).with_for_update(skip_locked=True)
                ids = (await tx.execute(again)).scalars().all()
                for name, count in (await delete_rows(tx, "", ids)).items():
                    counts[name] = counts.get(name, 0) + count
            last = found[-1]


def _is_idle(before: datetime) -> ColumnElement[bool]:
    table, inbox, outbox = conversation_table.c, inbox_table.c, outbox_table.c
    waiting = exists().where(inbox.conversation == table.id, inbox.status == "open")
    unsent = exists().where(outbox.conversation == table.id, outbox.status.in_(_UNSENT))
    return and_(table.updated_at < before, table.owner == "bot", ~waiting, ~unsent)
