"""The operator's house rules that are the same in every market, and its calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from ..parties import Market

DUE_DAYS: Final = 21
"""From the bill to its due date."""
UNDO_DAYS: Final = 7
"""How long a plan change that has started can be undone."""
PROMISE_DAYS: Final = 14
"""How far away a promised day may be."""
EXTENSION_GAP_DAYS: Final = 90
"""Between two promises of one customer."""
CODE_LIFE: Final = timedelta(minutes=10)
CODE_ATTEMPTS: Final = 5
CODES_PER_HOUR: Final = 5
MAX_TOP_UP_GB: Final = Decimal(50)
SLOT_DAYS: Final = 14
"""How far ahead visits can be booked."""
INSTALMENTS: Final = 24
"""Months over which a device is paid."""
VAT: Final = Decimal("0.10")
"""Inside Korean prices."""

_ZONES: Final = {Market.US: "America/New_York", Market.KR: "Asia/Seoul"}


def today_in(market: Market, now: datetime) -> date:
    """The calendar day the operator's offices have in that country."""
    return now.astimezone(ZoneInfo(_ZONES[market])).date()


@dataclass(frozen=True, slots=True)
class Cycle:
    """A billing month. The bill is made on the day after `end`."""

    start: date
    end: date

    @classmethod
    def around(cls, day: date, bill_day: int) -> Cycle:
        """The cycle that `day` is in, for cycles starting on `bill_day` (1 to 28)."""
        start = day.replace(day=bill_day)
        return cls.starting(start if start <= day else add_months(start, -1))

    @classmethod
    def starting(cls, start: date) -> Cycle:
        return cls(start, add_months(start, 1) - timedelta(days=1))

    def shifted(self, months: int) -> Cycle:
        return Cycle.starting(add_months(self.start, months))

    @property
    def bill_date(self) -> date:
        return self.end + timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def add_months(day: date, months: int) -> date:
    """The same day some months away, or the last of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(f"{day} moved by {months} months is outside the calendar")


def months_left(today: date, end: date) -> int:
    """Started months from today to the last day of a contract; zero when it is over."""
    if end < today:
        return 0
    months = (end.year - today.year) * 12 + end.month - today.month
    return months + 1 if add_months(today, months) <= end else months
