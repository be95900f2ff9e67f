"""One-time codes: 4 to 8 digits, together, in groups or read out. Text, because leading zeros count."""

from __future__ import annotations

import re

from . import numbers_en, numbers_ko
from .found import Found

_CODE = re.compile(r"(?<![\w$₩.-])(?:\d{4,8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d(?:[ -]\d){3,7})(?![\w-]*\d|[ ]?(?:원|달러|dollars|%|gb|mb))")
_LENGTHS = range(4, 9)


def find_codes(text: str) -> list[Found]:
    """Every one-time code in a folded text."""
    found = [Found(re.sub(r"\D", "", m[0]), m.start(), m.end()) for m in _CODE.finditer(text)]
    runs = numbers_ko.find_digit_runs(text) + numbers_en.find_digit_runs(text)
    return found + [run for run in runs if len(run.value) in _LENGTHS]
