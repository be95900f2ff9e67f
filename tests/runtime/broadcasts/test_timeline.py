from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import Purpose, QuietHours
from bot.runtime.broadcasts.timeline import Timeline

from .world import AT_ANY_HOUR

HOURS = QuietHours()
EAST, WEST, HAWAII, SEOUL = ((ZoneInfo(name),) for name in ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Asia/Seoul"))
NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)  # noon in New York, nine in Los Angeles, seven in Honolulu, two at night in Seoul


def test_the_rate_counts_segments() -> None:
    timeline = Timeline(NOON, 10.0, AT_ANY_HOUR, Purpose.NOTIFY)
    moments = [timeline.take(EAST, segments) for segments in (1, 3, 1, 2)]
    assert moments == [NOON + timedelta(seconds=seconds) for seconds in (0, 0.1, 0.4, 0.5)]
    assert timeline.last == moments[-1]


@pytest.mark.parametrize(
    ("purpose", "zones", "utc"),
    [
        (Purpose.NOTIFY, EAST, "2026-03-04T17:00"),
        (Purpose.NOTIFY, WEST, "2026-03-04T17:00"),
        (Purpose.NOTIFY, HAWAII, "2026-03-04T18:00"),
        (Purpose.NOTIFY, SEOUL, "2026-03-04T23:00"),
        (Purpose.MARKETING, SEOUL, "2026-03-05T00:00"),
        (Purpose.MARKETING, HAWAII, "2026-03-04T19:00"),
        (Purpose.NOTIFY, EAST + SEOUL, "2026-03-04T23:00"),  # 18:00 there, 8:00 here
    ],
)
def test_quiet_hours_where_the_recipient_is(purpose: Purpose, zones: tuple[ZoneInfo, ...], utc: str) -> None:
    moment = Timeline(NOON, 10.0, HOURS, purpose).take(zones, 1)
    assert moment == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_who_sleeps_leaves_the_place_to_others_and_the_rate_holds_in_the_morning() -> None:
    timeline = Timeline(NOON, 1.0, HOURS, Purpose.NOTIFY)
    moments = {zones: [timeline.take(zones, 1) for _ in range(100)] for zones in (SEOUL, EAST, HAWAII)}
    assert moments[EAST][0] == NOON, "not behind those who sleep"
    assert moments[EAST][-1] == NOON + timedelta(seconds=99)
    assert moments[SEOUL][-1] == datetime(2026, 3, 4, 23, 1, 39, tzinfo=UTC)
    late = timeline.take(WEST, 1)
    assert late == NOON + timedelta(seconds=100), "whose hours are open takes the next free place"


def test_two_places_that_open_at_once_share_the_rate() -> None:
    timeline = Timeline(NOON, 10.0, HOURS, Purpose.NOTIFY)
    tokyo = (ZoneInfo("Asia/Tokyo"),)
    taken = sorted(moment for n in range(200) if (moment := timeline.take(SEOUL if n % 2 else tokyo, 1)))
    assert len(taken) == 200
    assert taken[0] == datetime(2026, 3, 4, 23, tzinfo=UTC)
    assert {round((b - a).total_seconds(), 4) for a, b in zip(taken, taken[1:], strict=False)} == {0.1}


def test_a_night_comes_in_between() -> None:
    evening = datetime(2026, 3, 5, 1, 59, 30, tzinfo=UTC)  # 20:59:30 in New York
    timeline = Timeline(evening, 1.0, HOURS, Purpose.NOTIFY)
    moments = [timeline.take(EAST, 1) for _ in range(40)]
    assert moments[29] == evening + timedelta(seconds=29)
    assert moments[30] == datetime(2026, 3, 5, 13, tzinfo=UTC)
    assert moments[39] == datetime(2026, 3, 5, 13, 0, 9, tzinfo=UTC)


def test_some_zones_have_no_hour_in_common() -> None:
    assert Timeline(NOON, 1.0, HOURS, Purpose.MARKETING).take(EAST + SEOUL + (ZoneInfo("Europe/London"),), 1) is None


ZONES = st.sampled_from((EAST, WEST, HAWAII, SEOUL, EAST + WEST, (ZoneInfo("Asia/Kolkata"),), (ZoneInfo("Pacific/Kiritimati"),)))


@settings(max_examples=60)
@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    rate=st.floats(0.05, 50),
    purpose=st.sampled_from((Purpose.NOTIFY, Purpose.MARKETING)),
    wanted=st.lists(st.tuples(ZONES, st.integers(1, 4)), max_size=60),
)
def test_never_in_quiet_hours_never_faster_than_the_rate(
    start: datetime, rate: float, purpose: Purpose, wanted: list[tuple[tuple[ZoneInfo, ...], int]]
) -> None:
    timeline = Timeline(start, rate, HOURS, purpose)
    given: list[tuple[datetime, int]] = []
    for zones, segments in wanted:
        moment = timeline.take(zones, segments)
        assert moment is not None
        assert moment >= start
        assert HOURS.allows(purpose, moment, zones)
        given.append((moment, segments))
    given.sort()
    for (one, segments), (other, _) in zip(given, given[1:], strict=False):
        assert (other - one).total_seconds() >= segments / rate - 1e-5
