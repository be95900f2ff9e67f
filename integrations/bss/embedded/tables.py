"""The operator's tables: one a noun, a column a field, so a model and its table cannot drift apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from ..billing import AppliedBillingRate, CustomerBill, Payment, PaymentRequest, PromiseToPay
from ..care import Appointment, OutageSubscription, ServiceProblem, TroubleTicket
from ..catalog import ProductOffering, ProductOrder
from ..parties import Area, Customer, Device, Line, SimCard, TopUp, Usage
from .codec import codec

SCHEMA = "1"
"""Goes up when a table changes; a file of another schema is refused, not guessed at."""


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code that went out. One row a number: a new code replaces the old one."""

    id: str
    number: str
    code: str
    sent: datetime
    expires: datetime
    attempts_left: int
    sent_before: tuple[datetime, ...]
    """Earlier codes of the last hour."""


@dataclass(frozen=True, slots=True)
class Undo:
    """A line as it was before a plan change: what `cancel_order` puts back."""

    id: str
    """The order's id."""
    line: Line


@dataclass(frozen=True, slots=True)
class DoneWrite:
    """A write that happened, under its idempotency key."""

    id: str
    operation: str
    request: str
    kind: str
    """The class of the answer."""
    answer: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about this database: its schema, its seed."""

    id: str
    value: str


metadata = MetaData()


def _table(name: str, cls: type[Any], *indexes: str) -> Table:
    how = codec(cls)
    columns = [Column(column, Integer if column in how.integers else Text, primary_key=column == "id") for column in how.names]
    found = (Index(f"ix_{name}_{index.replace(' ', '_')}", *index.split()) for index in indexes)
    return Table(name, metadata, *columns, *found)


TABLES: MappingProxyType[type[Any], Table] = MappingProxyType(
    {
        Customer: _table("customer", Customer, "contact_number", "birth_date"),
        Line: _table("line", Line, "customer_id", "msisdn"),
        Device: _table("device", Device, "customer_id"),
        SimCard: _table("sim_card", SimCard, "line_id"),
        Usage: _table("usage", Usage, "line_id start"),
        TopUp: _table("top_up", TopUp, "line_id"),
        Area: _table("area", Area),
        ProductOffering: _table("product_offering", ProductOffering),
        ProductOrder: _table("product_order", ProductOrder, "customer_id", "line_id", "state"),
        CustomerBill: _table("customer_bill", CustomerBill, "customer_id bill_date", "state"),
        AppliedBillingRate: _table("applied_billing_rate", AppliedBillingRate, "bill_id", "customer_id bill_id"),
        Payment: _table("payment", Payment, "customer_id"),
        PaymentRequest: _table("payment_request", PaymentRequest, "customer_id"),
        PromiseToPay: _table("promise_to_pay", PromiseToPay, "customer_id"),
        ServiceProblem: _table("service_problem", ServiceProblem),
        OutageSubscription: _table("outage_subscription", OutageSubscription, "problem_id"),
        TroubleTicket: _table("trouble_ticket", TroubleTicket, "customer_id"),
        Appointment: _table("appointment", Appointment, "customer_id", "slot_id"),
        OneTimeCode: _table("one_time_code", OneTimeCode),
        Undo: _table("undo", Undo),
        DoneWrite: _table("done_write", DoneWrite),
        Fact: _table("fact", Fact),
    }
)
