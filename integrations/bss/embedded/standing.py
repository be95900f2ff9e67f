"""Does the customer owe anything that is late?"""

from __future__ import annotations

from datetime import date

from ..billing import BillState, CustomerBill, PromiseStatus, PromiseToPay
from .store import Transaction
from .tables import TABLES

_B, _P = TABLES[CustomerBill].c, TABLES[PromiseToPay].c


async def overdue_bills(tx: Transaction, customer_id: str, today: date) -> tuple[CustomerBill, ...]:
    """Unpaid past their due date, oldest first; without those under dispute or promised for a later day."""
    late = await tx.select(
        CustomerBill,
        _B.customer_id == customer_id,
        _B.due_date < today.isoformat(),
        _B.state.not_in([BillState.PAID, BillState.DISPUTED, BillState.DRAFT]),
        order=[_B.bill_date],
    )
    if not late:
        return ()
    promises = await tx.select(
        PromiseToPay,
        _P.customer_id == customer_id,
        _P.status == PromiseStatus.OPEN.value,
        _P.promised_date >= today.isoformat(),
    )
    promised = {promise.bill_id for promise in promises}
    return tuple(bill for bill in late if bill.remaining_amount and bill.id not in promised)
