"""Who may be written to: a ledger of STOP and START by pair of addresses, the operator's and the customer's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from .addresses import Addresses
from .database import Database
from .tables import consent_table

ConsentKind = Literal["stop", "start"]


class Consent:
    """The ledger is only added to; the entry that came last holds. Without entries a customer may be written to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        entry, later = consent_table.c, consent_table.alias().c
        newer = exists().where(later.customer == entry.customer, later.business == entry.business, later.id > entry.id)
        asked = tuple_(entry.business, entry.customer).in_(bindparam("asked", expanding=True))
        self._stopped = select(entry.business, entry.customer).where(asked, entry.kind == "stop", ~newer)

    async def record(self, tx: AsyncConnection, event_id: str, kind: ConsentKind, addresses: Addresses, at: datetime) -> bool:
        """Enters what a customer said, once an event. False when the event was entered before."""
        row = {"event_id": event_id, "kind": kind, "at": at, **addresses.columns()}
        entry = self._database.insert(consent_table).values(row).on_conflict_do_nothing().returning(consent_table.c.id)
        return (await tx.execute(entry)).scalar_one_or_none() is not None

    async def is_stopped(self, tx: AsyncConnection, business: str, customer: str) -> bool:
        """Whether this customer told this address of the operator to stop."""
        return (business, customer) in await self.stopped(tx, [(business, customer)])

    async def stopped(self, tx: AsyncConnection, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these pairs (business, customer) may not be written to. Ask in the transaction that sends."""
        asked = sorted(set(pairs))
        if not asked:
            return set()
        return {(row.business, row.customer) for row in await tx.execute(self._stopped, {"asked": asked})}

    async def history(self, tx: AsyncConnection, customer: str) -> list[tuple[str, ConsentKind, datetime]]:
        """All a customer said: the operator's address, stop or start, when; oldest first."""
        entry = consent_table.c
        rows = await tx.execute(select(entry.business, entry.kind, entry.at).where(entry.customer == customer).order_by(entry.id))
        return [(row.business, row.kind, row.at) for row in rows]
