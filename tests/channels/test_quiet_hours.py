from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import Purpose, QuietHours, Window, zones_of

NEW_YORK, LOS_ANGELES, SEOUL, HONOLULU, AUCKLAND = map(
    ZoneInfo, ("America/New_York", "America/Los_Angeles", "Asia/Seoul", "Pacific/Honolulu", "Pacific/Auckland")
)
ZONES = (NEW_YORK, LOS_ANGELES, SEOUL, HONOLULU, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Cairo"), ZoneInfo("UTC"))
QUIET = QuietHours()


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type, misc]


def test_answers_go_at_any_time() -> None:
    night = at(SEOUL, 2026, 3, 1, 3, 0)
    assert QUIET.earliest(Purpose.REPLY, night, (SEOUL,)) == night


@pytest.mark.parametrize(
    ("purpose", "moment", "zone", "expected"),
    [
        (Purpose.NOTIFY, (2026, 3, 1, 7, 59), SEOUL, (2026, 3, 1, 8, 0)),
        (Purpose.NOTIFY, (2026, 3, 1, 8, 0), SEOUL, (2026, 3, 1, 8, 0)),
        (Purpose.NOTIFY, (2026, 3, 1, 20, 59), SEOUL, (2026, 3, 1, 20, 59)),
        (Purpose.NOTIFY, (2026, 3, 1, 21, 0), SEOUL, (2026, 3, 2, 8, 0)),
        (Purpose.MARKETING, (2026, 3, 1, 20, 30), SEOUL, (2026, 3, 2, 9, 0)),
        # The night the clocks go forward is an hour shorter.
        (Purpose.NOTIFY, (2026, 3, 7, 23, 0), NEW_YORK, (2026, 3, 8, 8, 0)),
    ],
)
def test_the_recipients_clock_decides(purpose: Purpose, moment: tuple[int, ...], zone: ZoneInfo, expected: tuple[int, ...]) -> None:
    assert QUIET.earliest(purpose, at(zone, *moment), (zone,)) == at(zone, *expected)


def test_a_number_of_two_zones_waits_for_both() -> None:
    early = at(NEW_YORK, 2026, 1, 5, 8, 30)
    found = QUIET.earliest(Purpose.NOTIFY, early, (NEW_YORK, LOS_ANGELES))
    assert found == at(LOS_ANGELES, 2026, 1, 5, 8, 0)
    late = at(LOS_ANGELES, 2026, 1, 5, 18, 30)
    assert QUIET.earliest(Purpose.NOTIFY, late, (NEW_YORK, LOS_ANGELES)) == at(LOS_ANGELES, 2026, 1, 6, 8, 0)


def test_zones_that_share_no_hour_have_no_time() -> None:
    narrow = QuietHours({Purpose.NOTIFY: Window(time(9), time(11))})
    assert narrow.earliest(Purpose.NOTIFY, at(SEOUL, 2026, 1, 1, 9, 0), (SEOUL, NEW_YORK)) is None


def test_an_opening_that_the_clock_skips_is_when_it_skips() -> None:
    odd = QuietHours({Purpose.NOTIFY: Window(time(2, 30), time(20))})
    assert odd.earliest(Purpose.NOTIFY, at(NEW_YORK, 2026, 3, 8, 1, 0), (NEW_YORK,)) == at(NEW_YORK, 2026, 3, 8, 3, 30)


def test_naive_times_and_windows_over_midnight_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        QUIET.allows(Purpose.NOTIFY, datetime(2026, 1, 1), (SEOUL,))
    with pytest.raises(ValueError, match="opens before"):
        Window(time(21), time(8))


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3),
    st.sampled_from(Purpose),
    st.floats(0, 1),
)
def test_it_is_allowed_then_and_at_no_moment_before(naive: datetime, zones: list[ZoneInfo], purpose: Purpose, part: float) -> None:
    moment = naive.replace(tzinfo=UTC)
    found = QUIET.earliest(purpose, moment, zones)
    horizon = moment + timedelta(days=3)
    if found is not None:
        assert found >= moment
        assert QUIET.allows(purpose, found, zones)
    before = moment + ((found or horizon) - moment) * part
    if found is None or before < found:
        assert not QUIET.allows(purpose, before, zones)


def test_zones_by_number() -> None:
    assert zones_of("+12125550100") == (NEW_YORK,)
    assert zones_of("+821000000001") == (SEOUL,)
    assert len(zones_of("+18005550100")) > 3  # toll-free: anywhere
    assert zones_of("no number") == ()
    assert zones_of("12345") == ()
