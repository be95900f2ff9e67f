"""Customers and what they own: lines (TMF637 products), devices, SIM cards, usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from .money import Language, LocalText, Money


class Market(StrEnum):
    """A country the operator serves; it decides the currency."""

    US = "US"
    KR = "KR"

    @property
    def currency(self) -> str:
        return "USD" if self is Market.US else "KRW"


@dataclass(frozen=True, slots=True)
class Area:
    """A piece of the network's map: what outages and visits are about."""

    id: str
    name: LocalText
    market: Market
    timezone: str
    """IANA name, for example Asia/Seoul."""
    postal_prefixes: tuple[str, ...]
    tax_rate: Decimal
    """Added to a bill as a line of its own; zero where prices include tax (Korea)."""


@dataclass(frozen=True, slots=True)
class Address:
    street: str
    city: str
    region: str
    postal_code: str
    country: str
    area_id: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A stored way to pay. Never the number itself."""

    kind: str
    """credit_card, debit_card, bank_account or wallet."""
    label: str
    last4: str
    expires: str | None
    """MM/YYYY, for cards."""


class CustomerStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_VERIFICATION = "pending_verification"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who has the contract (TMF629). One billing account each, with the id `account_id`."""

    id: str
    account_id: str
    name: str
    birth_date: date
    language: Language
    market: Market
    status: CustomerStatus
    contact_number: str
    """The number to reach them on; one of `contact_numbers`."""
    contact_numbers: tuple[str, ...]
    email: str
    address: Address
    auto_pay: bool
    payment_methods: tuple[PaymentMethod, ...]
    bill_day: int
    """Day of the month, 1 to 28, on which the bill is made; the day a billing cycle starts."""
    last_extension_date: date | None
    """When they last promised to pay later."""
    goodwill_credit_used: Money
    """Credits given this calendar year."""
    since: date

    @property
    def currency(self) -> str:
        return self.market.currency

    @property
    def area_id(self) -> str:
        return self.address.area_id


class LineStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_ACTIVATION = "pending_activation"
    CLOSED = "closed"


class SuspensionReason(StrEnum):
    OVERDUE_BILL = "overdue_bill"
    CONTRACT_ENDED = "contract_ended"
    CUSTOMER_REQUEST = "customer_request"
    LOST_OR_STOLEN = "lost_or_stolen"
    FRAUD = "fraud"


class SimKind(StrEnum):
    SIM = "sim"
    ESIM = "esim"


@dataclass(frozen=True, slots=True)
class Discount:
    """A reduction of the monthly price. `amount` is positive; the bill line is negative."""

    code: str
    name: LocalText
    amount: Money
    ends: date | None
    """The last day it counts; None for as long as the plan is kept. One that ended stays listed for some months."""
    survives_plan_change: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A product instance (TMF637): one number on one plan."""

    id: str
    customer_id: str
    msisdn: str
    label: str
    """What the customer calls it; may be empty."""
    status: LineStatus
    offering_id: str
    device_id: str | None
    sim_id: str | None
    sim_kind: SimKind
    activated: date
    contract_end: date | None
    suspension_start: date | None
    suspension_reason: SuspensionReason | None
    roaming_enabled: bool
    data_used_gb: Decimal
    """In the current billing cycle."""
    data_limit_gb: Decimal | None
    """Of the plan, for a cycle; None is unlimited."""
    data_top_up_gb: Decimal
    """Bought on top, for the current cycle."""
    discounts: tuple[Discount, ...]
    last_plan_change: date | None
    last_sim_replacement: date | None


class DeviceKind(StrEnum):
    PHONE = "phone"
    TABLET = "tablet"
    WATCH = "watch"
    ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    customer_id: str
    kind: DeviceKind
    brand: str
    model: str
    imei: str
    esim_capable: bool
    five_g: bool
    activated: date
    last_esim_transfer: date | None
    instalment: Money | None
    """Monthly; None when the device is paid for."""
    instalments_left: int


class SimStatus(StrEnum):
    ORDERED = "ordered"
    ACTIVE = "active"
    INACTIVE = "inactive"


class SimReason(StrEnum):
    NEW = "new"
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    NEW_DEVICE = "new_device"
    SWITCH_KIND = "switch_kind"


@dataclass(frozen=True, slots=True)
class SimCard:
    """A SIM or eSIM profile. `id` is an ICCID."""

    id: str
    customer_id: str
    line_id: str
    kind: SimKind
    status: SimStatus
    reason: SimReason
    ordered: datetime
    activated: datetime | None
    activation_code: str | None
    """For an eSIM: the LPA string behind the QR code. Secret: show it to its verified owner only."""
    delivery_expected: date | None
    """For a card sent by post."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one line used in one billing cycle (TMF635)."""

    id: str
    customer_id: str
    line_id: str
    start: date
    end: date
    data_gb: Decimal
    voice_minutes: int
    texts: int
    roaming_data_gb: Decimal
    roaming_days: int


@dataclass(frozen=True, slots=True)
class DataUsage:
    """Where a line stands in its current cycle (TMF677)."""

    line_id: str
    used_gb: Decimal
    limit_gb: Decimal | None
    top_up_gb: Decimal
    cycle_start: date
    cycle_end: date
    """The last day of the cycle."""

    @property
    def unlimited(self) -> bool:
        return self.limit_gb is None

    @property
    def remaining_gb(self) -> Decimal | None:
        """Never below zero; None when unlimited."""
        if self.limit_gb is None:
            return None
        return max(self.limit_gb + self.top_up_gb - self.used_gb, Decimal(0))

    @property
    def exhausted(self) -> bool:
        return self.remaining_gb is not None and not self.remaining_gb


@dataclass(frozen=True, slots=True)
class TopUp:
    """Data bought for the current cycle. `price` goes on the next bill."""

    id: str
    customer_id: str
    line_id: str
    gb: Decimal
    price: Money
    made: datetime
