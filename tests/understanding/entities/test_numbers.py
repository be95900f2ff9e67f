"""Numbers written out and read back, in Korean and in English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.entities import numbers_en, numbers_ko

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
ONES = _ONES.split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = _TENS.split()
NATIVE_TENS = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"]
NATIVE_ONES = ["", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"]


def in_english(value: int) -> str:
    """Independent of what is tested: the plain way to say a number below a million."""
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10 - 2] + (f"-{ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        return f"{ONES[value // 100]} hundred" + (f" and {in_english(value % 100)}" if value % 100 else "")
    return f"{in_english(value // 1000)} thousand" + (f" {in_english(value % 1000)}" if value % 1000 else "")


@given(st.integers(0, 10**16 - 1))
def test_sino_korean_is_read_back(value: int) -> None:
    assert numbers_ko.read_number(numbers_ko.write_sino(value)) == value


@given(st.integers(1, 99))
def test_native_korean_is_read_back(value: int) -> None:
    assert numbers_ko.read_number(NATIVE_TENS[value // 10] + NATIVE_ONES[value % 10]) == value


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_korean_mixed_with_digits_is_read_back(myriads: int, rest: int) -> None:
    assert numbers_ko.read_number(f"{myriads}만 {rest:,}") == myriads * 10_000 + rest


@given(st.integers(0, 999_999))
def test_english_is_read_back(value: int) -> None:
    assert numbers_en.read_number(in_english(value)) == value


@given(st.integers(0, 10**9))
def test_digits_are_read_back_with_and_without_commas(value: int) -> None:
    assert numbers_en.read_number(f"{value:,}") == numbers_en.read_number(str(value)) == numbers_ko.read_number(f"{value:,}") == value


@given(st.text(alphabet="0123456789", min_size=3, max_size=12))
def test_digits_read_out_are_put_together(digits: str) -> None:
    assert [one.value for one in numbers_en.find_digit_runs(" ".join(ONES[int(digit)] for digit in digits))] == [digits]


@given(st.text(alphabet="0123456789", min_size=4, max_size=12))
def test_korean_digits_read_out_are_put_together(digits: str) -> None:
    assert [one.value for one in numbers_ko.find_digit_runs("".join("공일이삼사오육칠팔구"[int(digit)] for digit in digits))] == [digits]


@pytest.mark.parametrize(
    ("text", "value"), [("a hundred", 100), ("two point five", 2.5), ("twenty five hundred", 2500), ("-3", -3), ("1.50", 1.5)]
)
def test_english_specials(text: str, value: float) -> None:
    assert numbers_en.read_number(text) == value


@pytest.mark.parametrize("text", ["", "5g", "hello", "one two", "1,2,3,a", "만나", "일요일", "십십", "만억"])
def test_what_is_no_number(text: str) -> None:
    assert numbers_en.read_number(text) is None or "," in text
    assert numbers_ko.read_number(text) is None


def test_syllables_that_could_be_numbers_are_left_alone_without_a_counter() -> None:
    assert numbers_ko.find_numbers("이사 가서 일 때문에 만나요") == []
    assert [one.value for one in numbers_ko.find_numbers("회선 두 개하고 삼만 원")] == [30000, 2]
