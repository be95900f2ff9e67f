"""Dates, months, money, phones, codes, data and e-mail in both languages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.entities import KINDS, Where, find, find_all, find_asked
from bot.understanding.text import fold

WEDNESDAY = Where(date(2025, 3, 5), "US")


def values(kind: str, text: str, where: Where = WEDNESDAY) -> list[object]:
    return [one.value for one in find_asked(kind, text, where)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2025-03-05"), ("tomorrow please", "2025-03-06"), ("the day after tomorrow", "2025-03-07"), ("friday", "2025-03-07"),
        ("next Friday", "2025-03-14"), ("wednesday", "2025-03-12"), ("10 March", "2025-03-10"), ("March 3rd", "2026-03-03"), ("march 3, 2027", "2027-03-03"),
        ("on the 15th", "2025-03-15"), ("the 2nd", "2025-04-02"), ("3/10", "2025-03-10"), ("2025-04-01", "2025-04-01"), ("in 3 days", "2025-03-08"),
        ("in two weeks", "2025-03-19"), ("a week from now", "2025-03-12"), ("end of the month", "2025-03-31"), ("on the twenty-first", "2025-03-21"),
        ("오늘", "2025-03-05"), ("내일요", "2025-03-06"), ("모레", "2025-03-07"), ("3월 3일", "2026-03-03"), ("3월 15일에", "2025-03-15"), ("2026년 1월 2일", "2026-01-02"),
        ("다음 주 금요일", "2025-03-14"), ("이번주 금요일", "2025-03-07"), ("금요일이요", "2025-03-07"), ("삼일 뒤", "2025-03-08"), ("일주일 뒤", "2025-03-12"),
        ("이틀 후에", "2025-03-07"), ("다음 달 1일", "2025-04-01"), ("15일", "2025-03-15"), ("이번 달 말", "2025-03-31"), ("삼월 십오일", "2025-03-15"),
    ],
)  # fmt: skip
def test_dates(text: str, day: str) -> None:
    assert values("date", text) == [day]


@pytest.mark.parametrize("text", ["I may be there", "the second one", "5g plus", "이사했어요", "일이 많아요", "february 30", "13월 40일"])
def test_no_dates(text: str) -> None:
    assert values("date", text) == []


@given(st.dates(date(2020, 1, 1), date(2099, 12, 31)))
def test_a_full_date_is_read_back(day: date) -> None:
    for text in (
        day.isoformat(),
        f"{day.year}년 {day.month}월 {day.day}일",
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%b} {day.year}",
    ):
        assert values("date", text) == [day.isoformat()], text


@given(st.dates(date(2020, 1, 1), date(2090, 12, 31)), st.integers(0, 364))
def test_a_day_without_a_year_is_the_next_one(today: date, ahead: int) -> None:
    day = today + timedelta(days=ahead)
    if (day.month, day.day) != (2, 29):
        assert values("date", f"{day.month}월 {day.day}일", Where(today)) == [day.isoformat()]


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("march", "2025-03"),
        ("last month", "2025-02"),
        ("my may bill", "2024-05"),
        ("january 2025", "2025-01"),
        ("지난달", "2025-02"),
        ("11월 요금", "2024-11"),
        ("이번 달", "2025-03"),
    ],
)
def test_months(text: str, month: str) -> None:
    assert values("month", text) == [month]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$45", 45), ("45 dollars", 45), ("forty five bucks", 45), ("45 dollars and 50 cents", 45.5), ("$1,200.50", 1200.5), ("a hundred dollars", 100), ("2k", 2000),
        ("5만원", 50000), ("8만 9천원", 89000), ("오만 원", 50000), ("만오천원이요", 15000), ("₩50,000", 50000), ("45.50", 45.5), ("만 원", 10000),
    ],
)  # fmt: skip
def test_money(text: str, amount: float) -> None:
    assert values("money", text) == [amount]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("202-555-0123", "+12025550123"), ("my number is (202) 555 0123 thanks", "+12025550123"), ("+1 202 555 0123", "+12025550123"),
        ("two oh two five five five oh one two three", "+12025550123"), ("010-0000-1234로 보내주세요", "+821000001234"), ("01000001234", "+821000001234"),
        ("공일공 공공공공 일이삼사", "+821000001234"),
    ],
)  # fmt: skip
def test_phones(text: str, number: str) -> None:
    assert values("phone", text) == [number]


@given(st.integers(0, 9999))
def test_korean_mobile_numbers_are_read_back_whatever_the_spacing(last: int) -> None:
    for text in (f"010-0000-{last:04d}", f"010 0000 {last:04d}", f"0100000{last:04d}"):
        assert values("phone", text) == [f"+82100000{last:04d}"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("code is 482 913", "482913"),
        ("1 2 3 4", "1234"),
        ("four eight two nine", "4829"),
        ("공일이삼사오요", "012345"),
        ("0042", "0042"),
    ],
)
def test_codes(text: str, code: str) -> None:
    assert values("code", text) == [code]


@pytest.mark.parametrize(
    ("text", "gigabytes"), [("5GB", 5), ("500 MB", 0.5), ("five gigs", 5), ("3기가만", 3), ("오 기가", 5), ("1TB", 1000), ("10", 10)]
)
def test_data(text: str, gigabytes: float) -> None:
    assert values("data", text) == [gigabytes]


@pytest.mark.parametrize(
    ("kind", "text"), [("data", "5G plan"), ("phone", "12345"), ("code", "12"), ("money", "my bill"), ("email", "me at home")]
)
def test_what_is_none(kind: str, text: str) -> None:
    assert values(kind, text) == []


@pytest.mark.parametrize("text", ["jo@example.com으로 보내줘", "it's JO@Example.com", "jo at example dot com"])
def test_emails(text: str) -> None:
    assert values("email", text) == ["jo@example.com"]


def test_all_kinds_at_once_do_not_overlap() -> None:
    found = find_all("pay $45 on march 10th, text 202-555-0123, add 5gb", WEDNESDAY)
    assert [(kind, one.value) for kind, one in found] == [("money", 45), ("date", "2025-03-10"), ("phone", "+12025550123"), ("data", 5)]


@given(st.text(max_size=80), st.sampled_from(sorted(KINDS)))
def test_offsets_lie_in_the_text_and_finds_do_not_overlap(text: str, kind: str) -> None:
    found = find(kind, text, WEDNESDAY)
    ends = [0]
    for one in found:
        assert ends[-1] <= one.start < one.end <= len(fold(text))
        ends.append(one.end)
