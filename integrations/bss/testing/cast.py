"""Who plays what in the contract's tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..models import (
    Market,
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays what: ids that hold in the system under test. Lines are the customer's first."""

    name: str = "Emma Carter"
    born: date = date(1988, 4, 12)
    customer: str = "CUS-10001"
    """In good standing, one unpaid bill not yet due, an active limited line, a stored card."""
    number: str = "+12025550101"
    line: str = "LIN-10001-1"
    last4: str = "4242"
    dearer: str = "us-5g-unlimited"
    cheaper: str = "us-5g-start"
    debtor: str = "CUS-10002"
    """One overdue bill older than the latest, its line suspended for it."""
    debtor_line: str = "LIN-10002-1"
    expired: str = "CUS-10004"
    """A line suspended because its contract ended."""
    expired_line: str = "LIN-10004-2"
    bound: str = "CUS-10006"
    """Under contract with a fee for leaving."""
    bound_line: str = "LIN-10006-1"
    outage_customer: str = "CUS-10005"
    outage_line: str = "LIN-10005-1"
    old_phone_line: str = "LIN-10102-1"
    """On a device without 5G and without eSIM."""
    five_g_there: str = "kr-5g-slim"
    market: Market = Market.US
    area: str = "us-dc"
