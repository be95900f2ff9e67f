"""Why is my bill different? Two bills, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .billing import AppliedBillingRate, BillComparison, BillDifference, ChargeType, CustomerBill, DifferenceReason
from .money import LocalText, Money

Rates = list[AppliedBillingRate]
Group = tuple[ChargeType, str | None]

_UP_DOWN: dict[ChargeType, tuple[DifferenceReason, DifferenceReason]] = {
    ChargeType.EXTRA_DATA: (DifferenceReason.EXTRA_DATA, DifferenceReason.LESS_EXTRA_DATA),
    ChargeType.ROAMING: (DifferenceReason.ROAMING_USED, DifferenceReason.LESS_ROAMING),
    ChargeType.LATE_FEE: (DifferenceReason.LATE_FEE, DifferenceReason.LATE_FEE_GONE),
    ChargeType.ONE_OFF: (DifferenceReason.ONE_OFF_CHARGE, DifferenceReason.ONE_OFF_GONE),
    ChargeType.CREDIT: (DifferenceReason.CREDIT_GONE, DifferenceReason.CREDIT_GIVEN),
    ChargeType.PRORATION: (DifferenceReason.PRORATION, DifferenceReason.PRORATION),
    ChargeType.EARLY_TERMINATION: (DifferenceReason.EARLY_TERMINATION, DifferenceReason.EARLY_TERMINATION),
    ChargeType.TAX: (DifferenceReason.TAX_CHANGED, DifferenceReason.TAX_CHANGED),
}


def compare_bills(
    bill: CustomerBill,
    lines: Iterable[AppliedBillingRate],
    previous: CustomerBill,
    previous_lines: Iterable[AppliedBillingRate],
) -> BillComparison:
    """What changed from `previous` to `bill`: one difference for each kind of charge on each line, largest first.

    Raises ValueError for bills of two customers, or in two currencies.
    """
    if bill.customer_id != previous.customer_id:
        raise ValueError("the bills of two customers cannot be compared")
    currency = bill.amount_due.currency
    after, before = _grouped(lines), _grouped(previous_lines)
    lines_after, lines_before = _plan_lines(after), _plan_lines(before)
    differences = []
    for group in after.keys() | before.keys():
        new, old = after.get(group, []), before.get(group, [])
        total_new, total_old = (Money.total((rate.amount for rate in rates), currency) for rates in (new, old))
        if total_new == total_old:
            continue
        kind, line_id = group
        if line_id in lines_after - lines_before:
            reason = DifferenceReason.NEW_LINE
        elif line_id in lines_before - lines_after:
            reason = DifferenceReason.LINE_REMOVED
        else:
            reason = _reason(kind, new, old, up=total_new > total_old)
        change = total_new - total_old
        differences.append(BillDifference(kind, line_id, _name(new, old), total_old, total_new, change, reason))
    differences.sort(key=lambda d: (-abs(d.difference.amount), d.type, d.line_id or ""))
    return BillComparison(bill, previous, bill.amount_due - previous.amount_due, tuple(differences))


def _grouped(rates: Iterable[AppliedBillingRate]) -> dict[Group, Rates]:
    groups: dict[Group, Rates] = defaultdict(list)
    for rate in rates:
        groups[rate.type, rate.line_id].append(rate)
    return groups


def _plan_lines(groups: dict[Group, Rates]) -> set[str | None]:
    return {line_id for kind, line_id in groups if kind is ChargeType.PLAN}


def _codes(rates: Rates) -> set[str]:
    return {rate.code for rate in rates}


def _reason(kind: ChargeType, new: Rates, old: Rates, *, up: bool) -> DifferenceReason:
    if kind is ChargeType.PLAN:
        same = _codes(new) == _codes(old)
        return DifferenceReason.PLAN_PRICE_CHANGED if same else DifferenceReason.PLAN_CHANGED
    if kind is ChargeType.DISCOUNT:
        if up and _codes(old) - _codes(new):
            return DifferenceReason.DISCOUNT_ENDED
        if not up and _codes(new) - _codes(old):
            return DifferenceReason.DISCOUNT_STARTED
        return DifferenceReason.DISCOUNT_CHANGED
    if kind is ChargeType.DEVICE_INSTALMENT:
        if not old:
            return DifferenceReason.INSTALMENT_STARTED
        return DifferenceReason.INSTALMENT_CHANGED if new else DifferenceReason.INSTALMENT_ENDED
    rising, falling = _UP_DOWN[kind]
    return rising if up else falling


def _name(new: Rates, old: Rates) -> LocalText:
    """The words of what made the difference: the largest charge on one bill only, else the largest."""
    only = [rate for rate in new if rate.code not in _codes(old)] or [rate for rate in old if rate.code not in _codes(new)]
    return max(only or new or old, key=lambda rate: abs(rate.amount.amount)).name
