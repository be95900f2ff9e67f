"""The kinds of value by name, as a slot's `entity` names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from ..text import fold
from . import code, data_volume, dates, email, money, numbers_en, numbers_ko, phone
from .found import Found, without_overlaps


@dataclass(frozen=True, slots=True)
class Where:
    """What reading a value depends on besides the words: the customer's day, and the region of numbers without country code."""

    today: date
    region: str = "US"


def _numbers(text: str) -> list[Found]:
    found = numbers_en.find_numbers(text) + numbers_ko.find_numbers(text)
    stripped = re.sub(r"(?:이요|이에요|예요|입니다|요|개|명|번|회선|정도|쯤)+$", "", text.strip(" .!~"))
    if not found and stripped and (value := numbers_ko.read_number(stripped)) is not None:
        start = text.index(stripped)
        found.append(Found(value, start, start + len(stripped)))
    return found


_FINDERS: Mapping[str, Callable[[str, Where], list[Found]]] = {
    "number": lambda text, where: _numbers(text),
    "money": lambda text, where: money.find_money(text),
    "date": lambda text, where: dates.find_dates(text, where.today),
    "month": lambda text, where: dates.find_months(text, where.today),
    "phone": lambda text, where: phone.find_phones(text, where.region),
    "email": lambda text, where: email.find_emails(text),
    "code": lambda text, where: code.find_codes(text),
    "data": lambda text, where: data_volume.find_volumes(text),
}
KINDS = frozenset(_FINDERS)
FREE_KINDS = ("email", "phone", "money", "data", "date", "month")
"""Kinds that are recognisable anywhere in a message; numbers and codes only mean something when they are asked for."""


def find(kind: str, text: str, where: Where) -> tuple[Found, ...]:
    """Every value of a kind in a text, in order, the longest of overlapping ones. Offsets count in `fold(text)`."""
    finder = _FINDERS.get(kind)
    return without_overlaps(finder(fold(text), where)) if finder is not None else ()


def find_asked(kind: str, text: str, where: Where) -> tuple[Found, ...]:
    """As `find`, when the customer was asked for this kind: a bare number is then an amount of money or of data, too."""
    found = find(kind, text, where)
    if not found and kind in ("money", "data"):
        found = find("number", text, where)
    if not found and kind == "date":
        bare = re.fullmatch(r"(?:the )?(\d{1,2})(?:st|nd|rd|th)?", fold(text).strip(" .!"))
        found = find(kind, f"the {bare[1]}", where) if bare else ()
        return tuple(Found(one.value, 0, len(text)) for one in found)
    if not found and kind == "month" and (bare := re.fullmatch(r"\W*(\d{1,2})\W*", text)):
        return tuple(Found(one.value, 0, len(text)) for one in find(kind, f"{bare[1]}월", where))
    return found


_NOW = frozenset({"now", "right now", "asap", "immediately", "지금", "바로", "당장", "즉시"})
"""Dates only in the answer to "when"; elsewhere they mean hurry, or nothing at all."""


def find_all(text: str, where: Where) -> tuple[tuple[str, Found], ...]:
    """Every value in a message that is recognisable without being asked for, with its kind; none overlap, the surer kind wins."""
    kept: list[tuple[str, Found]] = []
    folded = fold(text)
    for kind in FREE_KINDS:
        for one in find(kind, text, where):
            if folded[one.start : one.end] not in _NOW and all(one.end <= other.start or one.start >= other.end for _, other in kept):
                kept.append((kind, one))
    return tuple(sorted(kept, key=lambda pair: pair[1].start))
