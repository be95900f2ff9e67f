"""Values of the operator's systems as slots hold them: plain JSON, ready for the placeholders `{x:money}`, `{x:date}`, `{x:data}`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from integrations.bss import Market, Money
from integrations.bss.models import Line

_ZONES: Final = {Market.US: "America/New_York", Market.KR: "Asia/Seoul"}
"""Whose calendar due dates and promises are kept by: that of the operator's offices in the market."""


def today(market: Market, now: datetime) -> date:
    """The operator's day in a market. `now` has its zone."""
    return now.astimezone(ZoneInfo(_ZONES[market])).date()


def money(amount: Money) -> dict[str, str]:
    """`{"amount": "55.00", "currency": "USD"}`."""
    return {"amount": str(amount.amount), "currency": amount.currency}


def day(value: date | None) -> str | None:
    """An ISO date; None stays None."""
    return value.isoformat() if value else None


def line_label(line: Line) -> str:
    """What a customer calls a line: the name they gave it, else the last four digits of its number."""
    return line.label or line.msisdn[-4:]


def line_prefixes(lines: Iterable[Line]) -> dict[str | None, str]:
    """By line id, what to put before a sentence about one line: "Ella - ", or nothing for a customer with a single line."""
    listed = list(lines)
    return {line.id: f"{line_label(line)} - " for line in listed} if len(listed) > 1 else {}


def slot(tracker: Any, name: str) -> str:
    """A text slot that a flow has filled before the action runs. Raises LookupError naming the slot when it is empty."""
    value = tracker.get_slot(name)
    if value is None:
        raise LookupError(f"the slot {name} is empty: the flow must fill it before this action")
    return str(value)
