"""Bills, what is on them, how two of them differ, and how they are paid (TMF678, 676)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from .money import LocalText, Money


class BillState(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    AWAITING_PAYMENT = "awaiting_payment"
    """A payment request is out for it."""
    PAID = "paid"
    OVERDUE = "overdue"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class CustomerBill:
    """What one billing account owes for one cycle. `amount_due` is exactly the sum of its lines."""

    id: str
    bill_no: str
    customer_id: str
    account_id: str
    period_start: date
    period_end: date
    """The last day of the cycle."""
    bill_date: date
    due_date: date
    amount_due: Money
    remaining_amount: Money
    """Still to be paid."""
    tax: Money
    """Part of `amount_due`: the tax lines, or the VAT inside the prices where prices include it."""
    state: BillState
    dispute_reason: str | None

    @property
    def open(self) -> bool:
        return bool(self.remaining_amount) and self.state is not BillState.DRAFT


class ChargeType(StrEnum):
    """What kind of charge a bill line is."""

    PLAN = "plan"
    PRORATION = "proration"
    EXTRA_DATA = "extra_data"
    ROAMING = "roaming"
    DEVICE_INSTALMENT = "device_instalment"
    DISCOUNT = "discount"
    CREDIT = "credit"
    ONE_OFF = "one_off"
    EARLY_TERMINATION = "early_termination"
    LATE_FEE = "late_fee"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class AppliedBillingRate:
    """A bill line. Discounts and credits are negative."""

    id: str
    customer_id: str
    bill_id: str | None
    """None while it waits for the next bill."""
    line_id: str | None
    """None when it is about the whole account (tax, late fee)."""
    type: ChargeType
    code: str
    """What exactly: the plan's id for a plan, the discount's code for a discount."""
    name: LocalText
    amount: Money
    quantity: Decimal | None
    unit: str | None
    """gb or day, when there is a quantity."""
    date: date


class DifferenceReason(StrEnum):
    """Why one kind of charge differs between two bills."""

    NEW_LINE = "new_line"
    LINE_REMOVED = "line_removed"
    PLAN_CHANGED = "plan_changed"
    PLAN_PRICE_CHANGED = "plan_price_changed"
    PRORATION = "proration"
    EXTRA_DATA = "extra_data"
    LESS_EXTRA_DATA = "less_extra_data"
    ROAMING_USED = "roaming_used"
    LESS_ROAMING = "less_roaming"
    INSTALMENT_STARTED = "instalment_started"
    INSTALMENT_ENDED = "instalment_ended"
    INSTALMENT_CHANGED = "instalment_changed"
    DISCOUNT_ENDED = "discount_ended"
    DISCOUNT_STARTED = "discount_started"
    DISCOUNT_CHANGED = "discount_changed"
    CREDIT_GIVEN = "credit_given"
    CREDIT_GONE = "credit_gone"
    ONE_OFF_CHARGE = "one_off_charge"
    ONE_OFF_GONE = "one_off_gone"
    EARLY_TERMINATION = "early_termination"
    LATE_FEE = "late_fee"
    LATE_FEE_GONE = "late_fee_gone"
    TAX_CHANGED = "tax_changed"


@dataclass(frozen=True, slots=True)
class BillDifference:
    """One kind of charge on one line, before and after. `difference` is `after - before`, never zero."""

    type: ChargeType
    line_id: str | None
    name: LocalText
    before: Money
    after: Money
    difference: Money
    reason: DifferenceReason


@dataclass(frozen=True, slots=True)
class BillComparison:
    """A bill against an earlier one. `total_difference` is exactly the sum of `differences`, largest first."""

    bill: CustomerBill
    previous: CustomerBill
    total_difference: Money
    differences: tuple[BillDifference, ...]

    @property
    def increases(self) -> tuple[BillDifference, ...]:
        return tuple(d for d in self.differences if d.difference.amount > 0)

    @property
    def decreases(self) -> tuple[BillDifference, ...]:
        return tuple(d for d in self.differences if d.difference.amount < 0)


class PaymentStatus(StrEnum):
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Payment:
    id: str
    customer_id: str
    bill_id: str
    amount: Money
    method: str
    """auto_pay, payment_link or stored_method."""
    last4: str | None
    status: PaymentStatus
    paid_at: datetime


class PaymentRequestStatus(StrEnum):
    SENT = "sent"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A hosted page on which the customer pays one bill: card numbers never pass through a conversation."""

    id: str
    customer_id: str
    bill_id: str
    amount: Money
    status: PaymentRequestStatus
    url: str
    created: datetime


class PromiseStatus(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class PromiseToPay:
    """An agreed later day for an open bill; no late fee and no suspension until then."""

    id: str
    customer_id: str
    bill_id: str
    amount: Money
    promised_date: date
    status: PromiseStatus
    created: datetime
