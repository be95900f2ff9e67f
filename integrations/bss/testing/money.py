"""Contract: plans, bills, payments."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from ..errors import Code
from ..models import (
    BillState,
    CustomerBill,
    EligibilityReason,
    LineStatus,
    Money,
    OrderState,
    PaymentRequest,
)
from ..port import Bss
from .calls import latest_bill, refused, visible
from .cast import Cast


class MoneyContract:
    """What things cost, what is owed, how it is paid."""

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
        request = await self._ask(bss, cast, "a")
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
        disputed = await self._dispute(bss, cast, "a")
        assert (disputed.state, disputed.dispute_reason) == (BillState.DISPUTED, "wrong")
        assert (await refused(self._ask(bss, cast, "b"))).code == Code.NOT_ELIGIBLE
        assert await bss.withdraw_dispute(disputed.id, "c") == before

    async def test_goodwill_has_an_end(self, bss: Bss, cast: Cast) -> None:
        credit = await bss.give_credit(cast.customer, Money.of(5, "USD"), "sorry", "a")
        assert credit.amount == Money.of(-5, "USD")
        assert (await bss.customer(cast.customer)).goodwill_credit_used == Money.of(5, "USD")
        assert (await refused(bss.give_credit(cast.customer, Money.of(10_000, "USD"), "x", "b"))).code == Code.NOT_ELIGIBLE
        for wrong in (Money.of(-1, "USD"), Money.of(0, "USD"), Money.of(1, "KRW")):
            assert (await refused(bss.give_credit(cast.customer, wrong, "x", f"w{wrong}"))).code == Code.INVALID

    async def _ask(self, bss: Bss, cast: Cast, key: str) -> PaymentRequest:
        return await bss.send_payment_request(cast.customer, (await latest_bill(bss, cast.customer)).id, key)

    async def _dispute(self, bss: Bss, cast: Cast, key: str) -> CustomerBill:
        return await bss.dispute_bill((await latest_bill(bss, cast.customer)).id, "wrong", key)
