"""What a line costs in a cycle, and a bill made of it. Pure: used by the seed and by the bill run alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from ..billing import AppliedBillingRate, BillState, ChargeType, CustomerBill
from ..catalog import ProductOffering
from ..money import Money
from ..parties import Customer, Discount
from .rules import DUE_DAYS, VAT, Cycle
from .sources import Charge

UNTAXED = frozenset({ChargeType.DEVICE_INSTALMENT, ChargeType.LATE_FEE})
PRINTED = {kind: place for place, kind in enumerate(ChargeType)}


@dataclass(frozen=True, slots=True)
class LineMonth:
    """What one line had and used in one cycle."""

    line_id: str
    offering: ProductOffering
    discounts: tuple[Discount, ...]
    instalment: Money | None
    data_gb: Decimal
    top_up_gb: Decimal
    roaming_days: int


def month_charges(month: LineMonth, cycle: Cycle, customer_id: str, names: Mapping[str, Charge]) -> list[AppliedBillingRate]:
    """Plan, extra data, roaming, instalment and discounts of one line. Their ids and bill are set by `make_bill`."""
    offering = month.offering

    def rate(kind: ChargeType, code: str, amount: Money, quantity: Decimal | None = None, unit: str | None = None) -> AppliedBillingRate:
        name = offering.name if kind is ChargeType.PLAN else names[code].name
        return AppliedBillingRate("", customer_id, None, month.line_id, kind, code, name, amount, quantity, unit, cycle.end)

    rates = [rate(ChargeType.PLAN, offering.id, offering.price)]
    if offering.data_gb is not None:
        over = month.data_gb - offering.data_gb - month.top_up_gb
        if over > 0:
            gb = over.to_integral_value(ROUND_CEILING)
            rates.append(rate(ChargeType.EXTRA_DATA, "extra_data", offering.top_up_price * gb, gb, "gb"))
    if month.roaming_days and offering.roaming_day_price:
        days = Decimal(month.roaming_days)
        rates.append(rate(ChargeType.ROAMING, "roaming", offering.roaming_day_price * days, days, "day"))
    if month.instalment is not None:
        rates.append(rate(ChargeType.DEVICE_INSTALMENT, "device_instalment", month.instalment))
    left = offering.price
    for discount in month.discounts:
        if left and (discount.ends is None or discount.ends >= cycle.end):
            # A plan can become free, never a gift of money.
            amount = min(discount.amount, left)
            rates.append(rate(ChargeType.DISCOUNT, discount.code, -amount))
            left -= amount
    return rates


def account_charge(
    kind: ChargeType, charge: Charge, amount: Money, customer_id: str, day: date, line_id: str | None = None
) -> AppliedBillingRate:
    """A one-off charge; `make_bill`, or the caller, gives it an id."""
    return AppliedBillingRate("", customer_id, None, line_id, kind, charge.code, charge.name, amount, None, None, day)


def bill_id(customer_id: str, bill_date: date) -> str:
    return f"BIL-{customer_id.removeprefix('CUS-')}-{bill_date:%Y%m}"


def make_bill(
    customer: Customer,
    cycle: Cycle,
    rates: Iterable[AppliedBillingRate],
    tax_rate: Decimal,
    tax_name: Charge,
) -> tuple[CustomerBill, list[AppliedBillingRate]]:
    """The issued bill and its lines, tax line included, in printed order."""
    currency = customer.currency
    identity = bill_id(customer.id, cycle.bill_date)
    lines = sorted(rates, key=lambda rate: (rate.line_id is None, rate.line_id or "", PRINTED[rate.type]))
    base = Money.total((rate.amount for rate in lines if rate.type not in UNTAXED), currency)
    taxable = max(base, Money.zero(currency))
    if tax_rate:
        tax = taxable * tax_rate
        if tax:
            lines.append(account_charge(ChargeType.TAX, tax_name, tax, customer.id, cycle.end))
    else:
        tax = taxable * (VAT / (1 + VAT))
    lines = [replace(rate, id=rate.id or f"{identity}-{n:02d}", bill_id=identity) for n, rate in enumerate(lines, 1)]
    total = Money.total((rate.amount for rate in lines), currency)
    owed = max(total, Money.zero(currency))
    bill = CustomerBill(
        id=identity,
        bill_no=f"{customer.id.removeprefix('CUS-')}{cycle.bill_date:%Y%m}",
        customer_id=customer.id,
        account_id=customer.account_id,
        period_start=cycle.start,
        period_end=cycle.end,
        bill_date=cycle.bill_date,
        due_date=cycle.bill_date + timedelta(days=DUE_DAYS),
        amount_due=total,
        remaining_amount=owed,
        tax=tax,
        state=BillState.ISSUED if owed else BillState.PAID,
        dispute_reason=None,
    )
    return bill, lines
