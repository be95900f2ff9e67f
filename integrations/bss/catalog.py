"""Plans, who may have them and at what cost, and orders to change them (TMF620, 679, 622)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from .money import LocalText, Money
from .parties import Market


class Family(StrEnum):
    FIVE_G = "5G"
    LTE = "LTE"


class LifecycleStatus(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    """Kept by those who have it, no longer sold."""


@dataclass(frozen=True, slots=True)
class ProductOffering:
    """A plan. Prices are per month; Korean ones include VAT, American ones do not include tax."""

    id: str
    name: LocalText
    description: LocalText
    market: Market
    family: Family
    price: Money
    data_gb: Decimal | None
    """Per billing cycle; None is unlimited."""
    voice_minutes: int | None
    """None is unlimited."""
    texts: int | None
    """None is unlimited."""
    top_up_price: Money
    """Of one extra gigabyte."""
    roaming_day_price: Money
    """For a day of roaming data abroad; zero when included."""
    contract_months: int
    early_termination_per_month: Money
    """For each month left when a contract is left for a cheaper plan."""
    lifecycle_status: LifecycleStatus

    @property
    def unlimited(self) -> bool:
        return self.data_gb is None


class EligibilityReason(StrEnum):
    """Why a line cannot have a plan."""

    ALREADY_ON_PLAN = "already_on_plan"
    LINE_NOT_ACTIVE = "line_not_active"
    OFFERING_NOT_SOLD = "offering_not_sold"
    OTHER_MARKET = "other_market"
    DEVICE_NOT_5G = "device_not_5g"
    OVERDUE_BILL = "overdue_bill"
    ORDER_OPEN = "order_open"


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a line may move to a plan, when, and what it costs (TMF679).

    A dearer plan starts today and the difference for the rest of the cycle is `proration`; a cheaper one starts with
    the next cycle. Amounts are zero when not eligible.
    """

    line_id: str
    offering_id: str
    eligible: bool
    reasons: tuple[EligibilityReason, ...]
    current_price: Money
    new_price: Money
    proration: Money
    early_termination_fee: Money
    next_month: Money
    """What the line's plan costs from the next cycle on, after discounts that stay."""
    discounts_lost: Money
    """Monthly discounts that end with the change."""
    effective_date: date
    contract_end: date | None
    """Of the contract after the change; None when the new plan has none."""

    @property
    def due_now(self) -> Money:
        """One-off cost of the change; it appears on the next bill."""
        return self.proration + self.early_termination_fee

    @property
    def monthly_difference(self) -> Money:
        return self.new_price - self.current_price


class OrderAction(StrEnum):
    CHANGE_PLAN = "change_plan"


class OrderState(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    """Accepted, starts on its effective date."""
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProductOrder:
    """A request to change what a customer has (TMF622)."""

    id: str
    customer_id: str
    line_id: str
    action: OrderAction
    from_offering_id: str
    to_offering_id: str
    state: OrderState
    ordered: datetime
    effective_date: date
    undo_until: datetime
    """Until then `cancel_order` puts everything back, free of charge."""
    due_now: Money
    monthly_price: Money
