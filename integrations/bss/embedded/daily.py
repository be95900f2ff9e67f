"""The work of a day: orders that start, payments that are due, bills that are made. A database kept for months lives on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ..billing import AppliedBillingRate, BillState, ChargeType, CustomerBill, PromiseStatus, PromiseToPay
from ..catalog import OrderState, ProductOrder
from ..money import Money
from ..parties import Customer, Device, Line, LineStatus, Usage
from .charges import LineMonth, account_charge, make_bill, month_charges
from .orders import OrderDesk
from .payments import PaymentDesk
from .rules import Cycle
from .standing import overdue_bills
from .store import Transaction
from .tables import TABLES, Fact

_B, _L, _O, _P = (TABLES[kind].c for kind in (CustomerBill, Line, ProductOrder, PromiseToPay))
_R, _U = TABLES[AppliedBillingRate].c, TABLES[Usage].c


class DailyDesk(OrderDesk, PaymentDesk):
    async def run_day(self) -> int:
        """Bring every account up to today and answer how many bills were made. Doing it twice changes nothing."""
        made = 0
        async with self._store.write() as tx:
            year = str(self._now().year)
            fact = await tx.find(Fact, "goodwill_year")
            for customer in await tx.select(Customer):
                if fact is None or fact.value != year:
                    zero = Money.zero(customer.currency)
                    customer = await tx.change(customer, goodwill_credit_used=zero) if fact else customer
                made += await self._bring_up_to_date(tx, customer)
            await tx.put(Fact("goodwill_year", year))
        return made

    async def _bring_up_to_date(self, tx: Transaction, customer: Customer) -> int:
        today = self._today(customer.market)
        newest = await tx.select(CustomerBill, _B.customer_id == customer.id, order=[_B.bill_date.desc()], limit=1)
        first = newest[0].period_end + timedelta(days=1) if newest else customer.since
        cycle, made = Cycle.starting(first), 0
        while cycle.bill_date <= today:
            # Money that came due before this bill is taken first: it decides about a late fee.
            await self._collect(tx, customer, cycle.bill_date)
            await self._make_bill(tx, customer, cycle)
            cycle, made = cycle.shifted(1), made + 1
        for line in await self._open_lines(tx, customer):
            await self.start_due_orders(tx, line, today)
        await self._collect(tx, customer, today)
        return made

    async def _open_lines(self, tx: Transaction, customer: Customer) -> tuple[Line, ...]:
        return await tx.select(Line, _L.customer_id == customer.id, _L.status != LineStatus.CLOSED.value, order=[_L.id])

    async def _collect(self, tx: Transaction, customer: Customer, today: date) -> None:
        """Auto-pay what is due, mark what is late, see which promises were broken."""
        unpaid = [BillState.ISSUED.value, BillState.AWAITING_PAYMENT.value]
        due = await tx.select(
            CustomerBill,
            _B.customer_id == customer.id,
            _B.state.in_(unpaid),
            _B.due_date < today.isoformat(),
        )
        for bill in due:
            if customer.auto_pay and customer.payment_methods and bill.state is BillState.ISSUED:
                identity = f"PAY-{bill.id.removeprefix('BIL-')}"
                await self.take(tx, bill, identity, "auto_pay", customer.payment_methods[0].last4)
            elif bill.state is BillState.ISSUED:
                await tx.change(bill, state=BillState.OVERDUE)
        broken = await tx.select(
            PromiseToPay,
            _P.customer_id == customer.id,
            _P.status == PromiseStatus.OPEN.value,
            _P.promised_date < today.isoformat(),
        )
        for promise in broken:
            await tx.change(promise, status=PromiseStatus.BROKEN)

    async def _make_bill(self, tx: Transaction, customer: Customer, cycle: Cycle) -> None:
        charges = self._sources.charges
        rates: list[AppliedBillingRate] = []
        for line in await self._open_lines(tx, customer):
            line = await self.start_due_orders(tx, line, cycle.start)
            if line.status is LineStatus.PENDING_ACTIVATION or line.activated > cycle.end:
                continue
            month = await self._month(tx, line, cycle)
            rates += month_charges(month, cycle, customer.id, charges)
            await self._next_cycle(tx, line, month, cycle)
        if await overdue_bills(tx, customer.id, cycle.bill_date):
            fee = charges["late_fee"]
            rates.append(account_charge(ChargeType.LATE_FEE, fee, fee.amount[customer.market], customer.id, cycle.end))
        rates += await tx.select(
            AppliedBillingRate,
            _R.customer_id == customer.id,
            _R.bill_id.is_(None),
            _R.date <= cycle.end.isoformat(),
        )
        tax_rate = self._sources.places[customer.area_id].area.tax_rate
        bill, lines = make_bill(customer, cycle, rates, tax_rate, charges["tax"])
        await tx.add(bill)
        for rate in lines:
            await tx.put(rate)

    async def _month(self, tx: Transaction, line: Line, cycle: Cycle) -> LineMonth:
        # A dearer plan that started inside the cycle was charged by proration: the cycle itself is the old plan's.
        changed = await tx.select(
            ProductOrder,
            _O.line_id == line.id,
            _O.state == OrderState.COMPLETED.value,
            _O.effective_date > cycle.start.isoformat(),
            order=[_O.ordered],
            limit=1,
        )
        used = await tx.select(Usage, _U.line_id == line.id, _U.start == cycle.start.isoformat(), limit=1)
        device = await tx.find(Device, line.device_id) if line.device_id else None
        return LineMonth(
            line_id=line.id,
            offering=self._offering(changed[0].from_offering_id if changed else line.offering_id),
            discounts=line.discounts,
            instalment=device.instalment if device is not None and device.instalments_left > 0 else None,
            data_gb=line.data_used_gb,
            top_up_gb=line.data_top_up_gb,
            roaming_days=used[0].roaming_days if used else 0,
        )

    async def _next_cycle(self, tx: Transaction, line: Line, month: LineMonth, cycle: Cycle) -> None:
        following = cycle.shifted(1)
        none = Decimal(0)
        identity = f"USE-{line.id.removeprefix('LIN-')}-{following.bill_date:%Y%m}"
        await tx.put(Usage(identity, line.customer_id, line.id, following.start, following.end, none, 0, 0, none, 0))
        await tx.change(line, data_used_gb=none, data_top_up_gb=none)
        if month.instalment is not None and line.device_id is not None:
            device = await tx.get(Device, line.device_id)
            left = device.instalments_left - 1
            await tx.put(replace(device, instalments_left=left, instalment=device.instalment if left else None))
