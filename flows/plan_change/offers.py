"""Plans and quotes as slots hold them. Pure functions: nothing is fetched or said here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from flows.common.values import day, money
from flows.lines.lines import line_title
from flows.lines.values import cost, gigabytes
from integrations.bss import Money, Recommendation
from integrations.bss.models import DataUsage, Discount, Eligibility, Line, ProductOffering, Usage

OBSTACLES = ("overdue_bill", "line_not_active", "order_open", "device_not_5g", "already_on_plan", "offering_not_sold", "other_market")
"""Reasons against a change, most important first: what stands in the way of every plan comes before what is wrong with this one."""


def plan_option(offering: ProductOffering, language: str) -> dict[str, Any]:
    """A plan in a list: `{id, name, price, data_gb}`; `data_gb` None means unlimited."""
    return {
        "id": offering.id,
        "name": offering.name.text(language),
        "price": money(offering.price),
        "data_gb": gigabytes(offering.data_gb),
    }


def next_bill_day(usage: DataUsage) -> date:
    """The day the next billing month starts."""
    return usage.cycle_end + timedelta(days=1)


def average_gb(cycles: Sequence[Usage]) -> Decimal | None:
    """Data a month over whole cycles, to a tenth of a gigabyte; None without any."""
    if not cycles:
        return None
    return (sum((cycle.data_gb for cycle in cycles), Decimal(0)) / len(cycles)).quantize(Decimal("0.1"))


def running_discounts(line: Line, today: date) -> list[Discount]:
    """Ended discounts stay listed on a line for some months; these still count."""
    return [discount for discount in line.discounts if discount.ends is None or discount.ends >= today]


@dataclass(frozen=True, slots=True)
class Advice:
    """A plan to change to, why, and what that saves a month in all (negative: it costs more)."""

    offering: ProductOffering
    reason: Literal["cheaper", "more_data"]
    saving: Money


def best_advice(
    found: Iterable[Recommendation], line: Line, current: ProductOffering, cycles: Sequence[Usage], today: date
) -> Advice | None:
    """The first recommendation with enough data that still holds once the discounts lost by changing are counted; None: stay.

    A plan that is cheaper only by buying extra data every month is no good advice.
    """
    lost = Money.total((d.amount for d in running_discounts(line, today) if not d.survives_plan_change), current.price.currency)
    enough_now = current.data_gb is None or all(cycle.data_gb <= current.data_gb for cycle in cycles)
    for recommended in found:
        if not recommended.covers_data:
            continue
        saving = recommended.saving - lost
        if saving.amount > 0:
            return Advice(recommended.offering, "cheaper", saving)
        if not enough_now:
            return Advice(recommended.offering, "more_data", saving)
    return None


def quote(terms: Eligibility, line: Line, plan: ProductOffering, next_bill: date, language: str) -> dict[str, Any]:
    """The slots of a quote: `quote` itself is what would be ordered and on which terms, the others are for telling them."""
    at_once = terms.eligible and terms.effective_date < next_bill
    new_contract = terms.eligible and terms.contract_end != line.contract_end
    return {
        "quote": {"line_id": line.id, "plan_id": plan.id, "starts_at_once": at_once, "terms": terms_of(terms)},
        "quote_possible": terms.eligible,
        "quote_refusal": None if terms.eligible else main_obstacle(terms),
        "quote_line": line_title(line),
        "quote_plan": plan.name.text(language),
        "quote_price": money(terms.new_price),
        "quote_monthly": money(terms.next_month),
        "quote_rest_of_month": cost(terms.proration),
        "quote_fee": cost(terms.early_termination_fee),
        "quote_discounts_lost": cost(terms.discounts_lost),
        "quote_starts_at_once": at_once,
        "quote_next_bill": day(next_bill),
        "quote_new_contract_end": day(terms.contract_end) if new_contract else None,
    }


def main_obstacle(terms: Eligibility) -> str:
    """The reason to tell the customer, when there are several."""
    reasons = {reason.value for reason in terms.reasons}
    return next((reason for reason in OBSTACLES if reason in reasons), "other")


def terms_of(terms: Eligibility) -> list[str]:
    """What the customer says yes to. When it differs at the moment of ordering, the quote is out of date."""
    amounts = (terms.new_price, terms.due_now, terms.next_month, terms.discounts_lost)
    return [*(str(amount) for amount in amounts), terms.effective_date.isoformat(), str(terms.contract_end)]
