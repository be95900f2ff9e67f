"""The desk that keeps tickets."""

from __future__ import annotations

from ..care import Severity, TicketKind, TicketNote, TicketStatus, TroubleTicket
from ..errors import BssError, Code
from ..ownership import owner_of
from ..parties import Customer
from .desk import Desk, new_id
from .directory import find_entity
from .store import Transaction
from .tables import TABLES

_T = TABLES[TroubleTicket].c


class TicketDesk(Desk):
    async def create_ticket(
        self,
        customer_id: str,
        kind: TicketKind,
        description: str,
        key: str,
        *,
        severity: Severity = Severity.MINOR,
        related_id: str | None = None,
    ) -> TroubleTicket:
        kind, severity = TicketKind(kind), Severity(severity)

        async def effect(tx: Transaction) -> TroubleTicket:
            await tx.get(Customer, customer_id)
            if not description.strip():
                raise BssError(Code.INVALID, "a ticket needs a description")
            if related_id is not None:
                related = await find_entity(tx, related_id)
                if related is None or owner_of(related) not in (None, customer_id):
                    raise BssError(Code.NOT_FOUND, f"this customer has nothing with the id {related_id!r}")
            now = self._now()
            ticket = TroubleTicket(
                id=new_id("TIC", key),
                customer_id=customer_id,
                kind=kind,
                description=description,
                severity=severity,
                status=TicketStatus.ACKNOWLEDGED,
                related_id=related_id,
                created=now,
                updated=now,
                notes=(),
            )
            await tx.add(ticket)
            return ticket

        return await self._write("create_ticket", key, (customer_id, kind, description, severity, related_id), effect)

    async def ticket(self, ticket_id: str) -> TroubleTicket:
        async with self._read("ticket") as tx:
            return await tx.get(TroubleTicket, ticket_id)

    async def tickets(self, customer_id: str, open_only: bool = False) -> tuple[TroubleTicket, ...]:
        async with self._read("tickets") as tx:
            await tx.get(Customer, customer_id)
            found = await tx.select(TroubleTicket, _T.customer_id == customer_id, order=[_T.created.desc(), _T.id])
        done = (TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.CANCELLED)
        return tuple(ticket for ticket in found if not open_only or ticket.status not in done)

    async def update_ticket(
        self,
        ticket_id: str,
        key: str,
        *,
        note: str | None = None,
        author: str = "bot",
        status: TicketStatus | None = None,
    ) -> TroubleTicket:
        async def effect(tx: Transaction) -> TroubleTicket:
            ticket = await tx.get(TroubleTicket, ticket_id)
            if not (note and note.strip()) and status is None:
                raise BssError(Code.INVALID, "update_ticket needs a note or a status")
            if ticket.status.final:
                raise BssError(Code.NOT_ELIGIBLE, f"the ticket is {ticket.status.value}", (ticket.status.value,))
            now = self._now()
            notes = (*ticket.notes, TicketNote(author, note.strip(), now)) if note and note.strip() else ticket.notes
            new = ticket.status if status is None else TicketStatus(status)
            return await tx.change(ticket, notes=notes, status=new, updated=now)

        return await self._write("update_ticket", key, (ticket_id, note, author, status), effect)
