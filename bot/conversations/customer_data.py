"""One customer's data: everything that is stored, in the clear, and its erasure.

A customer is an address (a phone number) or a set of conversations. Erasing leaves nothing a later turn could bring back: a turn that
is under way finds its conversation gone and cannot commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, delete, exists, false, func, or_, select, text, tuple_
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .encryption import Sealer
from .sealed import SEALED
from .tables import (
    attachment_table,
    claim_table,
    consent_table,
    conversation_table,
    effect_table,
    event_table,
    handoff_table,
    inbox_table,
    outbox_table,
    receipt_table,
    timer_table,
)


class CustomerData:
    """Export and erasure."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()

    async def export(self, *, customer: str = "", conversations: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """Every row about this customer, by table, as JSON, decrypted. Raises SealError when a key is missing."""
        async with self._database.write() as tx:  # one transaction, so that the tables agree
            known = await _conversations(tx, customer, conversations)
            found = [(table, await _rows(tx, table, where)) for table, where in _belonging(customer, known)]
        # Opened when the transaction is over: there may be many large files, and others want to write.
        return {table.name: [self._opened(table, row) for row in rows] for table, rows in found}

    def _opened(self, table: Table, found: Row[Any]) -> dict[str, Any]:
        row = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found._mapping.items()}
        for sealed in SEALED:
            if sealed.table is table and row[sealed.column] is not None:
                row[sealed.column] = self._sealer.open(row[sealed.column], table.name, sealed.row(found))
        return row

    async def erase(self, *, customer: str = "", conversations: Iterable[str] = (), keep_consent: bool = False) -> dict[str, int]:
        """Deletes every row about this customer and returns how many, by table.

        `keep_consent` leaves the ledger of stop and start, address included: without it a number that said stop may be written to
        again. Backups, and PostgreSQL's dead rows until the next vacuum, are outside its reach.
        """
        async with self._database.write() as tx:
            known = await _conversations(tx, customer, conversations)
            counts = await delete_rows(tx, customer, known, keep_consent=keep_consent)
        if not self._database.is_postgres:
            await self._empty_log()
        return counts

    async def _empty_log(self) -> None:
        """SQLite keeps earlier pages in its write-ahead log until it is emptied; a reader at work puts that off to the next time."""
        try:
            async with self._database.read() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        except OperationalError:
            return


async def delete_rows(tx: AsyncConnection, customer: str, conversations: Sequence[str], *, keep_consent: bool = False) -> dict[str, int]:
    """Deletes what belongs to an address ("" for none) and to conversations, in the caller's transaction. Rows by table."""
    counts: dict[str, int] = {}
    for table, where in _belonging(customer, conversations):
        if table is not consent_table or not keep_consent:
            counts[table.name] = (await tx.execute(delete(table).where(where))).rowcount
    return counts


async def _rows(tx: AsyncConnection, table: Table, where: ColumnElement[bool]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(table).where(where).order_by(*table.primary_key.columns))).all()


async def _conversations(tx: AsyncConnection, customer: str, given: Iterable[str]) -> list[str]:
    known = set(given)
    if customer:
        known |= set((await tx.execute(select(conversation_table.c.id).where(conversation_table.c.customer == customer))).scalars())
        # Conversations that have not had a turn yet. No index for this: it is asked once a year, and written a hundred times a second.
        for table in (inbox_table, outbox_table):
            rows = await tx.execute(select(table.c.conversation).where(table.c.customer == customer).distinct())
            known |= set(rows.scalars())
    return sorted(known - {""})


def _belonging(customer: str, conversations: Sequence[str]) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """What to look for, in the order to delete it: the conversation first, which turns lock first; receipts before the outbox."""

    def of(table: Table, column: str = "conversation") -> ColumnElement[bool]:
        return table.c[column].in_(conversations)

    def sent_to(table: Table) -> ColumnElement[bool]:
        return or_(of(table), table.c.customer == customer) if customer else of(table)

    sent = select(outbox_table.c.channel, outbox_table.c.provider_id).where(sent_to(outbox_table), outbox_table.c.provider_id != "")
    effects = or_(*(_effects_of(conversation) for conversation in conversations)) if conversations else false()
    return (
        (conversation_table, of(conversation_table, "id")),
        (event_table, of(event_table)),
        (handoff_table, of(handoff_table)),
        (inbox_table, sent_to(inbox_table)),
        (attachment_table, sent_to(attachment_table)),
        (receipt_table, tuple_(receipt_table.c.channel, receipt_table.c.provider_id).in_(sent)),
        (outbox_table, sent_to(outbox_table)),
        (timer_table, of(timer_table)),
        (claim_table, of(claim_table)),
        (effect_table, effects),
        (consent_table, consent_table.c.customer == customer if customer else false()),
    )


def _effects_of(conversation: str) -> ColumnElement[bool]:
    """Ledger keys begin with `<conversation>/`. A conversation named `a/b` is not one of `a`."""
    key, other = effect_table.c.key, conversation_table.alias().c
    prefix = func.substr(key, 1, func.length(other.id) + 1) == other.id + "/"
    longer = exists().where(other.id.startswith(f"{conversation}/", autoescape=True), prefix)
    return and_(key.startswith(f"{conversation}/", autoescape=True), ~longer)
