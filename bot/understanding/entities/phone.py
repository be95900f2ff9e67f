"""Phone numbers as E.164 text, written in digits or read out digit by digit, by libphonenumber's plans."""

from __future__ import annotations

import re

from . import numbers_en, numbers_ko
from .found import Found

_FEWEST_DIGITS = 7
_DIGITS = re.compile(r"\+?\(?\d[\d\s().-]{5,30}\d")


def find_phones(text: str, region: str) -> list[Found]:
    """Every possible phone number in a folded text. `region` (`US`, `KR`) is where a number without country code is from.

    A number that begins 01x is read as Korean whatever the region: no other market served has such mobile numbers.
    """
    if sum(character.isdigit() for character in text) < _FEWEST_DIGITS and not _spoken(text):
        return []
    found = [one for m in _DIGITS.finditer(text) if (one := _read(m[0], m.start(), m.end(), region)) is not None]
    found += [one for run in _spoken(text) if (one := _read(run.value, run.start, run.end, region)) is not None]
    return found


def _spoken(text: str) -> list[Found]:
    runs = numbers_ko.find_digit_runs(text) + numbers_en.find_digit_runs(text)
    return [run for run in runs if len(run.value) >= _FEWEST_DIGITS]


def _read(written: str, start: int, end: int, region: str) -> Found | None:
    import phonenumbers

    digits = re.sub(r"\D", "", written)
    home = "KR" if re.match(r"01[016-9]\d{7,8}$", digits) else region
    try:
        parsed = phonenumbers.parse(written, home)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed) or len(digits) < _FEWEST_DIGITS + 2:
        return None
    return Found(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), start, end)
