"""Amounts of money: "$45", "45 dollars and 50 cents", "forty bucks", "5만원", "8만 9천 원". The value is the amount; the currency is the market's."""

from __future__ import annotations

import re

from . import numbers_en, numbers_ko
from .found import Found, number

_SIGN = re.compile(r"(?:us|[$₩£€]){1,3}\s?(?P<amount>\d[\d,]*(?:\.\d+)?)\s?(?P<k>k\b)?|(?<![\w.])(?P<short>\d+(?:\.\d+)?)k\b")
_UNIT_EN = re.compile(r"[ -]?(?:us )?(?:dollars?|bucks?|usd|krw|won|quid)(?![a-z])")
_CENTS = re.compile(r"\s*(?:and )?(?P<cents>[a-z0-9 -]{1,14}?) ?cents?\b")
_UNIT_KO = re.compile(r"[ ]?(?:원|달러|불)")


def find_money(text: str) -> list[Found]:
    """Every amount with a currency in a folded text."""
    found = [Found(amount, m.start(), m.end()) for m in _SIGN.finditer(text) if (amount := _signed(m)) is not None]
    for one in numbers_en.find_numbers(text):
        if unit := _UNIT_EN.match(text, one.end):
            value, end = one.value, unit.end()
            if (cents := _CENTS.match(text, end)) and (small := numbers_en.read_number(cents["cents"])) is not None and 0 < small < 100:
                value, end = number(round(value + small / 100, 2)), cents.end()
            found.append(Found(value, one.start, end))
        elif re.match(r" cents?\b", text[one.end :]):
            found.append(Found(number(round(one.value / 100, 4)), one.start, text.index("cent", one.end) + 4))
    for one in numbers_ko.find_numbers(text):
        if unit := _UNIT_KO.match(text, one.end):
            found.append(Found(one.value, one.start, unit.end()))
    return found


def _signed(match: re.Match[str]) -> float | int | None:
    written = (match["amount"] or match["short"]).replace(",", "")
    if len(written) > 15:
        return None
    thousands = match["k"] is not None or match["short"] is not None
    return number(round(float(written) * (1000 if thousands else 1), 4))
