"""When a message of a purpose may be sent, by the recipient's clock. Answers in a conversation may always."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from .outbound import Purpose

_HORIZON = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` up to and not including `closes`, local time, every day. Raises ValueError unless it opens before it closes."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError("a window opens before it closes, on the same day")

    def holds(self, moment: datetime, zone: ZoneInfo) -> bool:
        return self.opens <= moment.astimezone(zone).time() < self.closes

    def next_opening(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first opening after `moment`, in UTC. Where the clock skips that hour, the moment it skips."""
        day = moment.astimezone(zone).date()
        while True:
            # Through UTC: in the hour that a change of the clock skips, local times mean nothing until they have been there.
            local = datetime.combine(day, self.opens, zone)
            for fold in (0, 1):  # a local time that comes twice, when clocks go back
                opening = local.replace(fold=fold).astimezone(UTC)
                if opening > moment:
                    return opening
            day += timedelta(days=1)


# The United States: 8:00 to 21:00 (47 CFR 64.1200(c)(1)). Korea: no advertising from 21:00 to 8:00 (Network Act, Article 50(3)).
NOTIFY_WINDOW = Window(time(8), time(21))
MARKETING_WINDOW = Window(time(9), time(20))


def _default_windows() -> Mapping[Purpose, Window]:
    return MappingProxyType({Purpose.NOTIFY: NOTIFY_WINDOW, Purpose.MARKETING: MARKETING_WINDOW})


@dataclass(frozen=True, slots=True)
class QuietHours:
    """`windows`: by purpose, when it may be sent; a purpose without a window may be sent at any time."""

    windows: Mapping[Purpose, Window] = field(default_factory=_default_windows)

    def allows(self, purpose: Purpose, moment: datetime, zones: Sequence[ZoneInfo]) -> bool:
        """Whether it is within the window in every zone the recipient may be in. Raises ValueError for a naive time."""
        _aware(moment)
        window = self.windows.get(purpose)
        return window is None or all(window.holds(moment, zone) for zone in zones)

    def earliest(self, purpose: Purpose, moment: datetime, zones: Sequence[ZoneInfo]) -> datetime | None:
        """`moment` itself if it is allowed, else the first moment it will be, in UTC.

        None if the zones are so far apart that no hour suits all of them: find out where the recipient is. Raises ValueError
        for a naive time.
        """
        _aware(moment)
        if self.allows(purpose, moment, zones):
            return moment
        window = self.windows[purpose]
        found = moment
        while found - moment < _HORIZON:
            closed = [zone for zone in zones if not window.holds(found, zone)]
            if not closed:
                return found
            found = max(window.next_opening(found, zone) for zone in closed)
        return None


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """The zones an E.164 number may be in, by its area code; empty if it tells nothing (then a default must be configured).

    A mobile number says where it was given out, not where its owner is: a zone the customer told is better.
    """
    import phonenumbers
    from phonenumbers import timezone

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ()
    names = timezone.time_zones_for_number(parsed)
    return tuple(ZoneInfo(name) for name in names if name != timezone.UNKNOWN_TIMEZONE)


def _aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone: use datetime.now(UTC)")
