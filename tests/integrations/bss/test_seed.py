from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.bss.comparison import compare_bills
from integrations.bss.embedded.rules import Cycle, today_in
from integrations.bss.embedded.seed import seed
from integrations.bss.embedded.sources import default_data, read_sources
from integrations.bss.embedded.stories import invented, personas
from integrations.bss.models import (
    AppliedBillingRate,
    BillState,
    ChargeType,
    Customer,
    CustomerBill,
    DifferenceReason,
    Line,
    LineStatus,
    Market,
    Money,
    Payment,
    ServiceProblem,
    Usage,
)

from .conftest import NOW

SOURCES = read_sources(default_data())
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))


class World:
    """A seeded operator, before any database."""

    def __init__(self, now: datetime = NOW, customers: int = 0, number: int = 1) -> None:
        self.kinds = seed(SOURCES, now, customers, number).kinds
        self.customers: dict[str, Customer] = {c.id: c for c in self.all(Customer)}
        self.lines: dict[str, Line] = {line.id: line for line in self.all(Line)}
        self.rates: dict[str, list[AppliedBillingRate]] = {bill.id: [] for bill in self.all(CustomerBill)}
        for rate in self.all(AppliedBillingRate):
            assert rate.bill_id is not None
            self.rates[rate.bill_id].append(rate)

    def all(self, kind: type[Any]) -> list[Any]:
        return self.kinds.get(kind, [])

    def bills(self, customer_id: str) -> list[CustomerBill]:
        """Newest first."""
        bills = [bill for bill in self.all(CustomerBill) if bill.customer_id == customer_id]
        return sorted(bills, key=lambda bill: bill.bill_date, reverse=True)

    def reasons(self, customer_id: str) -> set[DifferenceReason]:
        new, old = self.bills(customer_id)[:2]
        comparison = compare_bills(new, self.rates[new.id], old, self.rates[old.id])
        return {difference.reason for difference in comparison.increases}


@pytest.fixture(scope="module")
def world() -> World:
    return World(customers=300)


def test_every_bill_adds_up_exactly(world: World) -> None:
    assert len(world.all(CustomerBill)) > 3000
    for bill in world.all(CustomerBill):
        rates = world.rates[bill.id]
        assert Money.total((rate.amount for rate in rates), bill.amount_due.currency) == bill.amount_due
        assert bill.remaining_amount in (bill.amount_due, Money.zero(bill.amount_due.currency))
        taxes = [rate.amount for rate in rates if rate.type is ChargeType.TAX]
        if world.customers[bill.customer_id].market is Market.US:
            assert taxes == [bill.tax]
        else:
            assert not taxes
            assert Money.zero("KRW") < bill.tax < bill.amount_due


def test_paid_is_what_was_paid(world: World) -> None:
    paid = {payment.bill_id: payment for payment in world.all(Payment)}
    assert len(paid) == len(world.all(Payment))
    for bill in world.all(CustomerBill):
        payment = paid.get(bill.id)
        assert (bill.state is BillState.PAID) == (payment is not None)
        if payment is not None:
            assert payment.amount == bill.amount_due
            assert bill.bill_date <= payment.paid_at.date() < today_in(world.customers[bill.customer_id].market, NOW)


def test_bills_follow_each_other_without_a_gap(world: World) -> None:
    for customer in world.customers.values():
        bills = world.bills(customer.id)
        assert 1 <= len(bills) <= 14
        assert len(bills) == 14 or customer.since == bills[-1].period_start
        for new, old in pairwise(bills):
            assert new.period_start == old.period_end + timedelta(days=1) == old.bill_date
        running = Cycle.around(today_in(customer.market, NOW), customer.bill_day)
        assert bills[0].bill_date == running.start


def test_what_belongs_together_is_there(world: World) -> None:
    ids = Counter(thing.id for things in world.kinds.values() for thing in things)
    assert max(ids.values()) == 1
    for line in world.lines.values():
        assert line.customer_id in world.customers
        assert SOURCES.offerings[line.offering_id].market is world.customers[line.customer_id].market
        assert line.data_limit_gb == SOURCES.offerings[line.offering_id].data_gb
    for thing in (*world.all(Usage), *world.all(AppliedBillingRate)):
        assert thing.line_id is None or world.lines[thing.line_id].customer_id == thing.customer_id
    numbers = [line.msisdn for line in world.lines.values()]
    assert len(set(numbers)) == len(numbers)
    for problem in world.all(ServiceProblem):
        living = {c.id for c in world.customers.values() if c.area_id in problem.area_ids}
        served = {line.customer_id for line in world.lines.values() if line.status is LineStatus.ACTIVE}
        assert problem.affected_count == len(living & served)


def test_numbers_are_kept_for_fiction(world: World) -> None:
    for line in world.lines.values():
        assert re.fullmatch(r"\+1\d{3}55501\d{2}|\+82100000\d{4}", line.msisdn)
        assert phonenumbers.is_possible_number(phonenumbers.parse(line.msisdn))


def test_there_is_a_bit_of_everything(world: World) -> None:
    markets = Counter(customer.market for customer in world.customers.values())
    assert len(world.customers) == 300
    assert 0.5 < markets[Market.KR] / 300 < 0.7
    assert {1, 2, 3, 4} == set(Counter(line.customer_id for line in world.lines.values()).values())
    assert {rate.type for rate in world.all(AppliedBillingRate)} >= {
        ChargeType.PLAN,
        ChargeType.EXTRA_DATA,
        ChargeType.ROAMING,
        ChargeType.DISCOUNT,
        ChargeType.DEVICE_INSTALMENT,
        ChargeType.LATE_FEE,
    }
    states = {bill.state for bill in world.all(CustomerBill)}
    assert states >= {BillState.PAID, BillState.ISSUED, BillState.OVERDUE, BillState.DISPUTED}


def test_the_same_seed_makes_the_same_customers() -> None:
    assert World(customers=60, number=3).kinds == World(customers=60, number=3).kinds
    assert World(customers=60, number=3).kinds != World(customers=60, number=4).kinds
    some, more = World(customers=40, number=3), World(customers=80, number=3)
    assert some.customers.items() <= more.customers.items()


@settings(max_examples=40, deadline=None)
@given(now=MOMENTS)
def test_the_personas_stay_true_on_any_day(now: datetime) -> None:
    world = World(now)
    stories = {story.id: story for story in personas(SOURCES)}
    assert set(world.customers) == set(stories)
    for bill in world.all(CustomerBill):
        assert Money.total((rate.amount for rate in world.rates[bill.id]), bill.amount_due.currency) == bill.amount_due
    for customer in world.customers.values():
        today = today_in(customer.market, now)
        assert 5 <= (today - world.bills(customer.id)[0].bill_date).days <= 8
        overdue = [bill for bill in world.bills(customer.id) if bill.state is BillState.OVERDUE]
        assert len(overdue) == (1 if customer.id in ("CUS-10002", "CUS-10102") else 0)
    assert {DifferenceReason.DISCOUNT_ENDED, DifferenceReason.ROAMING_USED} <= world.reasons("CUS-10001")
    assert DifferenceReason.EXTRA_DATA in world.reasons("CUS-10101")
    assert world.bills("CUS-10001")[0].state is world.bills("CUS-10101")[0].state is BillState.ISSUED
    for person, market in (("CUS-10004", Market.US), ("CUS-10104", Market.KR)):
        assert all((world.lines[f"LIN-{person[4:]}-{n}"].contract_end or today) < today_in(market, now) for n in (1, 2))
    for person in ("CUS-10006", "CUS-10106"):
        assert (world.lines[f"LIN-{person[4:]}-1"].contract_end or now.date()) > now.date() + timedelta(days=300)
    for person in ("CUS-10007", "CUS-10107"):
        assert all(bill.state is BillState.PAID for bill in world.bills(person)[2:])
    assert Counter(line.customer_id for line in world.lines.values())["CUS-10003"] == 4


def test_the_default_identities_and_their_stories() -> None:
    world = World()
    emma, seoyeon = world.customers["CUS-10001"], world.customers["CUS-10101"]
    assert (emma.contact_number, emma.language, emma.name) == ("+12025550101", "en", "Emma Carter")
    assert (seoyeon.contact_number, seoyeon.language, seoyeon.name) == ("+821000000101", "ko", "이서연")
    new, old = world.bills(emma.id)[:2]
    found = {d.reason: d.difference for d in compare_bills(new, world.rates[new.id], old, world.rates[old.id]).differences}
    assert found[DifferenceReason.ROAMING_USED] == Money(Decimal("40.00"), "USD")
    assert found[DifferenceReason.DISCOUNT_ENDED] == Money(Decimal("15.00"), "USD")
    new, old = world.bills(seoyeon.id)[:2]
    found = {d.reason: d.difference for d in compare_bills(new, world.rates[new.id], old, world.rates[old.id]).differences}
    assert found == {DifferenceReason.EXTRA_DATA: Money(Decimal("13200"), "KRW")}


def test_invented_customers_never_run_out_of_numbers_unsaid() -> None:
    stories = list(invented(SOURCES, 1500, 1))
    numbers = [line.number for story in stories for line in story.lines]
    assert all(story.lines for story in stories)
    assert len(set(numbers)) == len(numbers)
    with pytest.raises(ValueError, match="fewer"):
        list(invented(SOURCES, 20_000, 1))
