"""Whether a written value fits a slot."""

from __future__ import annotations

from typing import Any

from ..spec import Slot
from .view import did_you_mean


def misfit(slot: Slot, value: Any) -> str:
    """Why a written value cannot stand in a slot; empty when it can. Types are loose: numbers in text slots and the reverse are fine."""
    if value is None:
        return ""
    match slot.type:
        case "bool":
            fine = isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in ("true", "false"))
            return "" if fine else f"{value!r} is neither true nor false"
        case "float":
            number = number_of(value)
            if number is None:
                return f"{value!r} is no number"
            if slot.minimum is not None and number < slot.minimum:
                return f"{number:g} is below {slot.minimum:g}"
            if slot.maximum is not None and number > slot.maximum:
                return f"{number:g} is above {slot.maximum:g}"
            return ""
        case "categorical" if slot.values:
            fine = spelled(value).casefold() in (known.casefold() for known in slot.values)
            return "" if fine else f"{value!r} is not one of {', '.join(slot.values)}"
        case "text":
            return f"{value!r} is no text" if isinstance(value, (list, tuple, dict)) else ""
        case "list":
            return "" if isinstance(value, (list, tuple)) else f"{value!r} is no list"
        case _:
            return ""


def number_of(value: Any) -> float | None:
    """The number a written value is or spells."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_hint(slot: Slot, value: Any) -> str:
    return did_you_mean(spelled(value), slot.values) if slot.type == "categorical" else f"the slot's type is {slot.type}"
