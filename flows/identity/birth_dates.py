"""Birth dates as customers write them, in English and Korean. Pure. Not the framework's dates: those look ahead, these a lifetime back."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date
from typing import Final

_MONTHS: Final = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if name}
_MONTH: Final = r"(?P<m>" + "|".join(_MONTHS) + r")[a-z]*\.?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<y>(?:19|20)\d\d)\s*(?:[-./]|년)\s*(?P<m>\d{1,2})\s*(?:[-./]|월)\s*(?P<d>\d{1,2})",
        rf"{_MONTH}\s*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s*(?P<y>(?:19|20)\d\d)",
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:of\s*)?{_MONTH},?\s*(?P<y>(?:19|20)\d\d)",
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)",
        r"(?<!\d)(?P<m>\d{1,2})[-./](?P<d>\d{1,2})[-./](?P<y>(?:19|20)\d\d)(?!\d)",
        r"(?<!\d)(?P<yy>\d\d)\s*(?:[-./]|년)\s*(?P<m>\d{1,2})\s*(?:[-./]|월)\s*(?P<d>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<yy>\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)",
    )
)
"""Surest first. 04/12/1988 is read as in the United States; the last two are how Koreans write theirs: 92.3.8, 920308."""
_OLDEST: Final = 120


def read_birth_date(text: str, today: date) -> date | None:
    """The first birth date in a text, or None. Not in the future, and not more than 120 years ago."""
    return next((born for born in _dates(text, today) if born <= today and today.year - born.year <= _OLDEST), None)


def _dates(text: str, today: date) -> Iterator[date]:
    for form in _FORMS:
        for match in form.finditer(text):
            parts = match.groupdict()
            try:
                month = _MONTHS.get(parts["m"][:3].lower()) or int(parts["m"])
                yield date(_year(parts, today), month, int(parts["d"]))
            except ValueError:
                continue  # February 30


def _year(parts: dict[str, str], today: date) -> int:
    if parts.get("y"):
        return int(parts["y"])
    year = today.year // 100 * 100 + int(parts["yy"])
    return year if year <= today.year else year - 100
