"""What the operator's systems know, in TM Forum nouns (TMF620, 621, 622, 629, 635, 637, 646, 656, 676, 678, 679).

Values only: frozen, comparable, no I/O. Amounts are `Money`, gigabytes are `Decimal`, phone numbers are E.164,
days are `date`, instants are aware `datetime`s in UTC. This module gathers every noun; they live by subject in
`parties`, `catalog`, `billing` and `care`.
"""

from __future__ import annotations

from .billing import (
    AppliedBillingRate,
    BillComparison,
    BillDifference,
    BillState,
    ChargeType,
    CustomerBill,
    DifferenceReason,
    Payment,
    PaymentRequest,
    PaymentRequestStatus,
    PaymentStatus,
    PromiseStatus,
    PromiseToPay,
)
from .care import (
    Appointment,
    AppointmentKind,
    AppointmentStatus,
    CodeRefusal,
    CodeSent,
    CodeVerification,
    OutageSubscription,
    ProblemStatus,
    Service,
    ServiceProblem,
    Severity,
    TicketKind,
    TicketNote,
    TicketStatus,
    TimeSlot,
    TroubleTicket,
)
from .catalog import (
    Eligibility,
    EligibilityReason,
    Family,
    LifecycleStatus,
    OrderAction,
    OrderState,
    ProductOffering,
    ProductOrder,
)
from .money import Language, LocalText, Money
from .parties import (
    Address,
    Area,
    Customer,
    CustomerStatus,
    DataUsage,
    Device,
    DeviceKind,
    Discount,
    Line,
    LineStatus,
    Market,
    PaymentMethod,
    SimCard,
    SimKind,
    SimReason,
    SimStatus,
    SuspensionReason,
    TopUp,
    Usage,
)

Entity = (
    Customer
    | Line
    | Device
    | SimCard
    | TopUp
    | Usage
    | Area
    | ProductOffering
    | ProductOrder
    | CustomerBill
    | AppliedBillingRate
    | Payment
    | PaymentRequest
    | PromiseToPay
    | ServiceProblem
    | OutageSubscription
    | TroubleTicket
    | Appointment
)
"""Anything that has an id and can be asked for by it."""

__all__ = [
    "Address",
    "AppliedBillingRate",
    "Appointment",
    "AppointmentKind",
    "AppointmentStatus",
    "Area",
    "BillComparison",
    "BillDifference",
    "BillState",
    "ChargeType",
    "CodeRefusal",
    "CodeSent",
    "CodeVerification",
    "Customer",
    "CustomerBill",
    "CustomerStatus",
    "DataUsage",
    "Device",
    "DeviceKind",
    "DifferenceReason",
    "Discount",
    "Eligibility",
    "EligibilityReason",
    "Entity",
    "Family",
    "Language",
    "LifecycleStatus",
    "Line",
    "LineStatus",
    "LocalText",
    "Market",
    "Money",
    "OrderAction",
    "OrderState",
    "OutageSubscription",
    "Payment",
    "PaymentMethod",
    "PaymentRequest",
    "PaymentRequestStatus",
    "PaymentStatus",
    "ProblemStatus",
    "ProductOffering",
    "ProductOrder",
    "PromiseStatus",
    "PromiseToPay",
    "Service",
    "ServiceProblem",
    "Severity",
    "SimCard",
    "SimKind",
    "SimReason",
    "SimStatus",
    "SuspensionReason",
    "TicketKind",
    "TicketNote",
    "TicketStatus",
    "TimeSlot",
    "TopUp",
    "TroubleTicket",
    "Usage",
]
