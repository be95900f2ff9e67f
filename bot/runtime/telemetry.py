"""What the runtime tells about itself: one call an event. Where it goes (metrics, log) is decided in `observing`.

Fields hold no personal data: names of channels, outcomes, codes, counts, and `conversation`, the id that ties a trace together
(it holds none either). `EVENTS` is the whole vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "webhook": "a webhook was answered: channel, status, problem; seconds",
        "received": "an event came in: channel, kind (message, consent, receipt), new (yes, no)",
        "turn": "a turn was committed: conversation, messages (merged into it); seconds",
        "turn_conflict": "somebody else had the conversation, nothing was stored: conversation, reason",
        "turn_failed": "a turn failed and will be tried again: conversation, cause, attempts",
        "dead_letter": "an event was given up: conversation, cause",
        "database_down": "the database did not answer; work waits: cause",
        "send": "an attempt to send: conversation, channel, outcome (sent, retry, rejected, unknown), reason, code; seconds",
        "alert": "something fails until a person repairs it: channel, reason, code",
        "reconciled": "an unknown outcome was asked for: conversation, channel, outcome (sent, absent, unknown, given_up)",
        "receipt": "a provider told what became of a message: channel, status, code",
        "consent": "a customer stopped or resumed: channel, kind",
        "attachment": "a file a customer sent was fetched: conversation, channel, outcome (kept, refused, retry), code",
        "timer": "timers fired: count",
        "swept": "conversations that waited too long were woken again: count",
        "lost": "messages whose sender died became unknown: count",
        "recovered": "a provider was asked for messages we may have missed: channel, count (listed; nearly all are known)",
        "retention": "old rows were deleted: table, count",
        "leader": "this process took up or lost a task that one process does: task, state (held, lost)",
        "broadcast": "a broadcast changed: broadcast, state, count",
        "job_failed": "a periodic job failed and will run again: job, cause",
        "started": "the process is ready: role",
        "stopping": "the process drains: role, signal",
        "stopped": "the process has drained: role; seconds",
    }
)


class Telemetry(Protocol):
    """Takes one event of `EVENTS`. `seconds` is how long it took, `count` how many at once. Never raises, never waits."""

    def __call__(self, event: str, *, seconds: float | None = None, count: int = 1, **fields: str | int) -> None: ...


def silence(event: str, *, seconds: float | None = None, count: int = 1, **fields: str | int) -> None:
    """Telemetry for those who want none."""
