"""Choosing and filling in wordings; values as people write them in English and Korean."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language import Button, Condition, Response, Variation
from bot.speaking import RenderError, choose, render, written
from bot.speaking.render import fill, placeholders


def said(response: Response, slots: dict[str, Any] | None = None, language: str = "en", channel: str = "sms", **context: Any) -> str:
    result = render(response, slots=slots or {}, context=context, language=language, channel=channel)
    assert result is not None
    return result.text


def test_the_most_particular_wording_wins() -> None:
    plain = Variation("plain")
    conditional = Variation("conditional", condition=Condition.parse("slots.vip"))
    spoken = Variation("spoken", channel="voice")
    spoken_vip = Variation("spoken vip", channel="voice", condition=Condition.parse("slots.vip"))
    response = Response("utter_x", (plain, conditional, spoken, spoken_vip))
    assert said(response) == "plain"
    assert said(response, {"vip": True}) == "conditional"
    assert said(response, channel="voice") == "spoken"
    assert said(response, {"vip": True}, channel="voice") == "spoken vip"


def test_equals_are_picked_by_number_not_by_chance() -> None:
    response = Response("utter_x", (Variation("a"), Variation("b")))
    assert [choose(response, {}, {}, "sms", pick).text for pick in range(4)] == ["a", "b", "a", "b"]  # type: ignore[union-attr]


def test_nothing_fits_says_nothing() -> None:
    response = Response("utter_x", (Variation("x", condition=Condition.parse("slots.vip")),))
    assert render(response, slots={}, context={}, language="en", channel="sms") is None


def test_translations_of_texts_and_buttons_fall_back() -> None:
    button = Button("Yes", "/SetSlots(a=true)", {"ko": "네"})
    response = Response("utter_x", (Variation("Hello", {"ko": "안녕"}, (button,)),))
    korean = render(response, slots={}, context={}, language="ko", channel="sms")
    assert korean is not None
    assert (korean.text, korean.buttons[0]["title"]) == ("안녕", "네")
    assert said(response, language="fr") == "Hello"


def test_values_are_filled_in_and_braces_of_others_stay() -> None:
    slots = {"name": "Kim", "price": {"amount": "69000", "currency": "KRW"}, "day": "2026-03-09", "none": None, "gb": "0.3"}
    assert fill("{name} {nobody} {none}!", slots, None, "en") == "Kim {nobody} !"
    assert fill("{price:money}, {price}", slots, None, "ko") == "69,000원, 69,000원"
    assert fill("{price:money}", slots, None, "en") == "₩69,000"
    assert fill("{day:date}", slots, None, "en") == "March 9, 2026"
    assert fill("{day:date}", slots, None, "ko") == "2026년 3월 9일"
    assert fill("{gb:data}", slots, None, "en") == "300 MB"
    assert fill("{name}", slots, {"name": "Lee"}, "en") == "Lee"
    assert list(placeholders("{a} {b:money} {{c}}")) == ["a", "b", "c"]


def test_templates_see_slots_and_context_and_cannot_reach_out() -> None:
    response = Response("utter_x", (Variation("{{ slots.a }} {{ context.b }}", template="jinja"),))
    assert said(response, {"a": 1}, b=2) == "1 2"
    evil = Response("utter_evil", (Variation("{{ slots.__class__.__mro__ }}", template="jinja"),))
    with pytest.raises(RenderError, match="utter_evil"):
        said(evil)
    broken = Response("utter_broken", (Variation("{{ 1 / 0 ", template="jinja"),))
    with pytest.raises(RenderError, match="utter_broken"):
        said(broken)


@pytest.mark.parametrize(
    ("value", "form", "language", "text"),
    [
        ({"amount": "55", "currency": "USD"}, "money", "en", "$55.00"),
        ({"amount": "-4.5", "currency": "USD"}, "", "en", "-$4.50"),
        (1234567, "number", "ko", "1,234,567"),
        (Decimal("12.50"), "data", "en", "12.5 GB"),
        (30, "data", "ko", "30 GB"),
        (0, "data", "en", "0 GB"),
        (50.0, "", "en", "50"),
        (True, "", "ko", "예"),
        (["a", "b"], "", "en", "a, b"),
        ("not a date", "date", "en", "not a date"),
        ("2026-03-09T10:00:00+00:00", "date", "en", "March 9, 2026"),
    ],
)
def test_formats(value: Any, form: str, language: str, text: str) -> None:
    assert written(value, form, language) == text


@given(st.text(), st.sampled_from(["", "money", "date", "number", "data", "nonsense"]), st.sampled_from(["en", "ko", "xx"]))
def test_writing_a_value_never_fails(value: str, form: str, language: str) -> None:
    assert isinstance(written(value, form, language), str)


@given(st.text())
def test_filling_in_never_fails(text: str) -> None:
    assert isinstance(fill(text, {"a": 1}, None, "en"), str)
