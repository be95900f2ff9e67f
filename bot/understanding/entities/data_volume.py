"""Amounts of mobile data in GB: "5GB", "500 MB", "five gigs", "3기가", "무제한" is none. "5G" is a network, not an amount."""

from __future__ import annotations

import re

from . import numbers_en, numbers_ko
from .found import Found, number

_UNIT = re.compile(
    r"[ -]?(?:(?P<tb>tb|terabytes?|테라)|(?P<gb>gbs?|gib|gigs?|gigabytes?|기가(?:바이트)?)|(?P<mb>mbs?|mib|megs?|megabytes?|메가(?:바이트)?))(?![a-z])"
)
_ATTACHED = re.compile(r"(?<![\w.])(?P<amount>\d+(?:\.\d+)?)(?=[ ]?(?:tb|gb|gib|gig|mb|mib|meg|기가|메가|테라))")


def find_volumes(text: str) -> list[Found]:
    """Every amount of data in a folded text, in GB."""
    numbers = [Found(number(float(m["amount"])), m.start(), m.end()) for m in _ATTACHED.finditer(text)]
    numbers += numbers_en.find_numbers(text) + numbers_ko.find_numbers(text)
    found: list[Found] = []
    for one in numbers:
        unit = _UNIT.match(text, one.end)
        if unit is None:
            continue
        factor = 1000.0 if unit["tb"] else 0.001 if unit["mb"] else 1.0
        found.append(Found(number(round(one.value * factor, 6)), one.start, unit.end()))
    return found
