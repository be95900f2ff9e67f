from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Addresses, InboxRow, Incoming
from bot.runtime.bursts import Bursts

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HERE = Addresses("twilio", "tel:+12025550100", "tel:+12025550101")


def row(number: int, at: float, kind: str = "message", choice: str = "", addresses: Addresses = HERE) -> InboxRow:
    event = Incoming(f"e{number}", "c1", {"text": f"m{number}", "choice": choice}, addresses, kind)
    return InboxRow(number, event, START + timedelta(seconds=at))


def ids(rows: tuple[InboxRow, ...]) -> list[int]:
    return [one.id for one in rows]


def test_messages_within_the_window_are_one_burst() -> None:
    bursts = Bursts(timedelta(seconds=1), timedelta(seconds=10))
    rows = [row(1, 0), row(2, 0.9), row(3, 1.8), row(4, 3)]
    assert ids(bursts.first(rows)) == [1, 2, 3]
    assert bursts.settled_at(rows) is None, "what follows came too late to join"
    assert bursts.settled_at(rows[:3]) == START + timedelta(seconds=2.8)


def test_a_burst_ends_however_long_the_customer_goes_on() -> None:
    bursts = Bursts(timedelta(seconds=1), timedelta(seconds=2))
    rows = [row(number, number * 0.5) for number in range(10)]
    assert ids(bursts.first(rows)) == [0, 1, 2, 3, 4]
    assert bursts.settled_at(rows[:4]) == START + timedelta(seconds=2)


def test_buttons_timers_and_other_senders_stand_alone() -> None:
    bursts = Bursts()
    assert ids(bursts.first([row(1, 0, choice="/yes"), row(2, 0.1)])) == [1]
    assert ids(bursts.first([row(1, 0), row(2, 0.1, choice="/yes")])) == [1]
    assert ids(bursts.first([row(1, 0, kind="timer"), row(2, 0.1)])) == [1]
    assert bursts.settled_at([row(1, 0, choice="/yes")]) is None
    elsewhere = Addresses("twilio", "tel:+12025550199", "tel:+12025550101")
    assert ids(bursts.first([row(1, 0), row(2, 0.1, addresses=elsewhere)])) == [1]


def test_without_a_window_every_message_is_a_turn() -> None:
    bursts = Bursts(timedelta(0))
    assert ids(bursts.first([row(1, 0), row(2, 0)])) == [1]
    assert bursts.settled_at([row(1, 0)]) is None


def test_nothing_waits() -> None:
    assert Bursts().first([]) == ()
    assert Bursts().settled_at([]) is None


@given(st.lists(st.floats(0, 2), min_size=1, max_size=12), st.floats(0.1, 2), st.floats(0.1, 5))
def test_a_burst_that_is_settled_stays_the_same_whatever_comes_later(gaps: list[float], window: float, longest: float) -> None:
    """What makes a turn that is taken again after a crash the same turn."""
    bursts = Bursts(timedelta(seconds=window), timedelta(seconds=longest))
    moments = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    rows = [row(number, at) for number, at in enumerate(moments)]
    for seen in range(1, len(rows) + 1):
        known = rows[:seen]
        settled = bursts.settled_at(known) or known[-1].received_at
        later = [one for one in rows[seen:] if one.received_at > settled]
        assert bursts.first(known + later)[: len(bursts.first(known))] == bursts.first(known)
        if bursts.settled_at(known) is not None:
            assert bursts.first(known + later) == bursts.first(known)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=12))
def test_nothing_is_left_out_and_nothing_twice(gaps: list[float]) -> None:
    rows = [row(number, sum(gaps[: number + 1])) for number in range(len(gaps))]
    taken: list[int] = []
    bursts = Bursts()
    while rows:
        burst = bursts.first(rows)
        assert burst
        taken += ids(burst)
        rows = rows[len(burst) :]
    assert taken == list(range(len(gaps)))
