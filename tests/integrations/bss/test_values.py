"""Money, comparison, recommendation, JSON and rows: the pure parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.bss import LocalText, Market, Money, compare_bills, from_json, recommend_offerings, to_json
from integrations.bss.embedded.codec import decode, encode
from integrations.bss.embedded.offers import quote
from integrations.bss.embedded.rules import Cycle, add_months, months_left
from integrations.bss.embedded.seed import seed
from integrations.bss.embedded.sources import default_data, read_sources
from integrations.bss.models import AppliedBillingRate, BillState, ChargeType, CustomerBill, DifferenceReason, Line, Usage

from .conftest import NOW

SOURCES = read_sources(default_data())
KINDS = seed(SOURCES, NOW, 0, 1).kinds
CENTS = st.integers(-(10**7), 10**7)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


# -- money


@given(a=CENTS, b=CENTS)
def test_money_is_exact(a: int, b: int) -> None:
    one, two = (Money(Decimal(cents) / 100, "USD") for cents in (a, b))
    assert (one + two).amount == Decimal(a + b) / 100
    assert one - two == -(two - one)
    assert (one < two) is (a < b)
    assert bool(one) is bool(a)
    assert str(one).count(".") == 1


def test_money_refuses_what_would_lose_money() -> None:
    with pytest.raises(ValueError, match="decimal places"):
        Money(Decimal("1.005"), "USD")
    with pytest.raises(ValueError, match="decimal places"):
        Money(Decimal("0.5"), "KRW")
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal("NaN"), "USD")
    with pytest.raises(ValueError, match="cannot combine"):
        Money.of(1, "USD") + Money.of(1, "KRW")
    with pytest.raises(ValueError, match="currency"):
        Money.of(1, "XYZ")
    for wrong in (1.5, "1"):
        with pytest.raises(TypeError):
            Money(wrong, "USD")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money.of(1.5, "USD")  # type: ignore[arg-type]
    assert Money.of("0.005", "USD") == Money(Decimal("0.01"), "USD")
    assert Money(Decimal(5), "USD") == Money(Decimal("5.00"), "USD")
    assert str(Money(Decimal("5E+1"), "USD")) == "50.00 USD"


# -- storing


def test_everything_seeded_survives_rows_and_json() -> None:
    for kind, entities in KINDS.items():
        for entity in entities:
            assert decode(kind, encode(entity)) == entity
            assert from_json(kind, to_json(entity)) == entity


def test_instants_need_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        to_json(NOW.replace(tzinfo=None))
    assert to_json(NOW) == NOW.astimezone(UTC).isoformat(timespec="microseconds")


# -- calendar


@given(day=DAYS, bill_day=st.integers(1, 28))
def test_every_day_is_in_one_cycle(day: date, bill_day: int) -> None:
    cycle = Cycle.around(day, bill_day)
    assert cycle.start <= day <= cycle.end
    assert cycle.start.day == bill_day
    assert 28 <= cycle.days <= 31
    assert Cycle.around(cycle.bill_date, bill_day) == cycle.shifted(1)
    assert cycle.shifted(5).shifted(-5) == cycle


@given(day=DAYS, months=st.integers(1, 36))
def test_months_left_counts_started_months(day: date, months: int) -> None:
    assert months_left(day, add_months(day, months) - timedelta(days=1)) == months
    assert months_left(day, day - timedelta(days=1)) == 0
    assert months_left(day, day) == 1


# -- comparison

BILL: CustomerBill = KINDS[CustomerBill][0]
RATES = st.lists(
    st.builds(
        AppliedBillingRate,
        id=st.just("x"),
        customer_id=st.just("CUS-1"),
        bill_id=st.just("B"),
        line_id=st.sampled_from(["L1", "L2", None]),
        type=st.sampled_from(ChargeType),
        code=st.sampled_from(["a", "b"]),
        name=st.just(LocalText("a", "a")),
        amount=CENTS.map(lambda cents: Money(Decimal(cents) / 100, "USD")),
        quantity=st.none(),
        unit=st.none(),
        date=st.just(date(2026, 1, 1)),
    ),
    max_size=12,
)


def _bill(rates: list[AppliedBillingRate], identity: str) -> CustomerBill:
    total = Money.total((rate.amount for rate in rates), "USD")
    return replace(BILL, id=identity, customer_id="CUS-1", amount_due=total, remaining_amount=total, state=BillState.ISSUED)


@given(new=RATES, old=RATES)
def test_the_parts_are_the_whole_difference(new: list[AppliedBillingRate], old: list[AppliedBillingRate]) -> None:
    comparison = compare_bills(_bill(new, "n"), new, _bill(old, "o"), old)
    assert Money.total((d.difference for d in comparison.differences), "USD") == comparison.total_difference
    assert all(d.difference == d.after - d.before and d.difference for d in comparison.differences)
    sizes = [abs(d.difference.amount) for d in comparison.differences]
    assert sizes == sorted(sizes, reverse=True)
    assert len({(d.type, d.line_id) for d in comparison.differences}) == len(sizes)
    mirrored = compare_bills(_bill(old, "o"), old, _bill(new, "n"), new)
    assert mirrored.total_difference == -comparison.total_difference


def _rate(kind: ChargeType, amount: str, code: str = "a", line_id: str | None = "L1") -> AppliedBillingRate:
    name = LocalText(code, code)
    money = Money(Decimal(amount), "USD")
    return AppliedBillingRate("x", "CUS-1", "B", line_id, kind, code, name, money, None, None, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("new", "old", "reason"),
    [
        ([], [_rate(ChargeType.DISCOUNT, "-5", "welcome")], DifferenceReason.DISCOUNT_ENDED),
        ([_rate(ChargeType.DISCOUNT, "-5", "welcome")], [], DifferenceReason.DISCOUNT_STARTED),
        ([_rate(ChargeType.DISCOUNT, "-4")], [_rate(ChargeType.DISCOUNT, "-5")], DifferenceReason.DISCOUNT_CHANGED),
        ([_rate(ChargeType.ROAMING, "10")], [], DifferenceReason.ROAMING_USED),
        ([], [_rate(ChargeType.ROAMING, "10")], DifferenceReason.LESS_ROAMING),
        ([_rate(ChargeType.EXTRA_DATA, "10")], [_rate(ChargeType.EXTRA_DATA, "4")], DifferenceReason.EXTRA_DATA),
        ([_rate(ChargeType.DEVICE_INSTALMENT, "9")], [], DifferenceReason.INSTALMENT_STARTED),
        ([], [_rate(ChargeType.DEVICE_INSTALMENT, "9")], DifferenceReason.INSTALMENT_ENDED),
        ([_rate(ChargeType.CREDIT, "-9")], [], DifferenceReason.CREDIT_GIVEN),
        ([_rate(ChargeType.LATE_FEE, "9")], [], DifferenceReason.LATE_FEE),
        ([_rate(ChargeType.TAX, "9", line_id=None)], [], DifferenceReason.TAX_CHANGED),
    ],
)
def test_a_difference_says_why(new: list[Any], old: list[Any], reason: DifferenceReason) -> None:
    plan = _rate(ChargeType.PLAN, "50", "p")
    [difference] = compare_bills(_bill([plan, *new], "n"), [plan, *new], _bill([plan, *old], "o"), [plan, *old]).differences
    assert difference.reason is reason


def test_a_changed_plan_and_a_new_line_are_told_apart() -> None:
    old = [_rate(ChargeType.PLAN, "50", "p")]
    new = [_rate(ChargeType.PLAN, "60", "q"), _rate(ChargeType.PLAN, "20", "p", "L2"), _rate(ChargeType.ROAMING, "5", line_id="L2")]
    comparison = compare_bills(_bill(new, "n"), new, _bill(old, "o"), old)
    assert [(d.line_id, d.type, d.reason) for d in comparison.differences] == [
        ("L2", ChargeType.PLAN, DifferenceReason.NEW_LINE),
        ("L1", ChargeType.PLAN, DifferenceReason.PLAN_CHANGED),
        ("L2", ChargeType.ROAMING, DifferenceReason.NEW_LINE),
    ]
    dearer = [_rate(ChargeType.PLAN, "52", "p")]
    [difference] = compare_bills(_bill(dearer, "n"), dearer, _bill(old, "o"), old).differences
    assert difference.reason is DifferenceReason.PLAN_PRICE_CHANGED
    with pytest.raises(ValueError, match="two customers"):
        compare_bills(_bill(new, "n"), new, replace(_bill(old, "o"), customer_id="CUS-2"), old)


# -- changing plans

PLANS = [plan for plan in SOURCES.offerings.values() if plan.market is Market.US]
LINE: Line = next(line for line in KINDS[Line] if line.id == "LIN-10006-1")


@settings(max_examples=300)
@given(
    current=st.sampled_from(PLANS),
    new=st.sampled_from(PLANS),
    today=DAYS,
    bill_day=st.integers(1, 28),
    left=st.integers(-30, 800),
)
def test_a_quote_is_fair(current: Any, new: Any, today: date, bill_day: int, left: int) -> None:
    cycle = Cycle.around(today, bill_day)
    line = replace(LINE, contract_end=today + timedelta(days=left))
    terms = quote(line, current, new, today, cycle)
    difference = (new.price - current.price).amount
    if difference >= 0:
        assert terms.effective_date == today
        assert 0 <= terms.proration.amount <= difference
        assert not terms.early_termination_fee
    else:
        assert terms.effective_date == cycle.bill_date
        assert not terms.proration
        if left < 0:
            assert not terms.early_termination_fee
    if today == cycle.start and difference > 0:
        assert terms.proration.amount == difference


# -- recommending


def _usage(gb: str, roaming: int = 0) -> Usage:
    none = Decimal(0)
    return Usage("u", "c", LINE.id, date(2026, 1, 1), date(2026, 1, 31), Decimal(gb), 0, 0, none, roaming)


def test_who_uses_little_is_shown_what_is_cheaper() -> None:
    unlimited, start = SOURCES.offerings["us-5g-max"], SOURCES.offerings["us-5g-start"]
    found = recommend_offerings(LINE, [_usage("8"), _usage("12")], unlimited, PLANS)
    assert (found[0].offering, found[0].saving, found[0].covers_data) == (start, Money.of(45, "USD"), True)
    assert all(r.offering.family == "5G" and r.offering.lifecycle_status == "active" for r in found)


def test_who_runs_out_is_shown_what_is_enough() -> None:
    start = SOURCES.offerings["us-5g-start"]
    line = replace(LINE, offering_id=start.id)
    [best, *_] = recommend_offerings(line, [_usage("30"), _usage("26")], start, PLANS)
    # Twenty gigabytes and eight more on average, at four dollars each, cost more than the next plan.
    assert (best.offering.id, best.saving) == ("us-5g-plus", Money.of(22, "USD"))


def test_who_is_well_served_or_unknown_is_shown_nothing() -> None:
    start = SOURCES.offerings["us-5g-start"]
    line = replace(LINE, offering_id=start.id)
    assert recommend_offerings(line, [_usage("15")], start, PLANS) == ()
    assert recommend_offerings(line, [], start, PLANS) == ()
