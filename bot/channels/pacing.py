"""How fast to send and when to try again. Pure: the caller keeps the value, the clock and the dice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first` seconds up to `most`, each shortened by chance to between half and all of it."""

    first: float = 1.0
    most: float = 300.0

    def delay(self, attempt: int, chance: Callable[[], float], *, at_least: float | None = None) -> float:
        """Seconds before attempt `attempt + 1`. `attempt` counts from 1; `chance` gives 0 to 1; `at_least` is what the provider
        asked for, and is kept."""
        full = min(self.most, self.first * 2.0 ** min(attempt - 1, 32))
        wait = full * (0.5 + 0.5 * chance())
        return wait if at_least is None else max(wait, at_least * (1.0 + 0.1 * chance()))


@dataclass(frozen=True, slots=True)
class Pace:
    """A token bucket of one sender, counting segments: `rate` a second, `burst` at once.

    A message larger than the burst is let through when the bucket is full, and the debt is paid by waiting afterwards.
    """

    rate: float
    burst: float
    tokens: float
    at: float

    @classmethod
    def full(cls, rate: float, now: float, *, burst: float | None = None) -> Pace:
        """`now` in seconds on any steady clock. Raises ValueError unless the rate is positive."""
        if rate <= 0:
            raise ValueError("a pace needs a positive number of segments per second")
        size = max(1.0, rate if burst is None else burst)
        return cls(rate, size, size, now)

    def take(self, segments: int, now: float) -> tuple[Pace, float]:
        """The bucket afterwards, and 0 if the message may go now; else the bucket as it is, and the seconds to wait."""
        tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        needed = min(float(segments), self.burst)
        if tokens + 1e-9 >= needed:
            return replace(self, tokens=tokens - segments, at=max(now, self.at)), 0.0
        return replace(self, tokens=tokens, at=max(now, self.at)), (needed - tokens) / self.rate
