"""How far a broadcast is: counted from its rows in the outbox, and from what providers told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Status
from bot.conversations.outbox import OPTED_OUT
from bot.conversations.tables import outbox_table, receipt_table

_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages by state. A message that took several parts counts once a part.

    `waiting`: not taken up yet, or to be tried again; `unknown`: the provider is asked whether it has them; `sent`: it has them, and of
    those `delivered` arrived; `rejected` and `undelivered`: by code; `opted_out`: the customer said stop after it was planned.
    """

    waiting: int = 0
    sending: int = 0
    unknown: int = 0
    sent: int = 0
    delivered: int = 0
    cancelled: int = 0
    opted_out: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    undelivered: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> int:
        return self.unsettled + self.settled + self.cancelled

    @property
    def unsettled(self) -> int:
        return self.waiting + self.sending + self.unknown

    @property
    def settled(self) -> int:
        """Those that nothing more is done about."""
        return self.sent + self.opted_out + sum(self.rejected.values())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BroadcastStatus:
    """A broadcast at a moment. `status` is planning, running, stopped or done.

    `planned` of `total` lines of the file have been looked at; `skipped` are those of them that get nothing, by reason. `rate` is what it
    was planned with, `speed` what was sent in the last minute, both a second; `ends` is None when nothing waits or it is stopped.
    """

    id: str
    status: str
    channel: str
    purpose: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    planned: int
    skipped: Mapping[str, int]
    segments: int
    rate: float
    counts: Counts
    speed: float = 0.0
    ends: datetime | None = None

    @property
    def fraction(self) -> float:
        """0 to 1: how much of it is over, planning included."""
        if self.status == "done" or not self.total:
            return 1.0 if self.status == "done" else 0.0
        over = (self.counts.settled / self.counts.all) if self.counts.all else 1.0
        return over * self.planned / self.total

    def to_json(self) -> dict[str, Any]:
        times = {
            name: moment and moment.isoformat()
            for name, moment in (("created_at", self.created_at), ("finished_at", self.finished_at), ("ends", self.ends))
        }
        return {**asdict(self), "counts": self.counts.to_json(), "skipped": dict(self.skipped), **times}


@dataclass(frozen=True, slots=True)
class Pulse:
    """The counts, with what is needed to foretell the end."""

    counts: Counts
    sent_lately: int
    last_due: datetime | None

    def ends(self, now: datetime, per_second: float) -> datetime | None:
        if not self.counts.waiting or self.last_due is None:
            return None
        return max(self.last_due, now + timedelta(seconds=self.counts.waiting / per_second))

    @property
    def speed(self) -> float:
        return self.sent_lately / _WINDOW.total_seconds()


async def pulse(tx: AsyncConnection, broadcast: str, now: datetime) -> Pulse:
    """Counts a broadcast's rows: a pass over them, tens of milliseconds for a hundred thousand."""
    row, receipt = outbox_table.c, receipt_table.c
    lately = func.sum(case((row.finished_at > now - _WINDOW, 1), else_=0))
    by_state = select(row.status, row.cause, func.count(), lately, func.max(row.due)).where(row.broadcast == broadcast)
    states = (await tx.execute(by_state.group_by(row.status, row.cause))).all()
    told = (receipt.channel == row.channel) & (receipt.provider_id == row.provider_id)
    of_it = (row.broadcast == broadcast, row.status == "sent", row.provider_id != "")
    by_receipt = select(receipt.status, receipt.error_code, func.count()).join(outbox_table, told).where(*of_it)
    receipts = (await tx.execute(by_receipt.group_by(receipt.status, receipt.error_code))).all()
    return _pulse(states, receipts)


def _pulse(states: Sequence[Any], receipts: Sequence[Any]) -> Pulse:
    counts: dict[str, int] = {}
    rejected: dict[str, int] = {}
    sent_lately, last_due, opted_out = 0, None, 0
    for status, cause, count, lately, due in states:
        if status == "rejected" and cause == OPTED_OUT:
            opted_out += count
        elif status == "rejected":
            rejected[cause or "unknown"] = rejected.get(cause or "unknown", 0) + count
        else:
            name = "waiting" if status in ("pending", "retry") else status
            counts[name] = counts.get(name, 0) + count
        if status == "sent":
            sent_lately += int(lately or 0)
        if status in ("pending", "retry") and (last_due is None or due > last_due):
            last_due = due
    delivered = 0
    undelivered: dict[str, int] = {}
    for status, code, count in receipts:
        known = Status[status.upper()]
        if known.arrived:
            delivered += count
        elif known.failed:
            undelivered[code or known.word] = undelivered.get(code or known.word, 0) + count
    return Pulse(
        Counts(**counts, delivered=delivered, opted_out=opted_out, rejected=rejected, undelivered=undelivered), sent_lately, last_due
    )
