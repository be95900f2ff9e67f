"""What the bot asks of an operator's billing and network systems.

Conventions, the same everywhere:

- `find_*` answers None or an empty tuple when there is nothing; a noun with an id raises `not_found`.
- Lists come newest first unless said otherwise.
- A call that changes something takes `key`, an idempotency key of the caller. The same key with the same request
  answers what the first call answered, without a second effect; with another request it raises `key_reused`. A call
  that was refused (`not_eligible`, ...) leaves its key free. After `unknown_outcome`, `result_of(key)` tells.
- Every call may raise `unavailable` (nothing happened). Only the other errors are named below.
- An id that belongs to another customer than the one named in the call is `not_found`, never somebody else's data.
  Calls that name no customer trust the caller: see `ownership.owned`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from .models import (
    AppliedBillingRate,
    Appointment,
    AppointmentKind,
    Area,
    BillComparison,
    CodeSent,
    CodeVerification,
    Customer,
    CustomerBill,
    DataUsage,
    Device,
    Eligibility,
    Entity,
    Language,
    Line,
    Market,
    Money,
    OutageSubscription,
    Payment,
    PaymentRequest,
    ProductOffering,
    ProductOrder,
    PromiseToPay,
    ServiceProblem,
    Severity,
    SimCard,
    SimKind,
    SimReason,
    SuspensionReason,
    TicketKind,
    TicketStatus,
    TimeSlot,
    TopUp,
    TroubleTicket,
    Usage,
)


class Customers(Protocol):
    """Who is writing, and that it is really them."""

    async def find_customer_by_number(self, number: str) -> Customer | None:
        """By a contact number or the number of a line, written any way a phone number is written (with its country
        code, or nationally for one of the operator's markets). Closed lines do not count."""
        ...

    async def find_customers_by_name(self, name: str, birth_date: date) -> tuple[Customer, ...]:
        """Everybody with this full name, spacing and case aside, born that day."""
        ...

    async def customer(self, customer_id: str) -> Customer: ...

    async def update_customer(self, customer_id: str, key: str, *, email: str | None = None, language: Language | None = None) -> Customer:
        """Change what is given. Raises `invalid` for nothing given or an address that is not one."""
        ...

    async def set_auto_pay(self, customer_id: str, on: bool, key: str) -> Customer:
        """Raises `already_done`; `not_eligible` when there is no payment method to use."""
        ...

    async def send_one_time_code(self, number: str, key: str) -> CodeSent:
        """Text a six-digit code, good for ten minutes and one use; an earlier one stops working. Raises `not_found`
        when no customer has the number, `not_eligible` after too many codes in an hour."""
        ...

    async def verify_one_time_code(self, number: str, code: str, key: str | None = None) -> CodeVerification:
        """Never raises for a wrong code: look at the answer. A code works once; a `key` makes a replay safe."""
        ...


class Lines(Protocol):
    """Lines, what they use, and the switches on them."""

    async def lines(self, customer_id: str) -> tuple[Line, ...]:
        """All of them, closed ones too, oldest first."""
        ...

    async def line(self, line_id: str) -> Line: ...

    async def find_line_by_number(self, number: str) -> Line | None:
        """By its number, written as for `find_customer_by_number`; a closed line does not count."""
        ...

    async def device(self, device_id: str) -> Device: ...

    async def devices(self, customer_id: str) -> tuple[Device, ...]: ...

    async def usage(self, line_id: str, months: int = 3) -> tuple[Usage, ...]:
        """Per billing cycle, the current one first."""
        ...

    async def data_usage(self, line_id: str) -> DataUsage:
        """Where the line stands in its current cycle."""
        ...

    async def suspend_line(self, line_id: str, reason: SuspensionReason, key: str) -> Line:
        """Raises `already_done`; `not_eligible` when the line is not active."""
        ...

    async def resume_line(self, line_id: str, reason: str, key: str) -> Line:
        """Bring back a suspended line, or activate one that waits for it; `reason` is for the record. Raises
        `already_done`; `not_eligible` with reason overdue_bill, contract_ended, fraud or closed."""
        ...

    async def set_roaming(self, line_id: str, on: bool, key: str) -> Line:
        """Raises `already_done`; `not_eligible` when the line is not active."""
        ...

    async def top_up_data(self, line_id: str, gb: Decimal, key: str) -> TopUp:
        """Add data to the current cycle at the plan's price per gigabyte, on the next bill. Raises `invalid` unless
        0 < gb <= 50 in steps of 0.1; `not_eligible` for a line not active or unlimited."""
        ...

    async def sim_cards(self, line_id: str) -> tuple[SimCard, ...]: ...

    async def order_sim(self, line_id: str, kind: SimKind, reason: SimReason, key: str) -> SimCard:
        """A new card by post or an eSIM profile at once; the old one works until `activate_sim`. Raises `conflict`
        when one is on order; `not_eligible` for a closed line or a device without eSIM."""
        ...

    async def activate_sim(self, sim_id: str, key: str) -> SimCard:
        """Make an ordered SIM the line's own and switch the old one off. Raises `already_done`, `not_eligible`."""
        ...


class Catalog(Protocol):
    """Plans and orders for them."""

    async def offerings(self, market: Market, include_retired: bool = False) -> tuple[ProductOffering, ...]:
        """What is sold, cheapest first."""
        ...

    async def offering(self, offering_id: str) -> ProductOffering: ...

    async def find_offerings_by_name(self, name: str, market: Market) -> tuple[ProductOffering, ...]:
        """What a customer may mean by a plan's name in either language: one when it is plain, several to choose from,
        none when nothing is like it; best first. Only plans that are sold."""
        ...

    async def eligibility(self, line_id: str, offering_id: str) -> Eligibility:
        """Whether and at what cost the line may have the plan. Orders nothing."""
        ...

    async def order_plan_change(self, line_id: str, offering_id: str, key: str) -> ProductOrder:
        """Change the plan as `eligibility` says. Raises `not_eligible` with its reasons."""
        ...

    async def cancel_order(self, order_id: str, key: str) -> ProductOrder:
        """Undo, with the charges it made. Raises `already_done`; `not_eligible` after `undo_until`, or when the line
        has changed since."""
        ...

    async def order(self, order_id: str) -> ProductOrder: ...

    async def orders(self, customer_id: str) -> tuple[ProductOrder, ...]: ...


class Billing(Protocol):
    """Bills and paying them."""

    async def bills(self, customer_id: str, limit: int = 12) -> tuple[CustomerBill, ...]: ...

    async def bill(self, bill_id: str) -> CustomerBill: ...

    async def bill_lines(self, bill_id: str) -> tuple[AppliedBillingRate, ...]:
        """In the order of the printed bill; their sum is the bill's `amount_due`."""
        ...

    async def unbilled_charges(self, customer_id: str) -> tuple[AppliedBillingRate, ...]:
        """What has come up since the last bill and will be on the next, besides the monthly charges; oldest first."""
        ...

    async def compare_bills(self, bill_id: str, previous_id: str | None = None) -> BillComparison:
        """A bill against another of the same customer, the one just before it if none is named. Raises `not_found`
        when there is none before; `invalid` when the other is not earlier."""
        ...

    async def dispute_bill(self, bill_id: str, reason: str, key: str) -> CustomerBill:
        """Mark an open bill as disputed: not overdue while somebody looks. Raises `already_done`; `not_eligible` for a
        bill that is paid."""
        ...

    async def withdraw_dispute(self, bill_id: str, key: str) -> CustomerBill:
        """Raises `already_done` when it is not disputed."""
        ...

    async def give_credit(self, customer_id: str, amount: Money, reason: str, key: str) -> AppliedBillingRate:
        """Goodwill: a credit on the next bill. `reason` is for the record. Raises `invalid` for an amount not above
        zero or in another currency; `not_eligible` beyond the year's allowance."""
        ...

    async def payments(self, customer_id: str, limit: int = 12) -> tuple[Payment, ...]: ...

    async def payment_requests(self, customer_id: str) -> tuple[PaymentRequest, ...]: ...

    async def send_payment_request(self, customer_id: str, bill_id: str, key: str) -> PaymentRequest:
        """Text a link to a hosted page for what the bill still owes; the bill is then awaiting payment. Raises
        `already_done` when nothing is owed; `not_eligible` for a disputed or draft bill; `conflict` while another
        request is out for this customer (one at a time)."""
        ...

    async def cancel_payment_request(self, request_id: str, key: str) -> PaymentRequest:
        """Raises `already_done` when it is paid or cancelled."""
        ...

    async def settle_payment_request(self, request_id: str, key: str) -> Payment:
        """The hosted page's answer: the customer paid. Raises `already_done`."""
        ...

    async def pay_bill(self, bill_id: str, last4: str, key: str) -> Payment:
        """Charge a stored payment method for all the bill still owes; any request out for it is cancelled. Raises
        `already_done`; `not_found` for a method the customer has not; `not_eligible` for a draft, or a method that
        has run out."""
        ...

    async def promises(self, customer_id: str) -> tuple[PromiseToPay, ...]: ...

    async def promise_to_pay(self, bill_id: str, promised: date, key: str) -> PromiseToPay:
        """Agree a later day. Raises `invalid` for a day in the past or more than 14 days away; `already_done` for a
        paid bill; `not_eligible` for a disputed one, or with reason recent_extension within 90 days of the last."""
        ...


class Care(Protocol):
    """Outages, tickets, visits."""

    async def areas(self, market: Market | None = None) -> tuple[Area, ...]: ...

    async def find_areas(self, text: str, market: Market) -> tuple[Area, ...]:
        """By a name in either language or a postal code; best first."""
        ...

    async def service_problems(
        self, *, area_id: str | None = None, line_id: str | None = None, include_resolved: bool = False
    ) -> tuple[ServiceProblem, ...]:
        """Outages of an area, or of the area a line's customer lives in; everywhere if neither is given."""
        ...

    async def service_problem(self, problem_id: str) -> ServiceProblem: ...

    async def affected_customers(self, problem_id: str) -> tuple[Customer, ...]:
        """Those with a line in service who live in its areas, by id."""
        ...

    async def report_problem(self, line_id: str, kind: TicketKind, description: str, key: str) -> TroubleTicket:
        """A ticket about a line; one of kind network is tied to the area's current outage, if there is one
        (`related_id`), and to the line otherwise."""
        ...

    async def subscribe_to_problem(self, problem_id: str, customer_id: str, key: str) -> OutageSubscription:
        """Tell me when it is solved. Raises `already_done` when subscribed, or when it is solved."""
        ...

    async def problem_subscriptions(self, problem_id: str) -> tuple[OutageSubscription, ...]:
        """Whom to tell; oldest first."""
        ...

    async def create_ticket(
        self,
        customer_id: str,
        kind: TicketKind,
        description: str,
        key: str,
        *,
        severity: Severity = Severity.MINOR,
        related_id: str | None = None,
    ) -> TroubleTicket:
        """Raises `invalid` for an empty description; `not_found` for something related that is not the customer's."""
        ...

    async def ticket(self, ticket_id: str) -> TroubleTicket: ...

    async def tickets(self, customer_id: str, open_only: bool = False) -> tuple[TroubleTicket, ...]: ...

    async def update_ticket(
        self,
        ticket_id: str,
        key: str,
        *,
        note: str | None = None,
        author: str = "bot",
        status: TicketStatus | None = None,
    ) -> TroubleTicket:
        """Add a note, move it on, or both. Raises `invalid` for neither; `not_eligible` for a closed ticket."""
        ...

    async def time_slots(self, area_id: str, kind: AppointmentKind, after: datetime | None = None, limit: int = 6) -> tuple[TimeSlot, ...]:
        """Free windows within two weeks, soonest first."""
        ...

    async def book_appointment(self, customer_id: str, slot_id: str, key: str, *, ticket_id: str | None = None) -> Appointment:
        """Raises `not_found` for a window that is none, `conflict` for one that is full or past."""
        ...

    async def move_appointment(self, appointment_id: str, slot_id: str, key: str) -> Appointment:
        """To another window of the same kind. Raises as `book_appointment`; `not_eligible` for one cancelled or past;
        `already_done` for the window it has."""
        ...

    async def cancel_appointment(self, appointment_id: str, key: str) -> Appointment:
        """Raises `already_done`; `not_eligible` when it is past."""
        ...

    async def appointments(self, customer_id: str) -> tuple[Appointment, ...]:
        """All of them, the next ones first."""
        ...


class Bss(Customers, Lines, Catalog, Billing, Care, Protocol):
    """Everything. An implementation may be one system or several behind one face."""

    async def get_details_by_id(self, entity_id: str) -> Entity:
        """Anything that has an id."""
        ...

    async def result_of(self, key: str) -> object | None:
        """What the write with this key answered, None if it never happened: how `unknown_outcome` is cleared up."""
        ...
