"""Which plan would suit a line better, from what it really used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from .catalog import LifecycleStatus, ProductOffering
from .money import Money
from .parties import Line, Usage


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A plan and what a month on it would have cost on average: price, extra data and roaming days."""

    offering: ProductOffering
    expected_cost: Money
    saving: Money
    """Against the present plan, a month; negative when it costs more."""
    covers_data: bool
    """Its data was enough in every one of the cycles looked at."""


def recommend_offerings(
    line: Line, usage: Sequence[Usage], current: ProductOffering, offerings: Iterable[ProductOffering], limit: int = 3
) -> tuple[Recommendation, ...]:
    """Plans other than the present one, cheapest expected cost first, judged by whole cycles of use.

    `usage` as `Bss.usage` gives it, without the running cycle; empty usage recommends nothing. Plans that are dearer
    are kept only when they cover the data and the present plan does not. LTE is not proposed to a 5G line.
    """
    if not usage:
        return ()
    now = _expected_cost(current, usage)
    enough = _covers(current, usage)
    found = []
    for offering in offerings:
        if offering.id == line.offering_id or offering.market is not current.market:
            continue
        if offering.lifecycle_status is not LifecycleStatus.ACTIVE:
            continue
        if current.family == "5G" and offering.family != "5G":
            continue
        cost, covers = _expected_cost(offering, usage), _covers(offering, usage)
        if cost < now or (covers and not enough):
            found.append(Recommendation(offering, cost, now - cost, covers))
    found.sort(key=lambda r: (r.expected_cost.amount, r.offering.id))
    return tuple(found[:limit])


def _covers(offering: ProductOffering, usage: Sequence[Usage]) -> bool:
    return offering.data_gb is None or all(month.data_gb <= offering.data_gb for month in usage)


def _expected_cost(offering: ProductOffering, usage: Sequence[Usage]) -> Money:
    total = Decimal(0)
    for month in usage:
        over = Decimal(0) if offering.data_gb is None else max(month.data_gb - offering.data_gb, Decimal(0))
        total += over.to_integral_value(ROUND_CEILING) * offering.top_up_price.amount
        total += month.roaming_days * offering.roaming_day_price.amount
    return Money.of(offering.price.amount + total / len(usage), offering.price.currency)
