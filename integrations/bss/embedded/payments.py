"""The desk that takes money, or a promise of it."""

from __future__ import annotations

from datetime import date, timedelta

from ..billing import (
    BillState,
    CustomerBill,
    Payment,
    PaymentRequest,
    PaymentRequestStatus,
    PaymentStatus,
    PromiseStatus,
    PromiseToPay,
)
from ..errors import BssError, Code
from ..money import Money
from ..parties import Customer, PaymentMethod
from .bills import cancel_requests
from .desk import Desk, new_id
from .rules import EXTENSION_GAP_DAYS, PROMISE_DAYS
from .store import Transaction
from .tables import TABLES

_P, _Q, _M = TABLES[Payment].c, TABLES[PaymentRequest].c, TABLES[PromiseToPay].c


class PaymentDesk(Desk):
    async def payments(self, customer_id: str, limit: int = 12) -> tuple[Payment, ...]:
        async with self._read("payments") as tx:
            await tx.get(Customer, customer_id)
            order = [_P.paid_at.desc(), _P.id]
            return await tx.select(Payment, _P.customer_id == customer_id, order=order, limit=max(limit, 0))

    async def payment_requests(self, customer_id: str) -> tuple[PaymentRequest, ...]:
        async with self._read("payment_requests") as tx:
            await tx.get(Customer, customer_id)
            return await tx.select(PaymentRequest, _Q.customer_id == customer_id, order=[_Q.created.desc(), _Q.id])

    async def promises(self, customer_id: str) -> tuple[PromiseToPay, ...]:
        async with self._read("promises") as tx:
            await tx.get(Customer, customer_id)
            return await tx.select(PromiseToPay, _M.customer_id == customer_id, order=[_M.created.desc(), _M.id])

    async def send_payment_request(self, customer_id: str, bill_id: str, key: str) -> PaymentRequest:
        async def effect(tx: Transaction) -> PaymentRequest:
            customer = await tx.get(Customer, customer_id)
            bill = await tx.get(CustomerBill, bill_id)
            if bill.customer_id != customer_id:
                raise BssError(Code.NOT_FOUND, f"this customer has no CustomerBill with the id {bill_id!r}")
            _must_be_open(bill)
            if bill.state is BillState.DISPUTED:
                raise BssError(Code.NOT_ELIGIBLE, "the bill is disputed", ("disputed",))
            sent = _Q.status == PaymentRequestStatus.SENT.value
            if await tx.select(PaymentRequest, _Q.customer_id == customer_id, sent, limit=1):
                raise BssError(Code.CONFLICT, "a payment request is out for this customer: one at a time")
            identity = new_id("REQ", key)
            page = self._sources.terms[customer.market].payment_page
            request = PaymentRequest(
                id=identity,
                customer_id=customer_id,
                bill_id=bill_id,
                amount=bill.remaining_amount,
                status=PaymentRequestStatus.SENT,
                url=f"{page}/{identity.removeprefix('REQ-').lower()}",
                created=self._now(),
            )
            await tx.add(request)
            await tx.change(bill, state=BillState.AWAITING_PAYMENT)
            return request

        return await self._write("send_payment_request", key, (customer_id, bill_id), effect)

    async def cancel_payment_request(self, request_id: str, key: str) -> PaymentRequest:
        async def effect(tx: Transaction) -> PaymentRequest:
            request = await self._sent(tx, request_id)
            bill = await tx.get(CustomerBill, request.bill_id)
            customer = await tx.get(Customer, request.customer_id)
            if bill.state is BillState.AWAITING_PAYMENT:
                late = bill.due_date < self._today(customer.market)
                await tx.change(bill, state=BillState.OVERDUE if late else BillState.ISSUED)
            return await tx.change(request, status=PaymentRequestStatus.CANCELLED)

        return await self._write("cancel_payment_request", key, (request_id,), effect)

    async def settle_payment_request(self, request_id: str, key: str) -> Payment:
        async def effect(tx: Transaction) -> Payment:
            request = await self._sent(tx, request_id)
            bill = await tx.get(CustomerBill, request.bill_id)
            await tx.change(request, status=PaymentRequestStatus.PAID)
            return await self.take(tx, bill, new_id("PAY", key), "payment_link", None)

        return await self._write("settle_payment_request", key, (request_id,), effect)

    async def pay_bill(self, bill_id: str, last4: str, key: str) -> Payment:
        async def effect(tx: Transaction) -> Payment:
            bill = await tx.get(CustomerBill, bill_id)
            customer = await tx.get(Customer, bill.customer_id)
            _must_be_open(bill)
            method = next((method for method in customer.payment_methods if method.last4 == last4), None)
            if method is None:
                raise BssError(Code.NOT_FOUND, "the customer has no such payment method")
            if _has_run_out(method, self._today(customer.market)):
                raise BssError(Code.NOT_ELIGIBLE, "the payment method has run out", ("method_expired",))
            await cancel_requests(tx, bill.id)
            return await self.take(tx, bill, new_id("PAY", key), "stored_method", last4)

        return await self._write("pay_bill", key, (bill_id, last4), effect)

    async def promise_to_pay(self, bill_id: str, promised: date, key: str) -> PromiseToPay:
        async def effect(tx: Transaction) -> PromiseToPay:
            bill = await tx.get(CustomerBill, bill_id)
            customer = await tx.get(Customer, bill.customer_id)
            today = self._today(customer.market)
            _must_be_open(bill)
            if not today <= promised <= today + timedelta(days=PROMISE_DAYS):
                raise BssError(Code.INVALID, f"a promised day is from today to {PROMISE_DAYS} days away")
            if bill.state is BillState.DISPUTED:
                raise BssError(Code.NOT_ELIGIBLE, "the bill is disputed", ("disputed",))
            last = customer.last_extension_date
            if last is not None and last > today - timedelta(days=EXTENSION_GAP_DAYS):
                raise BssError(Code.NOT_ELIGIBLE, "the last extension was too recent", ("recent_extension",))
            await tx.change(customer, last_extension_date=today)
            promise = PromiseToPay(
                id=new_id("PRO", key),
                customer_id=customer.id,
                bill_id=bill.id,
                amount=bill.remaining_amount,
                promised_date=promised,
                status=PromiseStatus.OPEN,
                created=self._now(),
            )
            await tx.add(promise)
            return promise

        return await self._write("promise_to_pay", key, (bill_id, promised), effect)

    async def take(self, tx: Transaction, bill: CustomerBill, identity: str, method: str, last4: str | None) -> Payment:
        """Record a payment of all a bill owes. Part of the operator, not of the port."""
        amount = bill.remaining_amount
        payment = Payment(
            id=identity,
            customer_id=bill.customer_id,
            bill_id=bill.id,
            amount=amount,
            method=method,
            last4=last4,
            status=PaymentStatus.DONE,
            paid_at=self._now(),
        )
        await tx.add(payment)
        nothing = Money.zero(amount.currency)
        await tx.change(bill, state=BillState.PAID, remaining_amount=nothing, dispute_reason=None)
        for promise in await tx.select(PromiseToPay, _M.bill_id == bill.id, _M.status == PromiseStatus.OPEN.value):
            await tx.change(promise, status=PromiseStatus.KEPT)
        return payment

    async def _sent(self, tx: Transaction, request_id: str) -> PaymentRequest:
        request = await tx.get(PaymentRequest, request_id)
        if request.status is not PaymentRequestStatus.SENT:
            raise BssError(Code.ALREADY_DONE, f"the payment request is {request.status.value}")
        return request


def _must_be_open(bill: CustomerBill) -> None:
    if bill.state is BillState.DRAFT:
        raise BssError(Code.NOT_ELIGIBLE, "the bill is a draft", ("draft",))
    if not bill.remaining_amount:
        raise BssError(Code.ALREADY_DONE, "nothing is owed on this bill")


def _has_run_out(method: PaymentMethod, today: date) -> bool:
    if method.expires is None:
        return False
    month, year = (int(part) for part in method.expires.split("/"))
    return (year, month) < (today.year, today.month)
