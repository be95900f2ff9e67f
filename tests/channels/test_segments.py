from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import Count, count, plain, split, split_characters
from bot.channels.splitting import clusters

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1f0\U0001f1f7"

texts = st.text(
    st.one_of(
        st.sampled_from("abc XYZ 019 .!?,\n\u20ac[]{}'\u2019 가나다 요. 습니다.\u3002" + FAMILY + FLAG + "\u0301\U0001f44d\U0001f3fd"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=900,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Count("ucs2", 1, 0)),
        ("a" * 160, Count("gsm7", 1, 160)),
        ("a" * 161, Count("gsm7", 2, 161)),
        ("a" * 306, Count("gsm7", 2, 306)),
        ("a" * 307, Count("gsm7", 3, 307)),
        ("\u20ac" * 80, Count("gsm7", 1, 160)),
        ("\u20ac" * 81, Count("gsm7", 2, 162)),
        ("ñ é ü ¿ ¡", Count("gsm7", 1, 9)),
        ("á", Count("ucs2", 1, 1)),
        ("가" * 70, Count("ucs2", 1, 70)),
        ("가" * 71, Count("ucs2", 2, 71)),
        ("가" * 134, Count("ucs2", 2, 134)),
        ("가" * 135, Count("ucs2", 3, 135)),
        (FAMILY * 6, Count("ucs2", 1, 66)),
        # 11 units each: six fill a segment of 67 but for one, and the seventh is not cut in two.
        (FAMILY * 7, Count("ucs2", 2, 77)),
        (FAMILY * 13, Count("ucs2", 3, 143)),
        ("\U0001f44d\U0001f3fd" * 33, Count("ucs2", 3, 132)),
        ("\U0001f44d" * 68, Count("ucs2", 3, 136)),
    ],
)
def test_what_a_text_costs(text: str, expected: Count) -> None:
    assert count(text) == expected


def test_typography_is_made_plain_only_where_it_saves() -> None:
    assert plain("It\u2019s \u201cdue\u201d \u2014 now\u2026") == 'It\'s "due" - now...'
    assert plain("\u201c요금\u201d") == "\u201c요금\u201d"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One is here. Two is there. " * 4 + "Three.", ["One is here. Two is there. " * 2, "One is here. Two is there. " * 2 + "Three."]),
        ("Your bill is $55.00 for Oct. 3. Ask Mr. Kim or see No. 5 e.g. here. Then pay.", ["Your bill is $55.00 for Oct. 3.", "Ask Mr. Kim or see No. 5 e.g. here. Then pay."]),
        ("요금은 55,000원입니다.납부일은 내일입니다. 더 도와드릴까요?", ["요금은 55,000원입니다.납부일은 내일입니다.", "더 도와드릴까요?"]),
        ("Which one of the following?\n1. The first\n2. The second", ["Which one of the following?\n1. The first", "2. The second"]),
    ],
)  # fmt: skip
def test_cuts_are_between_sentences(text: str, parts: list[str]) -> None:
    longest = max(len(part.strip()) for part in parts)
    assert split_characters(text, max_chars=max(longest, 20)) == tuple(part.strip() for part in parts)


def test_a_sentence_too_long_is_cut_between_words_and_a_word_between_characters() -> None:
    assert split_characters("alpha beta gamma delta epsilon", max_chars=20) == ("alpha beta gamma", "delta epsilon")
    assert split_characters("x" * 45, max_chars=20) == ("x" * 20, "x" * 20, "x" * 5)
    assert split("가 " + FAMILY * 7, max_segments=1) == ("가", FAMILY * 6, FAMILY)


def test_numbers_only_if_asked_and_only_if_several() -> None:
    text = "This is a sentence. " * 20
    assert all(not part.startswith("(") for part in split(text, max_segments=1))
    numbered = split(text, max_segments=1, numbered=True)
    assert [part.split(" ")[0] for part in numbered] == ["(1/3)", "(2/3)", "(3/3)"]
    assert split("Short.", max_segments=1, numbered=True) == ("Short.",)
    assert split("word " * 800, max_segments=1, numbered=True)[9].startswith("(10/")


def test_numbers_of_two_digits_are_reckoned_with() -> None:
    parts = split("x" * 3000, max_segments=1, numbered=True)
    assert parts[10].startswith("(11/20) ")
    assert max(map(len, parts)) == 160


@settings(deadline=None)
@given(texts)
def test_counting_is_smsutils_where_nothing_is_composed(text: str) -> None:
    from smsutil import split as reference

    text = "".join(cluster for cluster in clusters(text) if len(cluster) == 1)
    text = text if len(list(clusters(text))) == len(text) else "가"
    assert count(text).segments == len(reference(text).parts)


def test_budgets_that_hold_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="max_segments"):
        split("a", max_segments=0)
    with pytest.raises(ValueError, match="max_chars"):
        split_characters("a", max_chars=5)


def without_space(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(1, 4), st.booleans())
def test_nothing_is_lost_and_every_part_is_within_budget(text: str, budget: int, numbered: bool) -> None:
    parts = split(text, max_segments=budget, max_chars=1600, numbered=numbered)
    assert all(count(part).segments <= budget and len(part) <= 1600 for part in parts)
    assert all(part.strip() for part in parts)
    if numbered and len(parts) > 1:
        marks = [re.match(r"\((\d+)/(\d+)\) ", part) for part in parts]
        assert [mark and mark.groups() for mark in marks] == [(str(n), str(len(parts))) for n in range(1, len(parts) + 1)]
        parts = tuple(part.split(" ", 1)[1] for part in parts)
    at = 0
    for part in parts:  # every part is a piece of the text, in order, with nothing but white space between
        found = text.index(part.rstrip(), at)
        assert not text[at:found].strip()
        at = found + len(part.rstrip())
    assert not text[at:].strip()
    assert without_space("".join(parts)) == without_space(text)


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(20, 200))
def test_characters_are_counted_where_segments_are_not(text: str, most: int) -> None:
    parts = split_characters(text, max_chars=most)
    assert all(len(part) <= most for part in parts)
    assert without_space("".join(parts)) == without_space(text)
    assert split_characters(text, max_chars=None) == ((text.strip(),) if text.strip() else ())


@given(texts)
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


def test_clusters_keep_together_what_is_seen_as_one() -> None:
    assert list(clusters("a" + FAMILY + FLAG + FLAG + "e\u0301" + "\U0001f44d\U0001f3fd" + "1\ufe0f\u20e3")) == [
        "a", FAMILY, FLAG, FLAG, "e\u0301", "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_more_text_never_costs_less(first: str, second: str) -> None:
    assert count(first + second).segments >= count(first).segments
