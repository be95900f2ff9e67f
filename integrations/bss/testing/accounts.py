"""Contract: customers and their lines; nobody sees another's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ..errors import Code
from ..models import (
    BillState,
    Line,
    LineStatus,
    SimKind,
    SimReason,
    SuspensionReason,
    TicketKind,
)
from ..ownership import owned
from ..port import Bss
from .calls import first_steps, refused, visible
from .cast import Cast


class AccountContract:
    """Finding people, switching lines, keeping customers apart."""

    async def test_a_customer_is_found_by_number_id_and_name(self, bss: Bss, cast: Cast) -> None:
        customer = await bss.customer(cast.customer)
        assert await bss.find_customer_by_number(cast.number) == customer
        assert await bss.find_customers_by_name(f"  {cast.name.upper()} ", cast.born) == (customer,)
        assert await bss.find_customers_by_name(cast.name, cast.born + timedelta(days=1)) == ()
        line = await bss.find_line_by_number(cast.number)
        assert line is not None
        assert line.id == cast.line

    @pytest.mark.parametrize("number", ["+12025550199", "+999", "", "hello", "'; drop table customer"])
    async def test_nobody_is_found_by_another_number(self, bss: Bss, number: str) -> None:
        assert await bss.find_customer_by_number(number) is None
        assert await bss.find_line_by_number(number) is None

    async def test_what_does_not_exist_is_not_found(self, bss: Bss, cast: Cast) -> None:
        for call in (
            bss.customer("nobody"), bss.line("nothing"), bss.device("nothing"), bss.offering("nothing"), bss.bill("nothing"),
            bss.order("nothing"), bss.ticket("nothing"), bss.lines("nobody"), bss.bills("nobody"), bss.orders("nobody"),
            bss.bill_lines("nothing"), bss.usage("nothing"), bss.data_usage("nothing"), bss.tickets("nobody"),
            bss.appointments("nobody"), bss.payments("nobody"), bss.service_problem("nothing"), bss.get_details_by_id("nothing"),
            bss.get_details_by_id(""), bss.eligibility(cast.line, "nothing"), bss.compare_bills("nothing"),
            bss.order_plan_change(cast.line, "nothing", "k"), bss.suspend_line("nothing", SuspensionReason.FRAUD, "k"),
            bss.send_one_time_code("+12025550199", "k"),
        ):  # fmt: skip
            assert (await refused(call)).code == Code.NOT_FOUND

    async def test_everything_with_an_id_is_found_by_it(self, bss: Bss, cast: Cast) -> None:
        ticket = await bss.create_ticket(cast.customer, TicketKind.OTHER, "hello", "k")
        bill = (await bss.bills(cast.customer))[0]
        line = await bss.line(cast.line)
        things: list[Any] = [await bss.customer(cast.customer), line, bill, (await bss.bill_lines(bill.id))[0], ticket]
        things += [await bss.offering(line.offering_id), *await bss.sim_cards(line.id), *await bss.devices(cast.customer)]
        things += [*await bss.service_problems(), *await bss.payments(cast.customer), *await bss.usage(line.id)]
        for thing in things:
            assert await bss.get_details_by_id(thing.id) == thing

    async def test_a_code_works_once_and_only_for_its_number(self, bss: Bss, cast: Cast) -> None:
        assert not await bss.verify_one_time_code(cast.number, "000000")
        sent = await bss.send_one_time_code(cast.number, "k")
        assert cast.number.endswith(sent.last_digits)
        assert len(sent.last_digits) == 2

    async def test_a_line_is_suspended_and_resumed(self, bss: Bss, cast: Cast) -> None:
        line = await bss.suspend_line(cast.line, SuspensionReason.LOST_OR_STOLEN, "a")
        assert (line.status, line.suspension_reason) == (LineStatus.SUSPENDED, SuspensionReason.LOST_OR_STOLEN)
        assert line.suspension_start is not None
        assert (await refused(bss.suspend_line(cast.line, SuspensionReason.FRAUD, "b"))).code == Code.ALREADY_DONE
        assert (await refused(bss.top_up_data(cast.line, Decimal(1), "c"))).code == Code.NOT_ELIGIBLE
        assert (await refused(bss.set_roaming(cast.line, False, "d"))).code == Code.NOT_ELIGIBLE
        line = await bss.resume_line(cast.line, "found", "e")
        assert (line.status, line.suspension_start, line.suspension_reason) == (LineStatus.ACTIVE, None, None)
        assert (await refused(bss.resume_line(cast.line, "found", "f"))).code == Code.ALREADY_DONE

    async def test_a_line_suspended_for_debt_comes_back_when_it_is_paid(self, bss: Bss, cast: Cast) -> None:
        error = await refused(bss.resume_line(cast.debtor_line, "please", "a"))
        assert (error.code, error.reasons) == (Code.NOT_ELIGIBLE, ("overdue_bill",))
        [overdue] = [bill for bill in await bss.bills(cast.debtor) if bill.state is BillState.OVERDUE]
        request = await bss.send_payment_request(cast.debtor, overdue.id, "b")
        assert (await bss.bill(overdue.id)).state is BillState.AWAITING_PAYMENT
        assert request.amount == overdue.remaining_amount
        payment = await bss.settle_payment_request(request.id, "c")
        assert payment.amount == overdue.remaining_amount
        assert (await bss.bill(overdue.id)).state is BillState.PAID
        assert (await bss.payments(cast.debtor))[0] == payment
        assert (await bss.resume_line(cast.debtor_line, "paid", "d")).status is LineStatus.ACTIVE

    async def test_a_line_whose_contract_ended_stays_suspended(self, bss: Bss, cast: Cast) -> None:
        error = await refused(bss.resume_line(cast.expired_line, "please", "a"))
        assert (error.code, error.reasons) == (Code.NOT_ELIGIBLE, ("contract_ended",))

    async def test_a_top_up_adds_data_and_a_charge(self, bss: Bss, cast: Cast) -> None:
        before = await bss.data_usage(cast.line)
        top_up = await bss.top_up_data(cast.line, Decimal("1.5"), "a")
        after = await bss.data_usage(cast.line)
        assert after.top_up_gb - before.top_up_gb == Decimal("1.5")
        [charge] = await bss.unbilled_charges(cast.customer)
        assert (charge.amount, charge.line_id, charge.bill_id) == (top_up.price, cast.line, None)
        for wrong in ("0", "-1", "50.1", "0.25"):
            assert (await refused(bss.top_up_data(cast.line, Decimal(wrong), f"w{wrong}"))).code == Code.INVALID

    async def test_a_new_sim_takes_over_when_it_is_activated(self, bss: Bss, cast: Cast) -> None:
        old = await bss.line(cast.line)
        sim = await bss.order_sim(cast.line, SimKind.ESIM, SimReason.LOST, "a")
        assert sim.activation_code is not None
        assert (await bss.line(cast.line)).sim_id == old.sim_id
        assert (await refused(bss.order_sim(cast.line, SimKind.SIM, SimReason.LOST, "b"))).code == Code.CONFLICT
        await bss.activate_sim(sim.id, "c")
        line = await bss.line(cast.line)
        assert (line.sim_id, line.sim_kind) == (sim.id, SimKind.ESIM)
        assert [s.status.value for s in await bss.sim_cards(cast.line)] == ["active", "inactive"]
        error = await refused(bss.order_sim(cast.old_phone_line, SimKind.ESIM, SimReason.SWITCH_KIND, "d"))
        assert (error.code, error.reasons) == (Code.NOT_ELIGIBLE, ("device_not_esim",))

    async def test_nothing_of_one_customer_shows_at_another(self, bss: Bss, cast: Cast) -> None:
        theirs = (await bss.bills(cast.debtor))[1]
        calls = [
            bss.send_payment_request(cast.customer, theirs.id, "a"),
            bss.compare_bills((await bss.bills(cast.customer))[0].id, theirs.id),
            bss.create_ticket(cast.customer, TicketKind.OTHER, "x", "b", related_id=cast.debtor_line),
            owned(bss, cast.customer, cast.debtor_line, Line),
            owned(bss, cast.customer, theirs.id, Line),
        ]
        for call in calls:
            assert (await refused(call)).code == Code.NOT_FOUND
        assert (await owned(bss, cast.customer, cast.line, Line)).id == cast.line

    async def test_lists_hold_one_customer_only(self, bss: Bss, cast: Cast) -> None:
        steps = await first_steps(bss, cast)
        for name in ("create_ticket", "top_up_data", "book_appointment", "order_plan_change", "send_payment_request"):
            await steps[name](name)
        for person in (cast.customer, cast.debtor):
            lists: Any = await asyncio.gather(
                bss.lines(person), bss.devices(person), bss.bills(person), bss.unbilled_charges(person), bss.orders(person),
                bss.payments(person), bss.payment_requests(person), bss.promises(person), bss.tickets(person), bss.appointments(person),
            )  # fmt: skip
            assert {thing.customer_id for things in lists for thing in things} == {person}

    async def test_writing_for_one_customer_leaves_the_others(self, bss: Bss, cast: Cast) -> None:
        others = (cast.debtor, cast.bound, cast.expired)
        before = [await visible(bss, other) for other in others]
        steps = await first_steps(bss, cast)
        for name in ("set_auto_pay", "set_roaming", "top_up_data", "create_ticket", "pay_bill", "order_plan_change"):
            await steps[name](name)
        assert [await visible(bss, other) for other in others] == before
