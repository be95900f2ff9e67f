"""A database kept for months lives on."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.bss.embedded import EmbeddedOperator
from integrations.bss.embedded.rules import add_months
from integrations.bss.models import BillState, ChargeType, DifferenceReason, Money, OrderState, SuspensionReason

from .conftest import Clock

EMMA, EMMA_LINE = "CUS-10001", "LIN-10001-1"


async def _month(operator: EmbeddedOperator, clock: Clock, customer_id: str = EMMA) -> None:
    """To the day the next bill is made."""
    line = (await operator.lines(customer_id))[0]
    usage = await operator.data_usage(line.id)
    clock.advance(days=(usage.cycle_end - clock().date()).days + 2)
    await operator.run_day()


async def test_a_day_done_twice_changes_nothing(operator: EmbeddedOperator, clock: Clock) -> None:
    assert await operator.run_day() == 0
    clock.advance(days=40)
    assert await operator.run_day() == 17
    bills = await operator.bills(EMMA, 100)
    assert await operator.run_day() == 0
    assert await operator.bills(EMMA, 100) == bills


async def test_the_next_bill_holds_what_came_up(operator: EmbeddedOperator, clock: Clock) -> None:
    old = (await operator.bills(EMMA))[0]
    await operator.pay_bill(old.id, "4242", "pay")
    top_up = await operator.top_up_data(EMMA_LINE, Decimal(3), "top")
    credit = await operator.give_credit(EMMA, Money.of(5, "USD"), "sorry", "credit")
    await _month(operator, clock)
    new = (await operator.bills(EMMA))[0]
    assert new.period_start == old.bill_date
    lines = await operator.bill_lines(new.id)
    assert Money.total((line.amount for line in lines), "USD") == new.amount_due
    amounts = {line.type: line.amount for line in lines}
    assert amounts[ChargeType.EXTRA_DATA] == top_up.price
    assert amounts[ChargeType.CREDIT] == credit.amount
    assert amounts[ChargeType.PLAN] == Money.of(55, "USD")
    assert ChargeType.LATE_FEE not in amounts
    assert lines[-1].type is ChargeType.TAX
    assert await operator.unbilled_charges(EMMA) == ()
    usage = await operator.data_usage(EMMA_LINE)
    assert (usage.used_gb, usage.top_up_gb, usage.cycle_start) == (Decimal(0), Decimal(0), new.bill_date)
    reasons = {difference.reason for difference in (await operator.compare_bills(new.id)).differences}
    assert {DifferenceReason.LESS_ROAMING, DifferenceReason.CREDIT_GIVEN, DifferenceReason.EXTRA_DATA} <= reasons


async def test_instalments_run_out(operator: EmbeddedOperator, clock: Clock) -> None:
    device = (await operator.devices(EMMA))[0]
    for _ in range(device.instalments_left):
        await _month(operator, clock)
    device = (await operator.devices(EMMA))[0]
    assert (device.instalments_left, device.instalment) == (0, None)
    await _month(operator, clock)
    comparison = await operator.compare_bills((await operator.bills(EMMA))[0].id)
    assert DifferenceReason.INSTALMENT_ENDED in {difference.reason for difference in comparison.differences}


async def test_an_unpaid_bill_becomes_overdue_and_costs_a_fee(operator: EmbeddedOperator, clock: Clock) -> None:
    bill = (await operator.bills(EMMA))[0]
    clock.advance(days=(bill.due_date - clock().date()).days + 2)
    await operator.run_day()
    assert (await operator.bill(bill.id)).state is BillState.OVERDUE
    await _month(operator, clock)
    fees = [line for line in await operator.bill_lines((await operator.bills(EMMA))[0].id) if line.type is ChargeType.LATE_FEE]
    assert len(fees) == 1


async def test_a_promise_saves_the_fee_until_it_is_broken(operator: EmbeddedOperator, clock: Clock) -> None:
    bill = (await operator.bills(EMMA))[0]
    clock.advance(days=(bill.due_date - clock().date()).days + 1)
    await operator.promise_to_pay(bill.id, clock().date() + timedelta(days=14), "promise")
    await _month(operator, clock)
    newest = (await operator.bills(EMMA))[0]
    assert ChargeType.LATE_FEE not in {line.type for line in await operator.bill_lines(newest.id)}
    clock.advance(days=10)
    await operator.run_day()
    assert [promise.status.value for promise in await operator.promises(EMMA)] == ["broken"]


async def test_auto_pay_pays_when_due(operator: EmbeddedOperator, clock: Clock) -> None:
    bill = (await operator.bills("CUS-10007"))[0]
    assert bill.state is BillState.ISSUED
    clock.advance(days=20)
    await operator.run_day()
    assert (await operator.bill(bill.id)).state is BillState.PAID
    assert (await operator.payments("CUS-10007"))[0].method == "auto_pay"


async def test_a_cheaper_plan_starts_with_its_cycle(operator: EmbeddedOperator, clock: Clock) -> None:
    line = await operator.line("LIN-10006-1")
    terms = await operator.eligibility(line.id, "us-5g-start")
    order = await operator.order_plan_change(line.id, "us-5g-start", "down")
    await _month(operator, clock, "CUS-10006")
    line = await operator.line(line.id)
    assert (await operator.order(order.id)).state is OrderState.COMPLETED
    assert (line.offering_id, line.contract_end, line.data_limit_gb) == ("us-5g-start", terms.contract_end, Decimal(20))
    newest = (await operator.bills("CUS-10006"))[0]
    plans = [rate.code for rate in await operator.bill_lines(newest.id) if rate.type is ChargeType.PLAN]
    assert plans == ["us-5g-max"]
    [fee] = await operator.unbilled_charges("CUS-10006")
    assert (fee.type, fee.amount) == (ChargeType.EARLY_TERMINATION, terms.early_termination_fee)
    await _month(operator, clock, "CUS-10006")
    comparison = await operator.compare_bills((await operator.bills("CUS-10006"))[0].id)
    reasons = {difference.reason for difference in comparison.differences}
    assert {DifferenceReason.PLAN_CHANGED, DifferenceReason.EARLY_TERMINATION} <= reasons


async def test_a_dearer_plan_is_billed_by_days_and_then_in_full(operator: EmbeddedOperator, clock: Clock) -> None:
    terms = await operator.eligibility(EMMA_LINE, "us-5g-max")
    await operator.order_plan_change(EMMA_LINE, "us-5g-max", "up")
    await _month(operator, clock)
    rates = {rate.type: rate for rate in await operator.bill_lines((await operator.bills(EMMA))[0].id)}
    assert rates[ChargeType.PLAN].code == "us-5g-plus"
    assert rates[ChargeType.PRORATION].amount == terms.proration
    await _month(operator, clock)
    rates = {rate.type: rate for rate in await operator.bill_lines((await operator.bills(EMMA))[0].id)}
    assert (rates[ChargeType.PLAN].code, ChargeType.PRORATION in rates) == ("us-5g-max", False)


async def test_a_change_undone_after_its_bill_is_given_back(operator: EmbeddedOperator, clock: Clock) -> None:
    await operator.pay_bill((await operator.bills(EMMA))[0].id, "4242", "pay")
    usage = await operator.data_usage(EMMA_LINE)
    clock.advance(days=(usage.cycle_end - clock().date()).days - 1)
    order = await operator.order_plan_change(EMMA_LINE, "us-5g-max", "up")
    await _month(operator, clock)
    await operator.cancel_order(order.id, "undo")
    [credit] = await operator.unbilled_charges(EMMA)
    assert (credit.type, credit.amount) == (ChargeType.CREDIT, -order.due_now)
    assert (await operator.line(EMMA_LINE)).offering_id == "us-5g-plus"


async def test_a_plan_change_cannot_be_undone_for_ever(operator: EmbeddedOperator, clock: Clock) -> None:
    order = await operator.order_plan_change(EMMA_LINE, "us-5g-max", "up")
    clock.now = order.undo_until + timedelta(seconds=1)
    with pytest.raises(Exception, match="no longer be undone") as caught:
        await operator.cancel_order(order.id, "undo")
    assert caught.value.code == "not_eligible"  # type: ignore[attr-defined]


async def test_a_file_opened_months_later_is_up_to_date(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/operator.db"
    async with EmbeddedOperator.open(url, now=clock, customers=0) as operator:
        await operator.suspend_line(EMMA_LINE, SuspensionReason.LOST_OR_STOLEN, "lost")
        bills = await operator.bills(EMMA, 100)
    clock.advance(days=100)
    async with EmbeddedOperator.open(url, now=clock, customers=300) as operator:
        later = await operator.bills(EMMA, 100)
        assert len(later) == len(bills) + 3
        assert [bill.id for bill in later[3:]] == [bill.id for bill in bills]
        assert (await operator.line(EMMA_LINE)).suspension_reason is SuspensionReason.LOST_OR_STOLEN
        assert await operator.result_of("lost") is not None
        for customer_id in ("CUS-10001", "CUS-10003", "CUS-10103"):
            for bill in await operator.bills(customer_id, 4):
                total = Money.total((line.amount for line in await operator.bill_lines(bill.id)), bill.amount_due.currency)
                assert total == bill.amount_due


async def test_months_made_up_at_once_follow_the_orders_in_time(operator: EmbeddedOperator, clock: Clock) -> None:
    usage = await operator.data_usage("LIN-10006-1")
    await operator.order_plan_change("LIN-10006-1", "us-5g-start", "down")
    clock.now = datetime.combine(add_months(usage.cycle_end, 1), time(12), UTC) + timedelta(days=2)
    await operator.run_day()
    plans = []
    for bill in reversed(await operator.bills("CUS-10006", 2)):
        plans += [rate.code for rate in await operator.bill_lines(bill.id) if rate.type is ChargeType.PLAN]
    assert plans == ["us-5g-max", "us-5g-start"]
