"""Requests for a plan change on a later day, as tickets: written by `plan_change`, found again by the order questions.

The operator's system starts a dearer plan on the day it is ordered. When a customer would rather start with the next
bill, their wish goes to the order team as a ticket with these words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.bss.models import TicketKind, TicketStatus, TroubleTicket

_WORDS = re.compile(r"Plan change requested: (?P<line>\S+) to (?P<plan>\S+) from (?P<start>\d{4}-\d\d-\d\d)\.")


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to change a plan on a day."""

    ticket: TroubleTicket
    line_id: str
    plan_id: str
    start: str
    """ISO date."""

    @property
    def open(self) -> bool:
        return self.ticket.status in (TicketStatus.ACKNOWLEDGED, TicketStatus.IN_PROGRESS, TicketStatus.PENDING)


def request_text(line_id: str, plan_id: str, start: str) -> str:
    """What the order team reads, and `read_request` recognises."""
    return f"Plan change requested: {line_id} to {plan_id} from {start}."


def read_request(ticket: TroubleTicket) -> Request | None:
    """The request a ticket is; None for any other ticket."""
    match = _WORDS.match(ticket.description) if ticket.kind is TicketKind.ORDER else None
    return Request(ticket, match["line"], match["plan"], match["start"]) if match else None


def requests(tickets: Iterable[TroubleTicket]) -> list[Request]:
    return [request for ticket in tickets if (request := read_request(ticket)) is not None]
