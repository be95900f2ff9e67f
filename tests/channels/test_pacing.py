from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Backoff, Pace


def test_waits_double_up_to_the_most() -> None:
    backoff = Backoff(first=1, most=60)
    assert [backoff.delay(attempt, lambda: 1.0) for attempt in (1, 2, 3, 7, 8, 1000)] == [1, 2, 4, 60, 60, 60]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_chance_shortens_by_half_at_most_and_never_below_what_was_asked(attempt: int, chance: float) -> None:
    backoff = Backoff(first=2, most=300)
    full = backoff.delay(attempt, lambda: 1.0)
    assert full / 2 <= backoff.delay(attempt, lambda: chance) <= full
    assert backoff.delay(attempt, lambda: chance, at_least=500) >= 500


@given(st.lists(st.tuples(st.integers(1, 8), st.floats(0, 3)), min_size=5, max_size=60), st.sampled_from((1.0, 2.5, 10.0)))
def test_never_faster_than_the_rate(messages: list[tuple[int, float]], rate: float) -> None:
    pace, now, sent = Pace.full(rate, 0.0), 0.0, 0
    for segments, idle in messages:
        now += idle
        while True:
            pace, wait = pace.take(segments, now)
            if not wait:
                break
            now += wait
        sent += segments
        # All that went, but for the last message that may be larger than the burst, fits into the burst and the time since.
        assert sent - segments <= rate * now + pace.burst + 1e-6


def test_a_message_larger_than_the_burst_goes_and_is_paid_for_afterwards() -> None:
    pace, wait = Pace.full(1.0, 0.0).take(5, 0.0)
    assert wait == 0
    assert pace.take(1, 0.0)[1] == pytest.approx(5.0)
    assert pace.take(1, 5.0)[1] == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    pace, _ = Pace.full(1.0, 100.0).take(1, 100.0)
    assert pace.take(1, 50.0)[1] == pytest.approx(1.0)


def test_a_rate_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Pace.full(0, 0)
