"""When each message of a broadcast is due: as early as its hours allow, and never more at a time than the rate.

What waits for the morning in one zone leaves its place to those where it is day, and takes a free place when its own hours open, so that
the rate holds in the morning too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.channels import Purpose, QuietHours


class Timeline:
    """The time of one sender from `start` on, `rate` segments a second, given away piece by piece."""

    def __init__(self, start: datetime, rate: float, hours: QuietHours, purpose: Purpose) -> None:
        self._rate, self._hours, self._purpose = rate, hours, purpose
        self._start = start.astimezone(UTC)
        # What is free, as spans in order: from `_begins[i]` up to `_ends[i]`, seconds from the start. The last is without end.
        self._begins = [0.0]
        self._ends = [float("inf")]
        # Before these moments nothing is left for recipients of these zones: their next place is not looked for there again.
        self._next: dict[tuple[ZoneInfo, ...], float] = {}
        self.last = start
        """The latest moment given."""

    def take(self, zones: tuple[ZoneInfo, ...], segments: int) -> datetime | None:
        """The next moment for a recipient in one of these zones, in UTC. None if no hour suits all the zones."""
        seconds = max(1, segments) / self._rate
        at = self._next.get(zones, self._begins[0])
        while True:
            span = bisect_right(self._ends, at)
            at = max(at, self._begins[span])
            allowed = self._allowed(at, zones)
            if allowed is None:
                return None
            if allowed > at:
                at = allowed
            elif at + seconds > self._ends[span]:
                at = self._ends[span]
            else:
                break
        self._occupy(span, at, at + seconds)
        self._next[zones] = at
        moment = self._moment(at)
        self.last = max(self.last, moment)
        return moment

    def _allowed(self, at: float, zones: Sequence[ZoneInfo]) -> float | None:
        moment = self._moment(at)
        earliest = self._hours.earliest(self._purpose, moment, zones)
        return at if earliest is moment else None if earliest is None else (earliest - self._start).total_seconds()

    def _moment(self, at: float) -> datetime:
        return self._start + timedelta(seconds=at)

    def _occupy(self, span: int, begin: float, end: float) -> None:
        left = [(self._begins[span], begin)] if begin > self._begins[span] else []
        right = [(end, self._ends[span])] if end < self._ends[span] else []
        self._begins[span : span + 1] = [piece[0] for piece in left + right]
        self._ends[span : span + 1] = [piece[1] for piece in left + right]
