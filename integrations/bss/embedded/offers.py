"""The desk that knows the plans, and who may have which at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from rapidfuzz import fuzz

from ..catalog import Eligibility, EligibilityReason, Family, LifecycleStatus, OrderState, ProductOffering, ProductOrder
from ..errors import BssError, Code
from ..money import Money
from ..parties import Customer, Device, Line, LineStatus, Market
from .desk import Desk
from .rules import Cycle, add_months, months_left
from .standing import overdue_bills
from .store import Transaction
from .tables import TABLES

T = TypeVar("T")
LIKE = 78
"""How much alike, of 100, a misspelt name must be."""
_O = TABLES[ProductOrder].c


class OfferingDesk(Desk):
    async def offerings(self, market: Market, include_retired: bool = False) -> tuple[ProductOffering, ...]:
        await self.faults.before("offerings")
        found = [
            offering
            for offering in self._sources.offerings.values()
            if offering.market == market and (include_retired or offering.lifecycle_status is LifecycleStatus.ACTIVE)
        ]
        return tuple(sorted(found, key=lambda offering: (offering.price.amount, offering.id)))

    async def offering(self, offering_id: str) -> ProductOffering:
        await self.faults.before("offering")
        return self._offering(offering_id)

    async def find_offerings_by_name(self, name: str, market: Market) -> tuple[ProductOffering, ...]:
        return alike(name, [(o, (o.name.en, o.name.ko)) for o in await self.offerings(market)])

    async def eligibility(self, line_id: str, offering_id: str) -> Eligibility:
        async with self._read("eligibility") as tx:
            return await self._eligibility(tx, line_id, offering_id)

    def _offering(self, offering_id: str) -> ProductOffering:
        found = self._sources.offerings.get(offering_id)
        if found is None:
            raise BssError(Code.NOT_FOUND, f"no ProductOffering has the id {offering_id!r}")
        return found

    async def _eligibility(self, tx: Transaction, line_id: str, offering_id: str) -> Eligibility:
        line, customer = await self._with_customer(tx, line_id)
        current, new = self._offering(line.offering_id), self._offering(offering_id)
        today = self._today(customer.market)
        reasons = await self._reasons(tx, line, customer, new, today)
        if reasons:
            return _refusal(line, current, new, today, reasons)
        return quote(line, current, new, today, Cycle.around(today, customer.bill_day))

    async def _reasons(
        self, tx: Transaction, line: Line, customer: Customer, new: ProductOffering, today: date
    ) -> tuple[EligibilityReason, ...]:
        reasons = []
        if line.status is not LineStatus.ACTIVE:
            reasons.append(EligibilityReason.LINE_NOT_ACTIVE)
        if new.market is not customer.market:
            reasons.append(EligibilityReason.OTHER_MARKET)
        if new.id == line.offering_id:
            reasons.append(EligibilityReason.ALREADY_ON_PLAN)
        elif new.lifecycle_status is not LifecycleStatus.ACTIVE:
            reasons.append(EligibilityReason.OFFERING_NOT_SOLD)
        device = await tx.find(Device, line.device_id) if line.device_id else None
        if new.family is Family.FIVE_G and device is not None and not device.five_g:
            reasons.append(EligibilityReason.DEVICE_NOT_5G)
        if await overdue_bills(tx, customer.id, today):
            reasons.append(EligibilityReason.OVERDUE_BILL)
        waiting = [OrderState.ACKNOWLEDGED.value, OrderState.IN_PROGRESS.value]
        if await tx.select(ProductOrder, _O.line_id == line.id, _O.state.in_(waiting), limit=1):
            reasons.append(EligibilityReason.ORDER_OPEN)
        return tuple(reasons)


def quote(line: Line, current: ProductOffering, new: ProductOffering, today: date, cycle: Cycle) -> Eligibility:
    """What the change costs and when it starts. Pure."""
    currency = new.price.currency
    zero = Money.zero(currency)
    dearer = new.price >= current.price
    effective = today if dearer else cycle.end + timedelta(days=1)
    left = Decimal((cycle.end - today).days + 1)
    proration = Money.of((new.price - current.price).amount * left / cycle.days, currency) if dearer else zero
    running = line.contract_end is not None and line.contract_end >= effective
    fee = zero
    if running and not dearer and line.contract_end is not None:
        fee = current.early_termination_per_month * months_left(effective, line.contract_end)
    if dearer and running:
        contract_end = line.contract_end
    else:
        contract_end = add_months(effective, new.contract_months) - timedelta(days=1) if new.contract_months else None
    valid = [discount for discount in line.discounts if discount.ends is None or discount.ends >= effective]
    kept = Money.total((d.amount for d in valid if d.survives_plan_change), currency)
    lost = Money.total((d.amount for d in valid if not d.survives_plan_change), currency)
    return Eligibility(
        line_id=line.id,
        offering_id=new.id,
        eligible=True,
        reasons=(),
        current_price=current.price,
        new_price=new.price,
        proration=proration,
        early_termination_fee=fee,
        next_month=max(new.price - kept, zero),
        discounts_lost=lost,
        effective_date=effective,
        contract_end=contract_end,
    )


def _refusal(
    line: Line, current: ProductOffering, new: ProductOffering, today: date, reasons: tuple[EligibilityReason, ...]
) -> Eligibility:
    zero = Money.zero(current.price.currency)
    return Eligibility(line.id, new.id, False, reasons, current.price, new.price, zero, zero, zero, zero, today, line.contract_end)


def alike(text: str, named: Sequence[tuple[T, tuple[str, ...]]]) -> tuple[T, ...]:
    """The things some words may mean: the one called so, else one whose name is inside what was said, else those
    with the words inside a name, else what is spelt much like it."""
    asked = _plain(text)
    if not asked:
        return ()
    names = [(thing, tuple(_plain(name) for name in called)) for thing, called in named]
    exact = tuple(thing for thing, called in names if asked in called)
    if exact:
        return exact
    inside = [(max(len(c) for c in called if c in asked), t) for t, called in names if any(c in asked for c in called)]
    if inside:
        longest = max(length for length, _ in inside)
        return tuple(thing for length, thing in inside if length == longest)
    partly = tuple(thing for thing, called in names if any(asked in c for c in called))
    if partly:
        return partly
    scored = [(max(fuzz.ratio(asked, c) for c in called), t) for t, called in names]
    scored = sorted((pair for pair in scored if pair[0] >= LIKE), key=lambda pair: -pair[0])
    return tuple(thing for _, thing in scored[:3])


def _plain(text: str) -> str:
    """Without spaces, case and the word "plan": customers say all of these differently."""
    words = "".join(character for character in text.casefold() if character.isalnum())
    for filler in ("plan", "요금제"):
        words = words.removesuffix(filler)
    return words
