"""The desk that changes plans, and undoes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from ..billing import AppliedBillingRate, ChargeType
from ..catalog import Eligibility, OrderAction, OrderState, ProductOffering, ProductOrder
from ..errors import BssError, Code
from ..parties import Customer, Line
from .charges import account_charge
from .desk import new_id
from .offers import OfferingDesk, quote
from .rules import UNDO_DAYS, Cycle
from .store import Transaction
from .tables import TABLES, Undo

_O = TABLES[ProductOrder].c
_KINDS = {"P": (ChargeType.PRORATION, "proration"), "E": (ChargeType.EARLY_TERMINATION, "early_termination")}


class OrderDesk(OfferingDesk):
    async def order(self, order_id: str) -> ProductOrder:
        async with self._read("order") as tx:
            return await tx.get(ProductOrder, order_id)

    async def orders(self, customer_id: str) -> tuple[ProductOrder, ...]:
        async with self._read("orders") as tx:
            await tx.get(Customer, customer_id)
            return await tx.select(ProductOrder, _O.customer_id == customer_id, order=[_O.ordered.desc(), _O.id])

    async def order_plan_change(self, line_id: str, offering_id: str, key: str) -> ProductOrder:
        async def effect(tx: Transaction) -> ProductOrder:
            terms = await self._eligibility(tx, line_id, offering_id)
            if not terms.eligible:
                raise BssError(Code.NOT_ELIGIBLE, "the line cannot have this plan", tuple(r.value for r in terms.reasons))
            line = await tx.get(Line, line_id)
            order = _order(new_id("ORD", key), line, terms, self._now())
            await tx.add(order)
            if terms.effective_date <= self._today(self._offering(offering_id).market):
                order = await self._start(tx, order, line, terms)
            return order

        return await self._write("order_plan_change", key, (line_id, offering_id), effect)

    async def cancel_order(self, order_id: str, key: str) -> ProductOrder:
        async def effect(tx: Transaction) -> ProductOrder:
            order = await tx.get(ProductOrder, order_id)
            if order.state is OrderState.CANCELLED:
                raise BssError(Code.ALREADY_DONE, "the order is cancelled already")
            if order.state is OrderState.FAILED or self._now() > order.undo_until:
                raise BssError(Code.NOT_ELIGIBLE, "the order can no longer be undone", ("too_late",))
            if order.state is OrderState.COMPLETED:
                await self._put_back(tx, order)
            return await tx.change(order, state=OrderState.CANCELLED)

        return await self._write("cancel_order", key, (order_id,), effect)

    async def start_due_orders(self, tx: Transaction, line: Line, day: date) -> Line:
        """Carry out the waiting order of a line whose day has come; the line as it is then."""
        waiting = await tx.select(
            ProductOrder,
            _O.line_id == line.id,
            _O.state == OrderState.ACKNOWLEDGED.value,
            _O.effective_date <= day.isoformat(),
        )
        for order in waiting:
            current, new = self._offering(line.offering_id), self._offering(order.to_offering_id)
            customer = await tx.get(Customer, line.customer_id)
            # What it costs was agreed on the day it was ordered.
            cycle = Cycle.around(order.effective_date - timedelta(days=1), customer.bill_day)
            await self._start(tx, order, line, quote(line, current, new, cycle.end, cycle))
            line = await tx.get(Line, line.id)
        return line

    async def _start(self, tx: Transaction, order: ProductOrder, line: Line, terms: Eligibility) -> ProductOrder:
        """Switch the line over, and put the costs of the change on the next bill."""
        await tx.put(Undo(order.id, line))
        await tx.put(_switched(line, self._offering(order.to_offering_id), terms))
        for letter, amount in (("P", terms.proration), ("E", terms.early_termination_fee)):
            if amount:
                kind, code = _KINDS[letter]
                charge = account_charge(kind, self._sources.charges[code], amount, line.customer_id, terms.effective_date, line.id)
                await tx.add(replace(charge, id=_charge_id(order, letter)))
        return await tx.change(order, state=OrderState.COMPLETED)

    async def _put_back(self, tx: Transaction, order: ProductOrder) -> None:
        line, before = await tx.get(Line, order.line_id), await tx.find(Undo, order.id)
        if before is None or line.offering_id != order.to_offering_id:
            raise BssError(Code.NOT_ELIGIBLE, "the line has changed since this order", ("line_changed",))
        await tx.change(
            line,
            offering_id=before.line.offering_id,
            contract_end=before.line.contract_end,
            discounts=before.line.discounts,
            data_limit_gb=before.line.data_limit_gb,
            last_plan_change=before.line.last_plan_change,
        )
        for letter in _KINDS:
            charge = await tx.find(AppliedBillingRate, _charge_id(order, letter))
            if charge is None:
                continue
            if charge.bill_id is None:
                await tx.remove(AppliedBillingRate, charge.id)
            else:  # It was billed meanwhile: the next bill gives it back.
                name = self._sources.charges["proration_undone"]
                back = replace(charge, id=f"{charge.id}U", bill_id=None, type=ChargeType.CREDIT, code=name.code)
                await tx.add(replace(back, name=name.name, amount=-charge.amount))


def _order(order_id: str, line: Line, terms: Eligibility, now: datetime) -> ProductOrder:
    until = max(now + timedelta(days=UNDO_DAYS), datetime.combine(terms.effective_date, time(), UTC))
    return ProductOrder(
        id=order_id,
        customer_id=line.customer_id,
        line_id=line.id,
        action=OrderAction.CHANGE_PLAN,
        from_offering_id=line.offering_id,
        to_offering_id=terms.offering_id,
        state=OrderState.ACKNOWLEDGED,
        ordered=now,
        effective_date=terms.effective_date,
        undo_until=until,
        due_now=terms.due_now,
        monthly_price=terms.next_month,
    )


def _switched(line: Line, new: ProductOffering, terms: Eligibility) -> Line:
    kept = tuple(d for d in line.discounts if d.survives_plan_change)
    # A discount that ends with the old plan stays listed, so that the next bill's difference can be explained.
    ended = tuple(
        replace(d, ends=terms.effective_date - timedelta(days=1))
        for d in line.discounts
        if not d.survives_plan_change and (d.ends is None or d.ends >= terms.effective_date)
    )
    return replace(
        line,
        offering_id=new.id,
        contract_end=terms.contract_end,
        discounts=(*kept, *ended),
        data_limit_gb=new.data_gb,
        last_plan_change=terms.effective_date,
    )


def _charge_id(order: ProductOrder, letter: str) -> str:
    return f"CHG-{order.id.removeprefix('ORD-')}{letter}"
