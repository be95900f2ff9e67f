"""Whether two values mean the same, although one came out of YAML, one out of a slot, and one out of a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

_SPACE = re.compile(r"\s+")
_PADDED = re.compile(r"^[+-]?0\d|^\+")


def normal(text: str) -> str:
    """A text with runs of white space made one space, and none at the ends."""
    return _SPACE.sub(" ", text).strip()


def alike(expected: Any, actual: Any, *, ignore_case: bool = False) -> bool:
    """Compares loosely: `true` and "True", 50 and "50", 50 and 50.0 are alike; None is like None only.

    Two texts are compared as numbers only if neither is padded, so "0123" is not "123".
    """
    if expected is None or actual is None:
        return expected is actual
    if isinstance(expected, bool) or isinstance(actual, bool):
        return _bool(expected) is not None and _bool(expected) is _bool(actual)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(
            alike(value, actual[key], ignore_case=ignore_case) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(alike(a, b, ignore_case=ignore_case) for a, b in zip(expected, actual, strict=True))
    left, right = normal(str(expected)), normal(str(actual))
    if left == right or (ignore_case and left.casefold() == right.casefold()):
        return True
    both_text = isinstance(expected, str) and isinstance(actual, str)
    if both_text and (_PADDED.match(left) or _PADDED.match(right)):
        return False
    a, b = _number(left), _number(right)
    return a is not None and a == b


def shown(value: Any, limit: int = 80) -> str:
    """A value for people: texts in quotes, long ones cut."""
    text = f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
