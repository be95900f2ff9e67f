"""What became of messages that a provider took. Receipts come late, twice and out of order; what is known only ever grows."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Status
from bot.channels.receipts import merge

from .database import Database
from .tables import receipt_table


class Receipts:
    """One row a message, by channel and the provider's id. It may come before the sender has noted that id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, tx: AsyncConnection, channel: str, provider_id: str, delivery: Status, error_code: str = "") -> Status:
        """Merges a receipt in and returns what is known now. The error code is the one of the receipt that holds."""
        table, now = receipt_table.c, self._database.now()
        row = {"channel": channel, "provider_id": provider_id, "status": delivery.word, "error_code": error_code}
        first = self._database.insert(receipt_table).values(first_at=now, updated_at=now, **row).on_conflict_do_nothing()
        if (await tx.execute(first.returning(table.status))).scalar_one_or_none() is not None:
            return delivery
        here = (table.channel == channel) & (table.provider_id == provider_id)
        known = (await tx.execute(select(table.status).where(here).with_for_update())).scalar_one()
        old = Status[known.upper()]
        merged = merge(old, delivery)
        if merged is not old:
            await tx.execute(update(receipt_table).where(here).values(status=merged.word, error_code=error_code, updated_at=now))
        return merged

    async def find(self, tx: AsyncConnection, channel: str, provider_id: str) -> tuple[Status, str] | None:
        """What is known, and the error code."""
        table = receipt_table.c
        query = select(table.status, table.error_code).where(table.channel == channel, table.provider_id == provider_id)
        row = (await tx.execute(query)).one_or_none()
        return None if row is None else (Status[row.status.upper()], row.error_code)
