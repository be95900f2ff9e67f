"""The contract of the port, as tests any implementation runs.

    class TestMySystem(BssContract):
        @pytest.fixture
        async def bss(self): ...            # a fresh system for every test, filled with the personas of data/

Override `cast` where the ids differ. Needs pytest and pytest-asyncio (auto mode).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from .errors import BssError, Code
from .models import (
    AppointmentKind,
    BillState,
    EligibilityReason,
    Language,
    Line,
    LineStatus,
    Market,
    Money,
    OrderState,
    SimKind,
    SimReason,
    SuspensionReason,
    TicketKind,
    TicketStatus,
)
from .ownership import owned
from .port import Bss


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays what: ids that hold in the system under test. Lines are the customer's first."""

    name: str = "Emma Carter"
    born: date = date(1988, 4, 12)
    customer: str = "CUS-10001"
    """In good standing, one unpaid bill not yet due, an active limited line, a stored card."""
    number: str = "+12025550101"
    line: str = "LIN-10001-1"
    last4: str = "4242"
    dearer: str = "us-5g-unlimited"
    cheaper: str = "us-5g-start"
    debtor: str = "CUS-10002"
    """One overdue bill older than the latest, its line suspended for it."""
    debtor_line: str = "LIN-10002-1"
    expired: str = "CUS-10004"
    """A line suspended because its contract ended."""
    expired_line: str = "LIN-10004-2"
    bound: str = "CUS-10006"
    """Under contract with a fee for leaving."""
    bound_line: str = "LIN-10006-1"
    outage_customer: str = "CUS-10005"
    outage_line: str = "LIN-10005-1"
    old_phone_line: str = "LIN-10102-1"
    """On a device without 5G and without eSIM."""
    five_g_there: str = "kr-5g-slim"
    market: Market = Market.US
    area: str = "us-dc"


Write = Callable[[Bss, Cast, str], Awaitable[Any]]


async def _latest(bss: Bss, customer_id: str) -> str:
    return (await bss.bills(customer_id, 1))[0].id


async def _pay(bss: Bss, cast: Cast, key: str) -> Any:
    return await bss.pay_bill(await _latest(bss, cast.customer), cast.last4, key)


async def _request(bss: Bss, cast: Cast, key: str) -> Any:
    return await bss.send_payment_request(cast.customer, await _latest(bss, cast.customer), key)


async def _dispute(bss: Bss, cast: Cast, key: str) -> Any:
    return await bss.dispute_bill(await _latest(bss, cast.customer), "wrong", key)


async def _promise(bss: Bss, cast: Cast, key: str) -> Any:
    bill = (await bss.bills(cast.customer, 1))[0]
    # Always within the fourteen days of any implementation's calendar: the bill was made five to eight days ago.
    return await bss.promise_to_pay(bill.id, bill.bill_date + timedelta(days=10), key)


async def _book(bss: Bss, cast: Cast, key: str) -> Any:
    slot = await _slot(bss, cast, 0)
    return await bss.book_appointment(cast.customer, slot, key)


async def _slot(bss: Bss, cast: Cast, place: int) -> str:
    return (await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT))[place].id


async def _subscribe(bss: Bss, cast: Cast, key: str) -> Any:
    problem = (await bss.service_problems(line_id=cast.outage_line))[0]
    return await bss.subscribe_to_problem(problem.id, cast.outage_customer, key)


WRITES: dict[str, Write] = {
    "update_customer": lambda bss, cast, key: bss.update_customer(cast.customer, key, language=Language.KO),
    "set_auto_pay": lambda bss, cast, key: bss.set_auto_pay(cast.customer, True, key),
    "send_one_time_code": lambda bss, cast, key: bss.send_one_time_code(cast.number, key),
    "suspend_line": lambda bss, cast, key: bss.suspend_line(cast.line, SuspensionReason.LOST_OR_STOLEN, key),
    "set_roaming": lambda bss, cast, key: bss.set_roaming(cast.line, False, key),
    "top_up_data": lambda bss, cast, key: bss.top_up_data(cast.line, Decimal(2), key),
    "order_sim": lambda bss, cast, key: bss.order_sim(cast.line, SimKind.ESIM, SimReason.NEW_DEVICE, key),
    "order_plan_change": lambda bss, cast, key: bss.order_plan_change(cast.line, cast.dearer, key),
    "give_credit": lambda bss, cast, key: bss.give_credit(cast.customer, Money.of(5, cast.market.currency), "sorry", key),
    "pay_bill": _pay,
    "send_payment_request": _request,
    "dispute_bill": _dispute,
    "promise_to_pay": _promise,
    "report_problem": lambda bss, cast, key: bss.report_problem(cast.line, TicketKind.NETWORK, "no signal", key),
    "subscribe_to_problem": _subscribe,
    "create_ticket": lambda bss, cast, key: bss.create_ticket(cast.customer, TicketKind.OTHER, "question", key),
    "book_appointment": _book,
}
"""One legal call of every write that starts from nothing."""


async def _second_steps(bss: Bss, cast: Cast) -> dict[str, Callable[[str], Awaitable[Any]]]:
    """One legal call of every write that needs another before it."""
    order = await bss.order_plan_change(cast.line, cast.dearer, "first-order")
    request = await _request(bss, cast, "first-request")
    ticket = await bss.create_ticket(cast.customer, TicketKind.OTHER, "question", "first-ticket")
    sim = await bss.order_sim(cast.line, SimKind.ESIM, SimReason.NEW_DEVICE, "first-sim")
    visit = await _book(bss, cast, "first-visit")
    other = await bss.book_appointment(cast.customer, await _slot(bss, cast, 1), "second-visit")
    free = next(
        slot.id
        for slot in await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT)
        if slot.id not in (visit.slot_id, other.slot_id)
    )
    debt = (await bss.bills(cast.debtor, 1))[0]
    await bss.dispute_bill(debt.id, "wrong", "first-dispute")
    asked = await bss.send_payment_request(cast.debtor, (await bss.bills(cast.debtor, 2))[1].id, "debtor-request")
    await bss.suspend_line(cast.bound_line, SuspensionReason.CUSTOMER_REQUEST, "first-suspension")
    return {
        "cancel_order": lambda key: bss.cancel_order(order.id, key),
        "settle_payment_request": lambda key: bss.settle_payment_request(request.id, key),
        "cancel_payment_request": lambda key: bss.cancel_payment_request(asked.id, key),
        "withdraw_dispute": lambda key: bss.withdraw_dispute(debt.id, key),
        "update_ticket": lambda key: bss.update_ticket(ticket.id, key, note="called back"),
        "activate_sim": lambda key: bss.activate_sim(sim.id, key),
        "move_appointment": lambda key: bss.move_appointment(visit.id, free, key),
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


class BssContract:
    """Subclass with a fixture `bss`."""

    @pytest.fixture
    def cast(self) -> Cast:
        return Cast()

    async def _everything(self, bss: Bss, cast: Cast) -> list[Any]:
        people = (cast.customer, cast.debtor, cast.bound, cast.outage_customer)
        return [await visible(bss, person) for person in people]

    # -- keys

    @pytest.mark.parametrize("name", WRITES)
    async def test_a_write_repeated_under_its_key_happens_once(self, bss: Bss, cast: Cast, name: str) -> None:
        await self._once(bss, cast, lambda key: WRITES[name](bss, cast, key), name)

    @pytest.mark.parametrize("name", SECOND_STEPS)
    async def test_a_second_step_repeated_under_its_key_happens_once(self, bss: Bss, cast: Cast, name: str) -> None:
        steps = await _second_steps(bss, cast)
        assert set(steps) == set(SECOND_STEPS)
        await self._once(bss, cast, steps[name], name)

    async def _once(self, bss: Bss, cast: Cast, write: Callable[[str], Awaitable[Any]], name: str) -> None:
        assert await bss.result_of("the-key") is None
        before = await self._everything(bss, cast)
        together = await asyncio.gather(write("the-key"), write("the-key"), write("the-key"))
        after = await self._everything(bss, cast)
        if name != "send_one_time_code":
            assert after != before
        assert together[0] == together[1] == together[2]
        assert await bss.result_of("the-key") == together[0]

    @pytest.mark.parametrize("name", ["top_up_data", "set_roaming", "order_plan_change", "create_ticket", "update_customer"])
    async def test_a_later_repetition_answers_the_same_and_changes_nothing(self, bss: Bss, cast: Cast, name: str) -> None:
        first = await WRITES[name](bss, cast, "k")
        after = await self._everything(bss, cast)
        assert await WRITES[name](bss, cast, "k") == first
        assert await self._everything(bss, cast) == after

    async def test_a_key_is_for_one_request(self, bss: Bss, cast: Cast) -> None:
        await bss.top_up_data(cast.line, Decimal(2), "k")
        after = await self._everything(bss, cast)
        assert (await refused(bss.top_up_data(cast.line, Decimal(3), "k"))).code == Code.KEY_REUSED
        assert (await refused(bss.set_roaming(cast.line, False, "k"))).code == Code.KEY_REUSED
        assert await self._everything(bss, cast) == after

    async def test_a_refused_write_leaves_its_key_free(self, bss: Bss, cast: Cast) -> None:
        assert (await refused(bss.top_up_data(cast.line, Decimal(-1), "k"))).code == Code.INVALID
        assert await bss.result_of("k") is None
        assert (await bss.top_up_data(cast.line, Decimal(1), "k")).gb == 1

    async def test_a_write_needs_a_key(self, bss: Bss, cast: Cast) -> None:
        assert (await refused(bss.set_roaming(cast.line, False, ""))).code == Code.INVALID

    # -- customers

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

    # -- lines

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

    # -- plans

    async def test_plans_are_listed_and_found_by_name(self, bss: Bss, cast: Cast) -> None:
        plans = await bss.offerings(cast.market)
        assert list(plans) == sorted(plans, key=lambda plan: plan.price.amount)
        assert {plan.price.currency for plan in plans} == {cast.market.currency}
        for plan in plans:
            assert await bss.find_offerings_by_name(plan.name.en.lower(), cast.market) == (plan,)
            assert await bss.find_offerings_by_name(f" {plan.name.ko} 요금제", cast.market) == (plan,)
        assert await bss.find_offerings_by_name("zzzzzz", cast.market) == ()
        retired = set(await bss.offerings(cast.market, include_retired=True)) - set(plans)
        for plan in retired:
            assert plan not in await bss.find_offerings_by_name(plan.name.en, cast.market)

    async def test_a_dearer_plan_starts_at_once_and_is_undone(self, bss: Bss, cast: Cast) -> None:
        before = await visible(bss, cast.customer)
        terms = await bss.eligibility(cast.line, cast.dearer)
        assert terms.eligible
        assert terms.new_price > terms.current_price
        assert not terms.early_termination_fee
        order = await bss.order_plan_change(cast.line, cast.dearer, "a")
        assert (order.state, order.due_now) == (OrderState.COMPLETED, terms.due_now)
        assert (await bss.line(cast.line)).offering_id == cast.dearer
        assert Money.total((c.amount for c in await bss.unbilled_charges(cast.customer)), "USD") == terms.due_now
        again = await refused(bss.order_plan_change(cast.line, cast.dearer, "b"))
        assert (again.code, again.reasons) == (Code.NOT_ELIGIBLE, (EligibilityReason.ALREADY_ON_PLAN.value,))
        assert (await bss.cancel_order(order.id, "c")).state is OrderState.CANCELLED
        assert (await refused(bss.cancel_order(order.id, "d"))).code == Code.ALREADY_DONE
        after = await visible(bss, cast.customer)
        # All but the order itself is as it was.
        assert before[:7] + before[8:] == after[:7] + after[8:]

    async def test_a_cheaper_plan_waits_for_the_next_cycle(self, bss: Bss, cast: Cast) -> None:
        usage = await bss.data_usage(cast.line)
        order = await bss.order_plan_change(cast.line, cast.cheaper, "a")
        assert (order.state, order.effective_date) == (OrderState.ACKNOWLEDGED, usage.cycle_end + timedelta(days=1))
        assert (await bss.line(cast.line)).offering_id == order.from_offering_id
        assert await bss.unbilled_charges(cast.customer) == ()
        error = await refused(bss.order_plan_change(cast.line, cast.dearer, "b"))
        assert error.reasons == (EligibilityReason.ORDER_OPEN.value,)
        await bss.cancel_order(order.id, "c")
        assert (await bss.eligibility(cast.line, cast.dearer)).eligible

    async def test_leaving_a_contract_early_costs_a_fee(self, bss: Bss, cast: Cast) -> None:
        line = await bss.line(cast.bound_line)
        plan = await bss.offering(line.offering_id)
        terms = await bss.eligibility(cast.bound_line, cast.cheaper)
        assert terms.eligible
        fee = plan.early_termination_per_month.amount
        assert terms.early_termination_fee.amount > 0
        assert terms.early_termination_fee.amount % fee == 0
        assert terms.due_now == terms.early_termination_fee

    async def test_who_cannot_have_a_plan_is_told_why(self, bss: Bss, cast: Cast) -> None:
        reasons = (await bss.eligibility(cast.debtor_line, cast.dearer)).reasons
        assert {EligibilityReason.LINE_NOT_ACTIVE, EligibilityReason.OVERDUE_BILL} <= set(reasons)
        assert EligibilityReason.OTHER_MARKET in (await bss.eligibility(cast.line, cast.five_g_there)).reasons
        assert EligibilityReason.DEVICE_NOT_5G in (await bss.eligibility(cast.old_phone_line, cast.five_g_there)).reasons

    # -- bills

    async def test_bills_come_newest_first_and_add_up(self, bss: Bss, cast: Cast) -> None:
        for person in (cast.customer, cast.debtor, cast.bound):
            bills = await bss.bills(person, 100)
            assert [bill.bill_date for bill in bills] == sorted((bill.bill_date for bill in bills), reverse=True)
            assert await bss.bills(person, 3) == bills[:3]
            for bill in bills:
                lines = await bss.bill_lines(bill.id)
                assert Money.total((line.amount for line in lines), bill.amount_due.currency) == bill.amount_due
                assert {line.customer_id for line in lines} == {person}
                assert (bill.state is BillState.PAID) is (not bill.remaining_amount)

    async def test_a_comparison_explains_the_whole_difference(self, bss: Bss, cast: Cast) -> None:
        bills = await bss.bills(cast.customer)
        for new, old in pairwise(bills):
            comparison = await bss.compare_bills(new.id)
            assert comparison == await bss.compare_bills(new.id, old.id)
            parts = [difference.difference for difference in comparison.differences]
            assert Money.total(parts, "USD") == comparison.total_difference == new.amount_due - old.amount_due
            assert [abs(part) for part in parts] == sorted((abs(part) for part in parts), reverse=True)
        first = (await bss.bills(cast.customer, 100))[-1]
        assert (await refused(bss.compare_bills(first.id))).code == Code.NOT_FOUND
        assert (await refused(bss.compare_bills(bills[1].id, bills[0].id))).code == Code.INVALID

    async def test_one_payment_request_at_a_time(self, bss: Bss, cast: Cast) -> None:
        latest, older = (await bss.bills(cast.debtor))[:2]
        request = await bss.send_payment_request(cast.debtor, older.id, "a")
        assert (await refused(bss.send_payment_request(cast.debtor, latest.id, "b"))).code == Code.CONFLICT
        await bss.cancel_payment_request(request.id, "c")
        assert await bss.bill(older.id) == older
        assert (await bss.send_payment_request(cast.debtor, latest.id, "d")).bill_id == latest.id

    async def test_paying_ends_the_request_that_was_out(self, bss: Bss, cast: Cast) -> None:
        request = await _request(bss, cast, "a")
        payment = await bss.pay_bill(request.bill_id, cast.last4, "b")
        assert payment.last4 == cast.last4
        assert (await refused(bss.settle_payment_request(request.id, "c"))).code == Code.ALREADY_DONE
        assert (await refused(bss.pay_bill(request.bill_id, cast.last4, "d"))).code == Code.ALREADY_DONE

    async def test_a_promise_lifts_the_bar_and_is_kept_by_paying(self, bss: Bss, cast: Cast) -> None:
        [overdue] = [bill for bill in await bss.bills(cast.debtor) if bill.state is BillState.OVERDUE]
        latest = (await bss.bills(cast.debtor, 1))[0]
        promised = latest.bill_date + timedelta(days=10)
        await bss.promise_to_pay(overdue.id, promised, "a")
        assert (await bss.resume_line(cast.debtor_line, "promised", "b")).status is LineStatus.ACTIVE
        again = await refused(bss.promise_to_pay(latest.id, promised, "c"))
        assert (again.code, again.reasons) == (Code.NOT_ELIGIBLE, ("recent_extension",))
        request = await bss.send_payment_request(cast.debtor, overdue.id, "d")
        await bss.settle_payment_request(request.id, "e")
        assert [promise.status.value for promise in await bss.promises(cast.debtor)] == ["kept"]

    async def test_a_promise_is_soon_and_not_past(self, bss: Bss, cast: Cast) -> None:
        bill = (await bss.bills(cast.customer, 1))[0]
        for days in (-1, 60):
            late = bss.promise_to_pay(bill.id, bill.bill_date + timedelta(days=days), f"d{days}")
            assert (await refused(late)).code == Code.INVALID

    async def test_a_dispute_is_made_and_withdrawn(self, bss: Bss, cast: Cast) -> None:
        before = (await bss.bills(cast.customer, 1))[0]
        disputed = await _dispute(bss, cast, "a")
        assert (disputed.state, disputed.dispute_reason) == (BillState.DISPUTED, "wrong")
        assert (await refused(_request(bss, cast, "b"))).code == Code.NOT_ELIGIBLE
        assert await bss.withdraw_dispute(disputed.id, "c") == before

    async def test_goodwill_has_an_end(self, bss: Bss, cast: Cast) -> None:
        credit = await bss.give_credit(cast.customer, Money.of(5, "USD"), "sorry", "a")
        assert credit.amount == Money.of(-5, "USD")
        assert (await bss.customer(cast.customer)).goodwill_credit_used == Money.of(5, "USD")
        assert (await refused(bss.give_credit(cast.customer, Money.of(10_000, "USD"), "x", "b"))).code == Code.NOT_ELIGIBLE
        for wrong in (Money.of(-1, "USD"), Money.of(0, "USD"), Money.of(1, "KRW")):
            assert (await refused(bss.give_credit(cast.customer, wrong, "x", f"w{wrong}"))).code == Code.INVALID

    # -- care

    async def test_an_outage_is_found_by_area_and_by_line(self, bss: Bss, cast: Cast) -> None:
        by_line = await bss.service_problems(line_id=cast.outage_line)
        customer = await bss.customer(cast.outage_customer)
        assert by_line
        assert by_line == await bss.service_problems(area_id=customer.area_id)
        assert all(problem.current for problem in await bss.service_problems())
        assert set(by_line) < set(await bss.service_problems(include_resolved=True))
        assert customer in await bss.affected_customers(by_line[0].id)
        assert await bss.customer(cast.customer) not in await bss.affected_customers(by_line[0].id)
        assert by_line[0].affected_count == len(await bss.affected_customers(by_line[0].id))

    async def test_a_report_is_tied_to_the_known_outage(self, bss: Bss, cast: Cast) -> None:
        problem = (await bss.service_problems(line_id=cast.outage_line))[0]
        known = await bss.report_problem(cast.outage_line, TicketKind.NETWORK, "no data", "a")
        other = await bss.report_problem(cast.outage_line, TicketKind.DEVICE, "broken", "b")
        elsewhere = await bss.report_problem(cast.line, TicketKind.NETWORK, "no data", "c")
        assert [known.related_id, other.related_id, elsewhere.related_id] == [problem.id, cast.outage_line, cast.line]

    async def test_a_customer_is_told_once(self, bss: Bss, cast: Cast) -> None:
        wish = await _subscribe(bss, cast, "a")
        assert (await refused(_subscribe(bss, cast, "b"))).code == Code.ALREADY_DONE
        assert await bss.problem_subscriptions(wish.problem_id) == (wish,)

    async def test_a_ticket_is_made_noted_and_closed(self, bss: Bss, cast: Cast) -> None:
        ticket = await bss.create_ticket(cast.customer, TicketKind.BILLING, "why", "a", related_id=cast.line)
        assert (await refused(bss.update_ticket(ticket.id, "b"))).code == Code.INVALID
        ticket = await bss.update_ticket(ticket.id, "c", note="looked", author="agent", status=TicketStatus.CLOSED)
        assert [(note.author, note.text) for note in ticket.notes] == [("agent", "looked")]
        assert await bss.tickets(cast.customer, open_only=True) == ()
        assert await bss.tickets(cast.customer) == (ticket,)
        assert (await refused(bss.update_ticket(ticket.id, "d", note="more"))).code == Code.NOT_ELIGIBLE
        assert (await refused(bss.create_ticket(cast.customer, TicketKind.OTHER, " ", "e"))).code == Code.INVALID

    async def test_a_visit_is_booked_moved_and_cancelled(self, bss: Bss, cast: Cast) -> None:
        slots = await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT, limit=4)
        assert len(slots) == 4
        assert [slot.start for slot in slots] == sorted(slot.start for slot in slots)
        visit = await bss.book_appointment(cast.customer, slots[0].id, "a")
        assert (visit.start, visit.end) == (slots[0].start, slots[0].end)
        assert (await refused(bss.move_appointment(visit.id, slots[0].id, "b"))).code == Code.ALREADY_DONE
        assert (await bss.move_appointment(visit.id, slots[2].id, "c")).start == slots[2].start
        assert [a.id for a in await bss.appointments(cast.customer)] == [visit.id]
        assert (await bss.cancel_appointment(visit.id, "d")).status.value == "cancelled"
        assert (await refused(bss.cancel_appointment(visit.id, "e"))).code == Code.ALREADY_DONE
        assert (await refused(bss.book_appointment(cast.customer, "SLOT.x", "f"))).code == Code.NOT_FOUND

    async def test_a_window_is_never_booked_beyond_its_room(self, bss: Bss, cast: Cast) -> None:
        slot = await _slot(bss, cast, 0)
        tries = (bss.book_appointment(cast.customer, slot, f"k{n}") for n in range(6))
        results = await asyncio.gather(*tries, return_exceptions=True)
        booked = [result for result in results if not isinstance(result, BaseException)]
        assert 1 <= len(booked) < 6
        assert {r.code for r in results if isinstance(r, BssError)} == {Code.CONFLICT}
        assert slot not in [s.id for s in await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT)]

    # -- nobody else's

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
        for name in WRITES:
            await WRITES[name](bss, cast, name) if name in ("create_ticket", "top_up_data", "book_appointment") else None
        for person in (cast.customer, cast.debtor):
            lists: Any = await asyncio.gather(
                bss.lines(person), bss.devices(person), bss.bills(person), bss.unbilled_charges(person), bss.orders(person),
                bss.payments(person), bss.payment_requests(person), bss.promises(person), bss.tickets(person), bss.appointments(person),
            )  # fmt: skip
            assert {thing.customer_id for things in lists for thing in things} == {person}

    async def test_writing_for_one_customer_leaves_the_others(self, bss: Bss, cast: Cast) -> None:
        others = (cast.debtor, cast.bound, cast.expired)
        before = [await visible(bss, other) for other in others]
        for name in ("set_auto_pay", "set_roaming", "top_up_data", "create_ticket", "pay_bill", "order_plan_change"):
            await WRITES[name](bss, cast, name)
        assert [await visible(bss, other) for other in others] == before
