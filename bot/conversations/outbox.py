"""What is to be sent: rows written by the turn that decided them, sent by senders that may die at any moment.

    pending -> sending -> sent | rejected | retry (-> sending ...) | unknown (-> sent | retry | rejected)
    pending, retry -> cancelled

`unknown` means that the provider may or may not have the message: the sender died or timed out after the request was written. Such a
row is never sent again before the provider was asked for it. Messages of a conversation that are equally urgent go one at a time, in
order; one that was planned for later or is less urgent holds nothing up, and one of unknown outcome does so for `hold` only: a reply out
of order is bad, a customer without one is worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Status

from .addresses import Addresses
from .consent import Consent
from .database import Database
from .encryption import Sealer, SealError
from .tables import UtcDateTime, outbox_table, receipt_table

OPTED_OUT = "opted_out"
"""The cause of a row that was not sent because the customer said stop."""

CONFIRMATION = "consent"
"""The purpose of the one message that may follow a stop: its confirmation."""

UNREADABLE = "unreadable"
"""The cause of a row that waits because its payload cannot be opened: a key is not configured."""

_CAUSE_LENGTH = 500
_UNREADABLE_WAITS = timedelta(minutes=5)
_WAITING = ("pending", "retry")
_AHEAD = ("pending", "retry", "sending")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send. `payload` is what the channel renders, as JSON.

    `key` is unique for ever; a turn leaves it "" and gets `<turn>:<n>`. `purpose` is reply, notify, marketing or consent;
    `priority` 0 is the most urgent; without `not_before` it is due at once. `addresses` left empty are the conversation's.
    `broadcast` names the broadcast it is part of.
    """

    payload: Mapping[str, Any]
    conversation: str = ""
    addresses: Addresses = field(default_factory=Addresses)
    purpose: str = "reply"
    priority: int = 0
    not_before: datetime | None = None
    key: str = ""
    broadcast: str = ""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A stored message. `attempts` counts the times it was taken up, and is the token of the sender that has it now.

    `delivery` is what the provider told since, None before it told anything; `attempted_at` when it was last taken up.
    """

    id: int
    message: Outgoing
    status: str
    attempts: int
    due: datetime
    provider_id: str
    cause: str
    delivery: Status | None = None
    attempted_at: datetime | None = None


class Outbox:
    """The rows of all conversations. All methods run in the caller's transaction; commit before you call the provider."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None, hold: timedelta = timedelta(seconds=60)) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        self._hold = hold
        self._consent = Consent(database)
        when = func.coalesce(bindparam("planned", type_=UtcDateTime), database.moment())
        self._put = insert(outbox_table).values(created_at=database.moment(), not_before=when, due=when)
        table = outbox_table.c
        mine = and_(table.id == bindparam("of"), table.attempts == bindparam("attempt"), _is(table.status, "sending", "unknown"))
        self._settled = update(outbox_table).where(mine).values(holder="", lease_until=None)
        self._takes: dict[tuple[timedelta, bool], Update] = {}  # built once: to build it costs as much as to run it
        self._levels = self._due_levels()

    async def put(self, tx: AsyncConnection, messages: Sequence[Outgoing]) -> None:
        """Adds messages, in order. Raises sqlalchemy's IntegrityError when a key was used before."""
        if not messages:
            return
        rows = [
            {
                "key": message.key,
                "conversation": message.conversation,
                "purpose": message.purpose,
                "priority": message.priority,
                "payload": self._sealer.seal(dict(message.payload), "outbox", message.key),
                **message.addresses.columns(),
                "broadcast": message.broadcast,
                "status": "pending",
                "planned": message.not_before,
                "attempts": 0,
                "holder": "",
                "provider_id": "",
                "cause": "",
            }
            for message in messages
        ]
        await tx.execute(self._put, rows)

    async def claim(self, tx: AsyncConnection, holder: str, *, limit: int, lease: timedelta, channel: str | None = None) -> list[OutboxRow]:
        """Takes up to `limit` due messages, most urgent first, for `lease`. No two senders get the same row.

        Messages to customers who said stop are rejected here (cause `opted_out`) and not returned.
        """
        take = self._take(lease, any_channel=channel is None)
        found: list[Row[Any]] = []
        # One urgency at a time: so each is a range of the index, however much waits that is less urgent or not due.
        for level in (await tx.execute(self._levels)).scalars().all():
            if len(found) < limit:
                found += await tx.execute(take, {"by": holder, "most": limit - len(found), "on": channel, "level": level})
        rows = await self._readable(tx, found)
        stopped = await self._consent.stopped(tx, [_pair(row) for row in rows if row.message.purpose != CONFIRMATION])
        refused = [row.id for row in rows if row.message.purpose != CONFIRMATION and _pair(row) in stopped]
        if refused:
            reject = update(outbox_table).where(outbox_table.c.id.in_(refused))
            await tx.execute(reject.values(status="rejected", cause=OPTED_OUT, lease_until=None, finished_at=self._database.now()))
        rows = [row for row in rows if row.id not in refused]
        return sorted(rows, key=lambda row: (row.message.priority, row.due, row.id))

    async def _readable(self, tx: AsyncConnection, found: Sequence[Row[Any]]) -> list[OutboxRow]:
        """The rows whose payload can be opened. The others wait for their key: one of them must not hold up everybody's messages."""
        rows, sealed = [], []
        for row in found:
            try:
                rows.append(self._row(row))
            except SealError:
                sealed.append(row.id)
        if sealed:
            later = {"status": "retry", "cause": UNREADABLE, "due": self._database.moment(_UNREADABLE_WAITS)}
            await tx.execute(update(outbox_table).where(outbox_table.c.id.in_(sealed)).values(holder="", lease_until=None, **later))
        return rows

    def _due_levels(self) -> Select[tuple[int]]:
        """The priorities that have something due on any channel, most urgent first: one look into the index for each priority in use."""
        table = outbox_table.c

        def lowest(*above: ColumnElement[bool]) -> Select[tuple[int]]:
            return select(func.min(table.priority)).where(_is(table.status, *_WAITING), *above)

        level = lowest().cte("level", recursive=True)
        following = lowest(table.priority > level.c[0]).scalar_subquery()
        level = level.union_all(select(following).where(level.c[0].is_not(None)))
        first = select(func.min(table.due)).where(_is(table.status, *_WAITING), table.priority == level.c[0]).scalar_subquery()
        return select(level.c[0]).where(level.c[0].is_not(None), first <= self._bound()).order_by(level.c[0])

    def _bound(self) -> ColumnElement[datetime]:
        """The time, asked once a statement: a clock that runs on within it could not be looked up in an index."""
        return select(self._database.moment()).scalar_subquery()

    def _take(self, lease: timedelta, *, any_channel: bool) -> Update:
        if (known := self._takes.get((lease, any_channel))) is not None:
            return known
        table, ahead = outbox_table.c, outbox_table.alias().c
        held_up = exists().where(
            ahead.conversation == table.conversation,
            _is(ahead.status, *_AHEAD, "unknown"),
            or_(ahead.status != "unknown", ahead.attempted_at > self._database.moment(-self._hold)),
            ahead.id < table.id,
            ahead.priority <= table.priority,
            ahead.not_before <= table.not_before,
        )
        ready = and_(_is(table.status, *_WAITING), table.priority == bindparam("level"), table.due <= self._bound())
        ready = and_(ready, or_(table.conversation == "", ~held_up))
        if not any_channel:
            ready = and_(ready, table.channel == bindparam("on"))
        due = select(table.id).where(ready).order_by(table.due, table.id).limit(bindparam("most", type_=Integer))
        chosen = due.with_for_update(skip_locked=True).cte("chosen")
        take = update(outbox_table).where(table.id.in_(select(chosen.c.id)), _is(table.status, *_WAITING))
        leased = {
            "status": "sending",
            "holder": bindparam("by"),
            "lease_until": self._database.moment(lease),
            "attempts": table.attempts + 1,
            "attempted_at": self._database.moment(),
        }
        self._takes[lease, any_channel] = take.values(leased).returning(*table)
        return self._takes[lease, any_channel]

    async def sent(self, tx: AsyncConnection, row: OutboxRow, provider_id: str) -> bool:
        """The provider has it. Holds for a row that became unknown meanwhile, too; False when it was taken up again since."""
        return await self._settle(tx, row, status="sent", provider_id=provider_id, cause="", finished_at=self._database.now())

    async def rejected(self, tx: AsyncConnection, row: OutboxRow, cause: str) -> bool:
        """The provider will never take it. `cause` is a code. False when the row was taken up again since."""
        return await self._settle(tx, row, status="rejected", cause=cause[:_CAUSE_LENGTH], finished_at=self._database.now())

    async def retry(self, tx: AsyncConnection, row: OutboxRow, after: timedelta, cause: str) -> bool:
        """The provider certainly does not have it: try again when `after` has passed. False when it was taken up again since."""
        again = self._settled.values(due=self._database.moment(after))
        return await self._settle(tx, row, again, status="retry", cause=cause[:_CAUSE_LENGTH])

    async def unknown(self, tx: AsyncConnection, row: OutboxRow, cause: str, ask_after: timedelta = timedelta(0)) -> bool:
        """Nobody knows whether the provider has it: ask, when `ask_after` has passed, before it is sent again.

        False when it was taken up again since.
        """
        ask = self._settled.values(due=self._database.moment(ask_after))
        return await self._settle(tx, row, ask, status="unknown", cause=cause[:_CAUSE_LENGTH])

    async def put_off(self, tx: AsyncConnection, row: OutboxRow, until: datetime) -> bool:
        """It may not be sent yet (quiet hours) and is planned anew: it holds nothing up before. False when it was taken up again since."""
        table = outbox_table.c
        off = update(outbox_table).where(_unbegun(row), table.status == "sending")
        planned = {"due": until, "not_before": until, "attempts": table.attempts - 1}
        return (await tx.execute(off.values(status="pending", holder="", lease_until=None, **planned))).rowcount == 1

    async def put_back(self, tx: AsyncConnection, rows: Sequence[OutboxRow], after: timedelta = timedelta(0)) -> int:
        """Taken up and not begun: as if they had not been taken up, but for waiting `after`. Returns how many were still this sender's."""
        if not rows:
            return 0
        table = outbox_table.c
        mine = or_(*(_unbegun(row) for row in rows))
        back = update(outbox_table).where(mine, table.status == "sending")
        changed = back.values(status="pending", holder="", lease_until=None, due=self._database.moment(after), attempts=table.attempts - 1)
        return (await tx.execute(changed)).rowcount

    async def confirm(self, tx: AsyncConnection, key: str, provider_id: str) -> bool:
        """The provider speaks of a message by our own reference: it has it, whatever we knew. False when that was known."""
        table = outbox_table.c
        open_ones = table.status.in_(("sending", "unknown", "retry"))
        had = update(outbox_table).where(table.key == key, open_ones)
        settled = had.values(
            status="sent", provider_id=provider_id, cause="", holder="", lease_until=None, finished_at=self._database.now()
        )
        return (await tx.execute(settled)).rowcount == 1

    async def accounted_for(self, tx: AsyncConnection, row: OutboxRow) -> frozenset[str]:
        """The provider's ids of the other messages of a row's conversation (or, in a broadcast, to its customer)."""
        table, message = outbox_table.c, row.message
        same = table.conversation == message.conversation
        if not message.conversation:
            same = and_(table.broadcast == message.broadcast, table.customer == message.addresses.customer)
        return frozenset((await tx.execute(select(table.provider_id).where(same, table.provider_id != ""))).scalars())

    async def _settle(self, tx: AsyncConnection, row: OutboxRow, statement: Update | None = None, **values: Any) -> bool:
        mine = {"of": row.id, "attempt": row.attempts}
        return (await tx.execute(self._settled if statement is None else statement, {**mine, **values})).rowcount == 1

    async def extend(self, tx: AsyncConnection, rows: Sequence[OutboxRow], lease: timedelta) -> int:
        """Keeps a batch that takes longer. Returns how many of the rows are still this sender's."""
        if not rows:
            return 0
        table = outbox_table.c
        mine = or_(*(and_(table.id == row.id, table.attempts == row.attempts) for row in rows))
        extended = update(outbox_table).where(mine, table.status == "sending").values(lease_until=self._database.moment(lease))
        return (await tx.execute(extended)).rowcount

    async def lose(self, tx: AsyncConnection, *, channel: str = "", survivor: str = "") -> int:
        """Rows whose sender let the lease run out become unknown, to be asked for at once. Returns how many.

        With a `survivor`, the only holder that sends on `channel` from now on, those of all others do, whatever their lease.
        """
        table = outbox_table.c
        gone = table.lease_until <= self._database.moment()
        if survivor:
            gone = and_(table.channel == channel, table.holder != survivor)
        lost = update(outbox_table).where(_is(table.status, "sending"), gone)
        changed = {"status": "unknown", "holder": "", "lease_until": None, "cause": "sender_lost", "due": self._database.moment()}
        return (await tx.execute(lost.values(changed))).rowcount

    async def unresolved(self, tx: AsyncConnection, limit: int = 100) -> list[OutboxRow]:
        """Rows whose outcome is unknown and that are due to be asked for: ask the provider, then call `sent`, `retry` or `unknown`."""
        table = outbox_table.c
        due = and_(_is(table.status, "unknown"), table.due <= self._database.moment())
        rows = []
        for found in await tx.execute(select(outbox_table).where(due).order_by(table.due).limit(limit)):
            with suppress(SealError):  # it waits for its key
                rows.append(self._row(found))
        return rows

    async def time(self, tx: AsyncConnection) -> datetime:
        """The clock that leases, `due` and `attempted_at` go by."""
        return (await tx.execute(select(self._database.moment()))).scalar_one()

    async def cancel(self, tx: AsyncConnection, conversation: str, *, purpose: str | None = None) -> int:
        """Takes back what was not taken up yet. Returns how many rows."""
        table = outbox_table.c
        waiting = and_(table.conversation == conversation, table.status.in_(_WAITING))
        if purpose is not None:
            waiting = and_(waiting, table.purpose == purpose)
        return (await tx.execute(update(outbox_table).where(waiting).values(status="cancelled", finished_at=self._database.now()))).rowcount

    async def of(self, tx: AsyncConnection, conversation: str, last: int = 100) -> list[OutboxRow]:
        """The latest messages of a conversation with what became of them, oldest first."""
        table, receipt = outbox_table.c, receipt_table.c
        told = and_(table.provider_id != "", receipt.channel == table.channel, receipt.provider_id == table.provider_id)
        query = select(outbox_table, receipt.status.label("delivery")).outerjoin(receipt_table, told)
        rows = (await tx.execute(query.where(table.conversation == conversation).order_by(table.id.desc()).limit(last))).all()
        return [self._row(found, found.delivery) for found in reversed(rows)]

    def _row(self, found: Row[Any], delivery: str | None = None) -> OutboxRow:
        message = Outgoing(
            payload=self._sealer.open(found.payload, "outbox", found.key),
            conversation=found.conversation,
            addresses=Addresses(found.channel, found.business, found.customer),
            purpose=found.purpose,
            priority=found.priority,
            not_before=found.not_before,
            key=found.key,
            broadcast=found.broadcast,
        )
        known = None if delivery is None else Status[delivery.upper()]
        return OutboxRow(
            found.id, message, found.status, found.attempts, found.due, found.provider_id, found.cause, known, found.attempted_at
        )


def _pair(row: OutboxRow) -> tuple[str, str]:
    return row.message.addresses.business, row.message.addresses.customer


def _unbegun(row: OutboxRow) -> ColumnElement[bool]:
    """This very taking up. Said twice, because the answer to the first was lost, it must not hold for the sender that has the row next,
    whose `attempts` are the same."""
    table = outbox_table.c
    return and_(table.id == row.id, table.attempts == row.attempts, table.attempted_at == row.attempted_at)


def _is(status: ColumnElement[str], *values: str) -> ColumnElement[bool]:
    """Compares with words written into the statement: given as parameters, SQLite would not know that a partial index holds the rows."""
    return status.in_([literal_column(f"'{value}'") for value in values])
