"""Quotes, advice, requests and the lines a customer means: the pure parts of the plan skill."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from flows.lines.lines import in_use, line_title, meant
from flows.lines.values import cost, local_day, local_time, market_of
from flows.plan_change.offers import OBSTACLES, average_gb, best_advice, main_obstacle, quote, running_discounts, terms_of
from flows.plan_change.requests import read_request, request_text
from integrations.bss import Money, recommend_offerings
from integrations.bss.models import (
    Discount,
    Eligibility,
    EligibilityReason,
    Family,
    LifecycleStatus,
    Line,
    LineStatus,
    LocalText,
    Market,
    ProductOffering,
    Severity,
    SimKind,
    TicketKind,
    TicketStatus,
    TroubleTicket,
    Usage,
)

TODAY = date(2026, 5, 10)


def usd(amount: str | int) -> Money:
    return Money.of(amount, "USD")


def plan(identity: str, price: int, gb: int | None, months: int = 12) -> ProductOffering:
    data = None if gb is None else Decimal(gb)
    name = LocalText(identity.title(), identity)
    zero, top_up = usd(0), usd(4)
    status = LifecycleStatus.ACTIVE
    return ProductOffering(
        identity, name, name, Market.US, Family.FIVE_G, usd(price), data, None, None, top_up, zero, months, usd(10), status
    )


def line(
    number: str = "+12025550101", label: str = "", *, index: int = 1, plan_id: str = "plus", discounts: tuple[Discount, ...] = ()
) -> Line:
    return Line(
        id=f"LIN-10001-{index}",
        customer_id="CUS-10001",
        msisdn=number,
        label=label,
        status=LineStatus.ACTIVE,
        offering_id=plan_id,
        device_id=None,
        sim_id=None,
        sim_kind=SimKind.SIM,
        activated=date(2024, 1, 1),
        contract_end=date(2026, 9, 1),
        suspension_start=None,
        suspension_reason=None,
        roaming_enabled=False,
        data_used_gb=Decimal(1),
        data_limit_gb=Decimal(50),
        data_top_up_gb=Decimal(0),
        discounts=discounts,
        last_plan_change=None,
        last_sim_replacement=None,
    )


def terms(**changes: object) -> Eligibility:
    made = Eligibility(
        line_id="LIN-10001-1",
        offering_id="max",
        eligible=True,
        reasons=(),
        current_price=usd(55),
        new_price=usd(90),
        proration=usd("12.50"),
        early_termination_fee=usd(0),
        next_month=usd(90),
        discounts_lost=usd(0),
        effective_date=TODAY,
        contract_end=date(2026, 9, 1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def used(*gigabytes: str) -> list[Usage]:
    return [Usage(f"USE-{n}", "CUS-10001", "LIN-10001-1", TODAY, TODAY, Decimal(gb), 0, 0, Decimal(0), 0) for n, gb in enumerate(gigabytes)]


# --- quotes -------------------------------------------------------------------------------------------------------------------------


def test_a_dearer_plan_starts_at_once_and_says_what_the_rest_of_the_month_costs() -> None:
    slots = quote(terms(), line(), plan("max", 90, None), date(2026, 5, 20), "en")
    assert slots["quote_starts_at_once"] is True
    assert slots["quote_rest_of_month"] == {"amount": "12.50", "currency": "USD"}
    assert slots["quote_fee"] is None  # nothing to pay is empty, not $0.00
    assert slots["quote_new_contract_end"] is None  # the contract that runs goes on
    assert slots["quote"] == {"line_id": "LIN-10001-1", "plan_id": "max", "starts_at_once": True, "terms": terms_of(terms())}


def test_a_cheaper_plan_starts_with_the_next_bill_and_tells_fee_lost_discounts_and_new_contract() -> None:
    cheaper = terms(
        proration=usd(0),
        early_termination_fee=usd(40),
        discounts_lost=usd(5),
        effective_date=date(2026, 5, 20),
        contract_end=date(2027, 5, 19),
    )
    slots = quote(cheaper, line(), plan("start", 45, 20), date(2026, 5, 20), "ko")
    assert slots["quote_starts_at_once"] is False
    assert slots["quote_fee"] == {"amount": "40.00", "currency": "USD"}
    assert slots["quote_discounts_lost"] == {"amount": "5.00", "currency": "USD"}
    assert slots["quote_new_contract_end"] == "2027-05-19"
    assert slots["quote_plan"] == "start"  # the Korean name


def test_a_refusal_promises_nothing() -> None:
    refused = terms(
        eligible=False, reasons=(EligibilityReason.DEVICE_NOT_5G, EligibilityReason.OVERDUE_BILL), contract_end=date(2030, 1, 1)
    )
    slots = quote(refused, line(), plan("max", 90, None), date(2026, 5, 20), "en")
    assert slots["quote_possible"] is False
    assert slots["quote_refusal"] == "overdue_bill"  # another plan would not help, so this is told first
    assert slots["quote_starts_at_once"] is False
    assert slots["quote_new_contract_end"] is None


def test_every_reason_the_operator_may_give_has_its_place() -> None:
    assert set(OBSTACLES) == {reason.value for reason in EligibilityReason}
    assert main_obstacle(terms(eligible=False, reasons=())) == "other"


@pytest.mark.parametrize(
    "change",
    [
        {"new_price": usd(91)},
        {"proration": usd(11)},
        {"early_termination_fee": usd(10)},
        {"next_month": usd(85)},
        {"discounts_lost": usd(5)},
        {"effective_date": date(2026, 5, 11)},
        {"contract_end": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_the_customer_agreed_to_makes_a_quote_outdated_when_it_changes(change: dict[str, object]) -> None:
    assert terms_of(terms(**change)) != terms_of(terms())


# --- advice -------------------------------------------------------------------------------------------------------------------------

START, PLUS, MAX = plan("start", 45, 20), plan("plus", 55, 50), plan("max", 90, None)
KEPT = Discount("family", LocalText("", ""), usd(10), None, survives_plan_change=True)
LOST = Discount("contract", LocalText("", ""), usd(15), None, survives_plan_change=False)


def advised(current: ProductOffering, *gigabytes: str, discounts: tuple[Discount, ...] = ()) -> tuple[str, str, Money] | None:
    mine, cycles = line(plan_id=current.id, discounts=discounts), used(*gigabytes)
    found = best_advice(recommend_offerings(mine, cycles, current, [START, PLUS, MAX]), mine, current, cycles, TODAY)
    return None if found is None else (found.offering.id, found.reason, found.saving)


def test_a_cheaper_plan_that_would_have_been_enough_is_advised() -> None:
    assert advised(PLUS, "12", "9", "15") == ("start", "cheaper", usd(10))


def test_a_discount_that_would_be_lost_counts_against_the_advice() -> None:
    assert advised(PLUS, "12", "9", "15", discounts=(LOST,)) is None
    assert advised(PLUS, "12", "9", "15", discounts=(KEPT,)) == ("start", "cheaper", usd(10))
    assert advised(PLUS, "12", "9", "15", discounts=(replace(LOST, ends=date(2026, 5, 9)),)) == ("start", "cheaper", usd(10))


def test_a_plan_that_would_run_out_of_data_is_never_advised() -> None:
    assert advised(PLUS, "21", "21", "12") is None  # Start and two gigabytes more would be $48.67 on average


def test_more_data_is_advised_when_the_present_plan_was_not_enough() -> None:
    assert advised(START, "20", "21", "18") == ("plus", "more_data", usd("-8.67"))


def test_without_use_there_is_no_advice() -> None:
    assert advised(PLUS) is None
    assert average_gb([]) is None
    assert average_gb(used("10", "11")) == Decimal("10.5")


def test_a_discount_counts_on_its_last_day() -> None:
    ended, last_day = replace(LOST, ends=date(2026, 5, 9)), replace(LOST, ends=TODAY)
    assert running_discounts(line(discounts=(ended, last_day, KEPT)), TODAY) == [last_day, KEPT]


@pytest.mark.parametrize(("market", "language", "expected"), [("KR", "en", "KR"), (None, "ko", "KR"), (None, "en", "US")])
def test_plans_are_looked_up_in_the_customers_market(market: str | None, language: str, expected: str) -> None:
    assert market_of(market, language) == expected


# --- requests -----------------------------------------------------------------------------------------------------------------------


def ticket(kind: TicketKind, description: str, status: TicketStatus = TicketStatus.ACKNOWLEDGED) -> TroubleTicket:
    now = datetime(2026, 5, 10, tzinfo=UTC)
    return TroubleTicket("TIC-1", "CUS-10001", kind, description, Severity.MINOR, status, None, now, now, ())


def test_a_request_is_read_back_from_its_ticket() -> None:
    written = request_text("LIN-10001-1", "us-5g-max", "2026-06-01")
    request = read_request(ticket(TicketKind.ORDER, written))
    assert request is not None
    assert (request.line_id, request.plan_id, request.start, request.open) == ("LIN-10001-1", "us-5g-max", "2026-06-01", True)
    done = read_request(ticket(TicketKind.ORDER, written, TicketStatus.RESOLVED))
    assert done is not None
    assert not done.open


def test_other_tickets_are_no_requests() -> None:
    assert read_request(ticket(TicketKind.ORDER, "Where is my order?")) is None
    assert read_request(ticket(TicketKind.BILLING, request_text("LIN-1", "us-5g-max", "2026-06-01"))) is None


# --- lines --------------------------------------------------------------------------------------------------------------------------

OLIVIA, MARK, TABLET = (line(f"+1206555010{n}", label, index=n) for n, label in ((3, "Olivia"), (4, "Mark"), (6, "Tablet")))
OWN, FIRST = line("+821000000103", "본인", index=7), line("+821000000105", "첫째", index=8)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Mark", MARK),
        ("mark's line", MARK),
        ("my tablet", TABLET),
        ("the tablet", TABLET),
        ("this phone", OLIVIA),
        ("mine", OLIVIA),
        ("0104", MARK),
        ("the one ending in 0104", MARK),
        ("206-555-0104", MARK),
        ("+12065550106", TABLET),
        ("LIN-10001-4", MARK),
        ("첫째", FIRST),
        ("첫째 회선이요", FIRST),
        ("이 번호", OLIVIA),
        ("본인", OWN),
        ("01000000105", FIRST),
    ],
)
def test_a_line_is_found_however_it_is_called(said: str, expected: Line) -> None:
    assert meant(said, [OLIVIA, MARK, TABLET, OWN, FIRST], OLIVIA.id) == [expected]


@pytest.mark.parametrize("said", ["grandma", "9999", "", "?"])
def test_what_is_no_line_is_none(said: str) -> None:
    assert meant(said, [OLIVIA, MARK], OLIVIA.id) == []


def test_an_ending_that_several_lines_share_is_left_open() -> None:
    assert meant("55501", [line("+12065550101", index=1), line("+12125555501", index=2), line("+13125555501", index=3)], None) == [
        line("+12125555501", index=2),
        line("+13125555501", index=3),
    ]


def test_titles_and_closed_lines() -> None:
    assert line_title(MARK) == "Mark (0104)"
    assert line_title(line()) == "(202) 555-0101"
    assert line_title(line("+821000000101")) == "010-0000-0101"
    assert in_use([MARK, replace(TABLET, status=LineStatus.CLOSED), replace(OWN, status=LineStatus.SUSPENDED)]) == [
        MARK,
        replace(OWN, status=LineStatus.SUSPENDED),
    ]


def test_times_are_those_of_the_place() -> None:
    moment = datetime(2026, 5, 10, 22, 30, tzinfo=UTC)
    assert local_time(moment, "America/New_York", "en") == "6:30 PM"
    assert local_time(moment, "Asia/Seoul", "ko") == "오전 7:30"
    assert local_time(datetime(2026, 5, 10, 3, 0, tzinfo=UTC), "Asia/Seoul", "ko") == "오후 12:00"
    assert local_day(moment, "Asia/Seoul") == "2026-05-11"
    assert cost(usd(0)) is None
