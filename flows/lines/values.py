"""Values as slots hold them, beside those of `flows.common.values`: costs, gigabytes, local days and times, markets. Pure functions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flows.common.values import money
from integrations.bss import Market, Money


def cost(amount: Money) -> dict[str, str] | None:
    """For `{slot:money}`; None when there is nothing to pay, so that `slots.x is not null` asks whether there is."""
    return money(amount) if amount else None


def gigabytes(amount: Decimal | None) -> str | None:
    """For `{slot:data}`; None stays None (unlimited)."""
    return None if amount is None else str(amount)


def local_day(moment: datetime, timezone: str) -> str:
    """The calendar day an instant falls on where the customer lives, for `{slot:date}`."""
    return moment.astimezone(ZoneInfo(timezone)).date().isoformat()


def local_time(moment: datetime, timezone: str, language: str) -> str:
    """The time of day there: "6:30 PM" or "오후 6:30"."""
    there = moment.astimezone(ZoneInfo(timezone))
    hour, half = there.hour % 12 or 12, there.hour >= 12
    if language == "ko":
        return f"{'오후' if half else '오전'} {hour}:{there.minute:02d}"
    return f"{hour}:{there.minute:02d} {'PM' if half else 'AM'}"


def market_of(customers_market: str | None, language: str) -> Market:
    """Where to look for plans and places; somebody we do not know is taken to live where their language is spoken."""
    if customers_market:
        return Market(customers_market)
    return Market.KR if language.startswith("ko") else Market.US
