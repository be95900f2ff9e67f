"""The desk that shows, compares, disputes and credits bills."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import case

from ..billing import (
    AppliedBillingRate,
    BillComparison,
    BillState,
    ChargeType,
    CustomerBill,
    PaymentRequest,
    PaymentRequestStatus,
)
from ..comparison import compare_bills
from ..errors import BssError, Code
from ..money import Money
from ..parties import Customer
from .charges import account_charge
from .desk import Desk, new_id
from .store import Transaction
from .tables import TABLES

_B, _R, _Q = TABLES[CustomerBill].c, TABLES[AppliedBillingRate].c, TABLES[PaymentRequest].c
# The tax line is last; every other one has its place in its id.
_PRINTED = [case((_R.type == ChargeType.TAX.value, 1), else_=0), _R.line_id.is_(None), _R.line_id, _R.date.desc(), _R.id]


async def cancel_requests(tx: Transaction, bill_id: str) -> None:
    """Whatever pays or disputes a bill makes the links sent for it useless."""
    sent = _Q.status == PaymentRequestStatus.SENT.value
    for request in await tx.select(PaymentRequest, _Q.bill_id == bill_id, sent):
        await tx.change(request, status=PaymentRequestStatus.CANCELLED)


class BillDesk(Desk):
    async def bills(self, customer_id: str, limit: int = 12) -> tuple[CustomerBill, ...]:
        async with self._read("bills") as tx:
            await tx.get(Customer, customer_id)
            where = _B.customer_id == customer_id
            return await tx.select(CustomerBill, where, order=[_B.bill_date.desc()], limit=max(limit, 0))

    async def bill(self, bill_id: str) -> CustomerBill:
        async with self._read("bill") as tx:
            return await tx.get(CustomerBill, bill_id)

    async def bill_lines(self, bill_id: str) -> tuple[AppliedBillingRate, ...]:
        async with self._read("bill_lines") as tx:
            await tx.get(CustomerBill, bill_id)
            return await tx.select(AppliedBillingRate, _R.bill_id == bill_id, order=_PRINTED)

    async def unbilled_charges(self, customer_id: str) -> tuple[AppliedBillingRate, ...]:
        async with self._read("unbilled_charges") as tx:
            await tx.get(Customer, customer_id)
            where = (_R.customer_id == customer_id, _R.bill_id.is_(None))
            return await tx.select(AppliedBillingRate, *where, order=[_R.date, _R.id])

    async def compare_bills(self, bill_id: str, previous_id: str | None = None) -> BillComparison:
        async with self._read("compare_bills") as tx:
            bill = await tx.get(CustomerBill, bill_id)
            previous = await self._previous(tx, bill, previous_id)
            lines = await tx.select(AppliedBillingRate, _R.bill_id == bill.id, order=_PRINTED)
            before = await tx.select(AppliedBillingRate, _R.bill_id == previous.id, order=_PRINTED)
        return compare_bills(bill, lines, previous, before)

    async def _previous(self, tx: Transaction, bill: CustomerBill, previous_id: str | None) -> CustomerBill:
        if previous_id is None:
            found = await tx.select(
                CustomerBill,
                _B.customer_id == bill.customer_id,
                _B.bill_date < bill.bill_date.isoformat(),
                order=[_B.bill_date.desc()],
                limit=1,
            )
            if not found:
                raise BssError(Code.NOT_FOUND, f"there is no bill before {bill.id}")
            return found[0]
        previous = await tx.get(CustomerBill, previous_id)
        if previous.customer_id != bill.customer_id:
            raise BssError(Code.NOT_FOUND, f"this customer has no CustomerBill with the id {previous_id!r}")
        if previous.bill_date >= bill.bill_date:
            raise BssError(Code.INVALID, "a bill is compared with an earlier one")
        return previous

    async def dispute_bill(self, bill_id: str, reason: str, key: str) -> CustomerBill:
        async def effect(tx: Transaction) -> CustomerBill:
            bill = await tx.get(CustomerBill, bill_id)
            if bill.state is BillState.DISPUTED:
                raise BssError(Code.ALREADY_DONE, "the bill is disputed already")
            if bill.state in (BillState.PAID, BillState.DRAFT):
                raise BssError(Code.NOT_ELIGIBLE, f"a {bill.state.value} bill cannot be disputed", (bill.state.value,))
            await cancel_requests(tx, bill.id)
            return await tx.change(bill, state=BillState.DISPUTED, dispute_reason=reason)

        return await self._write("dispute_bill", key, (bill_id, reason), effect)

    async def withdraw_dispute(self, bill_id: str, key: str) -> CustomerBill:
        async def effect(tx: Transaction) -> CustomerBill:
            bill = await tx.get(CustomerBill, bill_id)
            if bill.state is not BillState.DISPUTED:
                raise BssError(Code.ALREADY_DONE, "the bill is not disputed")
            customer = await tx.get(Customer, bill.customer_id)
            late = bill.due_date < self._today(customer.market)
            state = BillState.OVERDUE if late else BillState.ISSUED
            return await tx.change(bill, state=state, dispute_reason=None)

        return await self._write("withdraw_dispute", key, (bill_id,), effect)

    async def give_credit(self, customer_id: str, amount: Money, reason: str, key: str) -> AppliedBillingRate:
        async def effect(tx: Transaction) -> AppliedBillingRate:
            customer = await tx.get(Customer, customer_id)
            if amount.currency != customer.currency or amount.amount <= 0:
                raise BssError(Code.INVALID, f"a credit is an amount above zero in {customer.currency}")
            used = customer.goodwill_credit_used + amount
            if used > self._sources.terms[customer.market].goodwill_per_year:
                raise BssError(Code.NOT_ELIGIBLE, "the year's goodwill is used up", ("allowance_used",))
            await tx.change(customer, goodwill_credit_used=used)
            name, today = self._sources.charges["goodwill"], self._today(customer.market)
            credit = account_charge(ChargeType.CREDIT, name, -amount, customer.id, today)
            credit = replace(credit, id=new_id("CHG", key))
            await tx.add(credit)
            return credit

        return await self._write("give_credit", key, (customer_id, amount, reason), effect)
