"""What customers write when asked for a birth date or a code."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.identity.actions import RESEND, code_or_resend
from flows.identity.birth_dates import read_birth_date

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1988-04-12", date(1988, 4, 12)),
        ("1988.4.12", date(1988, 4, 12)),
        ("1988년 4월 12일이요", date(1988, 4, 12)),
        ("88년 4월 12일", date(1988, 4, 12)),
        ("880412", date(1988, 4, 12)),
        ("050607", date(2005, 6, 7)),
        ("19880412", date(1988, 4, 12)),
        ("April 12, 1988", date(1988, 4, 12)),
        ("it's apr 12th 1988", date(1988, 4, 12)),
        ("12 April 1988", date(1988, 4, 12)),
        ("the 12th of April 1988", date(1988, 4, 12)),
        ("04/12/1988", date(1988, 4, 12)),
        ("4.12.1988", date(1988, 4, 12)),
        ("1988-02-30", None),
        ("2030-01-01", None),
        ("1850-01-01", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_birth_dates(text: str, expected: date | None) -> None:
    assert read_birth_date(text, TODAY) == expected


@given(st.dates(min_value=date(1920, 1, 1), max_value=TODAY))
def test_every_birth_date_is_read_as_it_is_written(born: date) -> None:
    written = (f"{born:%Y-%m-%d}", f"{born:%Y%m%d}", f"{born:%B %d, %Y}", f"{born:%m/%d/%Y}", f"{born.year}년 {born.month}월 {born.day}일")
    for text in written:
        assert read_birth_date(text, TODAY) == born


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    born = read_birth_date(text, TODAY)
    assert born is None or born <= TODAY
    found = code_or_resend(text)
    assert found is None or found == RESEND or (len(found) == 6 and found.isdecimal())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456", "123456"),
        ("012 345", "012345"),
        ("it's 123-456 thanks", "123456"),
        ("1 2 3 4 5 6", "123456"),
        ("RESEND", RESEND),
        ("re-send please", RESEND),
        ("I didn't get it", RESEND),
        ("send me another code", RESEND),
        ("재전송", RESEND),
        ("안 왔어요", RESEND),
        ("못 받았어요", RESEND),
        ("12345", None),
        ("1234567", None),
        ("what code", None),
        ("뭐라고요", None),
    ],
)
def test_codes(text: str, expected: str | None) -> None:
    assert code_or_resend(text) == expected
