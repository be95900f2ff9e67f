from __future__ import annotations

import time
from datetime import UTC, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.masking import mask, mask_value

CONVERSATION = "c0123456789012345678901ab"


def digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Numbers of many countries as people and libraries write them."""
    region, kind = draw(st.sampled_from([("US", 1), ("KR", 82), ("GB", 44), ("DE", 49), ("JP", 81), ("BR", 55)]))
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    assert example.country_code == kind
    form = draw(
        st.sampled_from(
            [
                phonenumbers.PhoneNumberFormat.E164,
                phonenumbers.PhoneNumberFormat.INTERNATIONAL,
                phonenumbers.PhoneNumberFormat.NATIONAL,
                phonenumbers.PhoneNumberFormat.RFC3966,
            ]
        )
    )
    return phonenumbers.format_number(example, form)


@st.composite
def separated(draw: st.DrawFn) -> str:
    """Seven to fifteen digits with anything people put between them."""
    count = draw(st.integers(7, 15))
    between = st.sampled_from(["", "", "", " ", "-", ".", " - ", ") ", "/", "–", "\u00a0", "_", "%20", "+"])
    return "".join(f"{draw(st.integers(0, 9))}{draw(between) if place < count - 1 else ''}" for place in range(count))


around = st.text(st.characters(codec="utf-8", exclude_categories=["Nd", "Cc"]), max_size=30)


@given(around, numbers() | separated(), around)
def test_no_telephone_number_is_left(before: str, number: str, after: str) -> None:
    assert digits(mask(before + number + after)) < 7


@given(around, st.emails(), around)
def test_no_address_is_left(before: str, address: str, after: str) -> None:
    assert address not in mask(f"{before} {address} {after}")


@given(st.text(max_size=200))
def test_any_text_becomes_one_line(text: str) -> None:
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in mask(text))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token=abcdef", "token=<secret>"),
        ('{"api_key": "sk, with a comma"}', '{"api_key": <secret>}'),
        ("Authorization: Basic QUMxOnNlY3JldA==", "Authorization: <secret>"),
        ("Bearer abc.def", "Bearer <secret>"),
        ("postgresql://bot:p@ss/w@db/bot", "postgresql://<secret>@db/bot"),
        ("AC0123456789abcdef0123456789abcdef", "<secret>"),
        ("eyJhbGci.eyJzdWIi.c2ln", "<secret>"),
        ("kim%40example.com", "<email>"),
        ("２０２５５５０１０１", "<number>"),
    ],
)
def test_secrets(text: str, left: str) -> None:
    assert mask(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"turn(conversation='{CONVERSATION}')",
        "http://127.0.0.1:8000",
        "Running upgrade 0001 -> 0002",
        "outage-north",
        "bills of 2026-03-04",
        "code 21610 after 3 attempts",
        "bot.conversations.migrations",
    ],
)
def test_what_says_nothing_of_anybody_stays(text: str) -> None:
    assert mask(text) == text


def test_a_date_is_no_way_to_write_a_number() -> None:
    assert digits(mask("2025-10-10 5550")) < 7
    assert digits(mask("12025-10-10")) < 7


def test_values_of_all_kinds() -> None:
    class Customer:
        def __repr__(self) -> str:
            return "Kim +12025550101"

    given = {
        "to": ["+12025550101", 5],
        "who": Customer(),
        "n": 12025550101,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "kim@example.com": None,
    }
    assert mask_value(given) == {
        "to": ["+<number>", 5],
        "who": "<Customer>",
        "n": "<number>",
        "at": "2026-01-01T00:00:00+00:00",
        "<email>": None,
    }
    assert mask_value(b"secret") == "<bytes>"
    deep: list[object] = []
    deep.append(deep)
    assert "<list>" in repr(mask_value(deep))


@pytest.mark.parametrize(
    "text", ["a" * 5000, "a-" * 5000, "1@" * 5000, "%12" * 5000, "token-" * 5000, "://" + ":" * 5000, "1 2 3 4 5 6 a" * 900]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    mask(text)
    assert time.process_time() - began < 1
