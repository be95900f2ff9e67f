from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.testing.values import alike, normal, shown


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (True, "True"),
        ("false", False),
        (50, "50"),
        ("50", 50.0),
        ("50", "50.0"),
        (123, "0123"),
        (12025550101, "+12025550101"),
        ("a  b", "a b\n"),
        (None, None),
        ([1, "2"], ("1", 2)),
        ({"amount": 55, "currency": "USD"}, {"amount": "55.00", "currency": "USD"}),
    ],
)
def test_alike(expected: Any, actual: Any) -> None:
    assert alike(expected, actual)
    assert alike(actual, expected)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (True, 1),
        (True, "yes"),
        (False, None),
        (0, None),
        ("", None),
        ("None", None),
        ("0123", "123"),
        ("+1202", "1202"),
        ("John", "john"),
        ("nan", 1),
        ([1], [1, 2]),
        ([1], 1),
        ({"amount": 55}, {"amount": 55, "currency": "USD"}),
    ],
)
def test_not_alike(expected: Any, actual: Any) -> None:
    assert not alike(expected, actual)
    assert not alike(actual, expected)


def test_case_matters_unless_told() -> None:
    assert alike("Basic", "basic", ignore_case=True)
    assert alike(["Basic"], ["basic"], ignore_case=True)
    assert not alike(["Basic"], ["basic"])


@given(st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False))
def test_a_value_is_like_itself_and_like_its_text(value: Any) -> None:
    assert alike(value, value)
    assert value is None or alike(value, str(value))


def test_shown_and_normal() -> None:
    assert shown(True) == "true"
    assert shown(None) == "null"
    assert shown("x") == '"x"'
    assert len(shown("x" * 500)) == 80
    assert normal("  a\n b\t") == "a b"
