"""One legal call of every write, and how to see what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ..errors import BssError
from ..models import (
    AppointmentKind,
    CustomerBill,
    Language,
    Money,
    SimKind,
    SimReason,
    SuspensionReason,
    TicketKind,
)
from ..port import Bss
from .cast import Cast

Step = Callable[[str], Awaitable[Any]]
"""A write with everything decided but its key."""


async def latest_bill(bss: Bss, customer_id: str) -> CustomerBill:
    return (await bss.bills(customer_id, 1))[0]


async def free_slot(bss: Bss, cast: Cast, place: int = 0) -> str:
    return (await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT))[place].id


async def first_steps(bss: Bss, cast: Cast) -> dict[str, Step]:
    """One legal call of every write that starts from nothing."""
    bill = await latest_bill(bss, cast.customer)
    slot = await free_slot(bss, cast)
    problem = (await bss.service_problems(line_id=cast.outage_line))[0]
    # The bill was made five to eight days ago: this is soon, whatever an implementation's calendar says.
    soon = bill.bill_date + timedelta(days=10)
    five = Money.of(5, cast.market.currency)
    return {
        "update_customer": lambda key: bss.update_customer(cast.customer, key, language=Language.KO),
        "set_auto_pay": lambda key: bss.set_auto_pay(cast.customer, True, key),
        "suspend_line": lambda key: bss.suspend_line(cast.line, SuspensionReason.LOST_OR_STOLEN, key),
        "set_roaming": lambda key: bss.set_roaming(cast.line, False, key),
        "top_up_data": lambda key: bss.top_up_data(cast.line, Decimal(2), key),
        "order_sim": lambda key: bss.order_sim(cast.line, SimKind.ESIM, SimReason.NEW_DEVICE, key),
        "order_plan_change": lambda key: bss.order_plan_change(cast.line, cast.dearer, key),
        "give_credit": lambda key: bss.give_credit(cast.customer, five, "sorry", key),
        "pay_bill": lambda key: bss.pay_bill(bill.id, cast.last4, key),
        "send_payment_request": lambda key: bss.send_payment_request(cast.customer, bill.id, key),
        "dispute_bill": lambda key: bss.dispute_bill(bill.id, "wrong", key),
        "promise_to_pay": lambda key: bss.promise_to_pay(bill.id, soon, key),
        "report_problem": lambda key: bss.report_problem(cast.line, TicketKind.NETWORK, "no signal", key),
        "subscribe_to_problem": lambda key: bss.subscribe_to_problem(problem.id, cast.outage_customer, key),
        "create_ticket": lambda key: bss.create_ticket(cast.customer, TicketKind.OTHER, "question", key),
        "book_appointment": lambda key: bss.book_appointment(cast.customer, slot, key),
    }


FIRST_STEPS = (
    "update_customer", "set_auto_pay", "suspend_line", "set_roaming", "top_up_data", "order_sim", "order_plan_change", "give_credit",
    "pay_bill", "send_payment_request", "dispute_bill", "promise_to_pay", "report_problem", "subscribe_to_problem", "create_ticket",
    "book_appointment",
)  # fmt: skip


async def second_steps(bss: Bss, cast: Cast) -> dict[str, Step]:
    """One legal call of every write that needs another before it."""
    order = await bss.order_plan_change(cast.line, cast.dearer, "first-order")
    bill = await latest_bill(bss, cast.customer)
    request = await bss.send_payment_request(cast.customer, bill.id, "first-request")
    ticket = await bss.create_ticket(cast.customer, TicketKind.OTHER, "question", "first-ticket")
    sim = await bss.order_sim(cast.line, SimKind.ESIM, SimReason.NEW_DEVICE, "first-sim")
    slots = [slot.id for slot in await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT, limit=3)]
    visit = await bss.book_appointment(cast.customer, slots[0], "first-visit")
    other = await bss.book_appointment(cast.customer, slots[1], "second-visit")
    latest, overdue = await bss.bills(cast.debtor, 2)
    await bss.dispute_bill(latest.id, "wrong", "first-dispute")
    asked = await bss.send_payment_request(cast.debtor, overdue.id, "debtor-request")
    await bss.suspend_line(cast.bound_line, SuspensionReason.CUSTOMER_REQUEST, "first-suspension")
    return {
        "cancel_order": lambda key: bss.cancel_order(order.id, key),
        "settle_payment_request": lambda key: bss.settle_payment_request(request.id, key),
        "cancel_payment_request": lambda key: bss.cancel_payment_request(asked.id, key),
        "withdraw_dispute": lambda key: bss.withdraw_dispute(latest.id, key),
        "update_ticket": lambda key: bss.update_ticket(ticket.id, key, note="called back"),
        "activate_sim": lambda key: bss.activate_sim(sim.id, key),
        "move_appointment": lambda key: bss.move_appointment(visit.id, slots[2], key),
        "cancel_appointment": lambda key: bss.cancel_appointment(other.id, key),
        "resume_line": lambda key: bss.resume_line(cast.bound_line, "found", key),
    }


SECOND_STEPS = (
    "cancel_order", "settle_payment_request", "cancel_payment_request", "withdraw_dispute", "update_ticket",
    "activate_sim", "move_appointment", "cancel_appointment", "resume_line",
)  # fmt: skip


async def visible(bss: Bss, customer_id: str) -> tuple[Any, ...]:
    """All that can be seen of a customer: equal before and after means nothing happened."""
    lines = await bss.lines(customer_id)
    bills = await bss.bills(customer_id, 100)
    return (
        await bss.customer(customer_id),
        lines,
        bills,
        [await bss.bill_lines(bill.id) for bill in bills[:2]],
        [await bss.sim_cards(line.id) for line in lines],
        [await bss.data_usage(line.id) for line in lines],
        await bss.devices(customer_id),
        await bss.orders(customer_id),
        await bss.unbilled_charges(customer_id),
        await bss.payments(customer_id, 100),
        await bss.payment_requests(customer_id),
        await bss.promises(customer_id),
        await bss.tickets(customer_id),
        await bss.appointments(customer_id),
        [await bss.problem_subscriptions(problem.id) for problem in await bss.service_problems()],
    )


async def refused(call: Awaitable[Any]) -> BssError:
    """The error of a call that must not succeed."""
    with pytest.raises(BssError) as caught:
        await call
    return caught.value


async def everything(bss: Bss, cast: Cast) -> list[Any]:
    """All that can be seen of everybody the writes touch."""
    return [await visible(bss, person) for person in (cast.customer, cast.debtor, cast.bound, cast.outage_customer)]
