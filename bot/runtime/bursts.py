"""People write in bursts: "hi" - "my bill" - "is too high". Messages within a short window are one turn. Pure.

Which messages belong together goes by when they came in, and by nothing else: a turn that is taken again after a crash takes the same
ones, so that its effects have the same keys. Therefore a burst is answered only when nothing can join it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.conversations import InboxRow


@dataclass(frozen=True, slots=True)
class Bursts:
    """`window`: how soon the next message must follow to belong to the same turn; zero: every message is a turn of its own.

    `longest`: how long after the first message a burst ends in any case.
    """

    window: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(seconds=4)

    def first(self, rows: Sequence[InboxRow]) -> tuple[InboxRow, ...]:
        """The rows, of those that wait in order, that make the next turn. Empty only when `rows` is."""
        burst = list(rows[:1])
        for row in rows[1:]:
            if not self._joins(burst, row):
                break
            burst.append(row)
        return tuple(burst)

    def settled_at(self, rows: Sequence[InboxRow]) -> datetime | None:
        """When nothing can join the first burst of `rows` any more; None when that is so already."""
        burst = self.first(rows)
        if not burst or not self.window or not _may_be_joined(burst[-1]) or len(burst) < len(rows):
            return None
        return min(burst[-1].received_at + self.window, burst[0].received_at + self.longest)

    def _joins(self, burst: Sequence[InboxRow], row: InboxRow) -> bool:
        first, last = burst[0], burst[-1]
        together = _may_be_joined(last) and _may_be_joined(row) and row.event.addresses == first.event.addresses
        soon = row.received_at <= min(last.received_at + self.window, first.received_at + self.longest)
        return bool(self.window) and together and soon


def _may_be_joined(row: InboxRow) -> bool:
    """A button is an answer of its own; timers and the like are not said by anybody."""
    return row.event.kind == "message" and not row.event.payload.get("choice")
