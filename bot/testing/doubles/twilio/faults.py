"""What can go wrong at Twilio or on the way there, to be asked of the double."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """For the next request to send. `*_AFTER`: the message has been accepted; `*_BEFORE`: it has not."""

    RATE_LIMIT = "rate_limit"  # 429 with code 20429; `seconds` becomes Retry-After
    REFUSE = "refuse"  # 400 with `code`
    SERVER_ERROR_BEFORE = "server_error_before"
    SERVER_ERROR_AFTER = "server_error_after"
    HANG_UP_BEFORE = "hang_up_before"  # the connection is closed without an answer
    HANG_UP_AFTER = "hang_up_after"
    RESET_BEFORE = "reset_before"  # the connection is reset
    RESET_AFTER = "reset_after"
    SILENCE_BEFORE = "silence_before"  # the connection stays open and nothing comes
    SILENCE_AFTER = "silence_after"
    CUT_AFTER = "cut_after"  # half of the answer, then the connection is closed
    TRICKLE_AFTER = "trickle_after"  # the answer comes byte by byte and never ends
    GARBAGE_AFTER = "garbage_after"  # 201 with bytes that are no JSON
    SLOW = "slow"  # all is well, after `seconds`
    GATEWAY = "gateway"  # a proxy in between answers 502 with HTML
    PORTAL = "portal"  # a proxy in between answers 403 with HTML
    REDIRECT = "redirect"  # 307 to somewhere else

    @property
    def accepts(self) -> bool:
        return self.value.endswith("_after") or self is Fault.SLOW


@dataclass(frozen=True, slots=True)
class Planned:
    fault: Fault
    code: int = 21211
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What becomes of accepted messages, as told by status callbacks.

    `statuses` in order; `copies` of each; `backwards` tells them in the wrong order; `delay` seconds before each;
    `error_code` goes with `failed` and `undelivered`.
    """

    statuses: tuple[str, ...] = ("sent", "delivered")
    copies: int = 1
    backwards: bool = False
    delay: float = 0.0
    error_code: str = "30003"

    def code(self, status: str) -> str:
        """The error code told with a status, or empty."""
        return self.error_code if status in ("failed", "undelivered") else ""


@dataclass(frozen=True, slots=True)
class Telling:
    """One webhook call: `what` is told `after` seconds, counted from when the first could be made."""

    after: float
    what: str


@dataclass(frozen=True, slots=True)
class Chaos:
    """Webhooks as bad as they get: each told twice, receipts in any order and some three times. The same for the same seed and SID,
    in whatever order messages come. `longest` seconds may lie between the first and the last telling of a message.
    """

    seed: int
    longest: float = 0.2

    def inbound(self, sid: str) -> tuple[Telling, ...]:
        """Two, the second at once or later."""
        dice = self._dice(sid)
        return (Telling(0.0, "received"), Telling(dice.choice((0.0, dice.uniform(0.0, self.longest))), "received"))

    def receipts(self, sid: str, statuses: Sequence[str]) -> tuple[Telling, ...]:
        """Each status twice or three times, in the order of their times."""
        dice = self._dice(sid)
        told = [Telling(dice.uniform(0.0, self.longest), status) for status in statuses for _ in range(dice.choice((2, 2, 3)))]
        return tuple(sorted(told, key=lambda telling: telling.after))

    def _dice(self, sid: str) -> random.Random:
        return random.Random(f"{self.seed} {sid}")
