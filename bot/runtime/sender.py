"""From the outbox to the provider: one sender a channel, in the one process that leads.

    claim (lease) -> pace -> one attempt -> settle: sent | retry | rejected | unknown

Whatever happens in between, the row tells: a sender that dies leaves it `sending` until its lease ends, then it is `unknown`, and the
`reconciler` asks the provider before anybody sends it again.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import (
    Address,
    Backoff,
    ConversationKey,
    MessageChannel,
    Pace,
    Payload,
    Purpose,
    QuietHours,
    Rejected,
    Retry,
    SendOutcome,
    Sent,
    Unknown,
    zones_of,
)
from bot.conversations import Consent, Database, Outbox, OutboxRow, Receipts, Sealer

from .leadership import Leadership
from .telemetry import Telemetry, silence

_Change = Callable[[AsyncConnection], Awaitable[object]]

EXPIRED = "expired"
"""The cause of a row that was not sent because it would have come too late to make sense."""

MALFORMED = "malformed"
"""The cause of a row that is no payload, or has no addresses."""

_PATIENCE = 0.3  # seconds a row may wait for the pace in our hands; longer, and it goes back, so that urgent ones overtake it
_FRESH = 5.0  # seconds after it was taken up within which a row is begun; a process that slept longer has lost it, or may have
_OUTAGE = 1.0


def _expiry() -> Mapping[str, timedelta]:
    day = timedelta(hours=24)
    return MappingProxyType({"reply": timedelta(hours=4), "consent": timedelta(hours=4), "notify": day, "marketing": day})


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """`in_flight`: attempts at once. `lease` is longer than an attempt can take. `idle`: seconds between looks at an empty outbox.

    `expire`: by purpose, how long after it was due a message still makes sense. `default_zone`: for numbers that do not tell theirs.
    """

    in_flight: int = 32
    lease: timedelta = timedelta(seconds=30)
    idle: float = 0.25
    busy: float = 0.2
    backoff: Backoff = field(default_factory=Backoff)
    expire: Mapping[str, timedelta] = field(default_factory=_expiry)
    quiet: QuietHours = field(default_factory=QuietHours)
    default_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


def key_of(row: OutboxRow) -> ConversationKey:
    where = row.message.addresses
    return ConversationKey(where.channel, Address.parse(where.business), Address.parse(where.customer))


class Sender:
    """Sends what is due on one channel, most urgent first, while it leads."""

    def __init__(
        self,
        database: Database,
        channel: MessageChannel,
        leadership: Leadership,
        *,
        holder: str,
        sealer: Sealer | None = None,
        policy: SendingPolicy | None = None,
        telemetry: Telemetry = silence,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._channel = channel
        self._leadership = leadership
        self._holder = holder
        self._outbox = Outbox(database, sealer=sealer)
        self._receipts = Receipts(database)
        self._consent = Consent(database)
        self._policy = policy or SendingPolicy()
        self._tell = telemetry
        self._chance = chance
        self._paces: dict[str, Pace] = {}
        self._planned: dict[str, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._something = asyncio.Event()
        self._stopping = asyncio.Event()
        self._unstored: list[tuple[_Change, asyncio.Future[None]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._term = 0
        self._alerts = 0
        self._paused_until = 0.0

    def nudge(self) -> None:
        """Something was put into the outbox by this process: look now."""
        self._something.set()

    async def run(self) -> None:
        """Until `stop`."""
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                await _first(stopping, self._leadership.held())
                if self._stopping.is_set():
                    break
                self._something.clear()  # before the look: what comes during it is looked for again
                taken = await self._round()
                if taken < self._policy.in_flight:
                    await self._rest(taken)
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)

    async def stop(self, grace: float) -> None:
        """Takes up nothing more and finishes what is under way."""
        self._stopping.set()
        self._something.set()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=grace)

    async def _round(self) -> int:
        """Takes up as much as there is room for. Returns how many rows it took."""
        room = min(self._policy.in_flight - len(self._under_way), self._let_through())
        taken_at = self._now()
        if room <= 0 or self._now() < self._paused_until:
            return 0
        try:
            if self._leadership.term != self._term:
                await self._succeed()
            async with self._database.write() as tx:
                rows = await self._outbox.claim(tx, self._holder, limit=room, lease=self._policy.lease, channel=self._channel.name)
        except (SQLAlchemyError, OSError) as error:
            self._tell("database_down", cause=type(error).__name__)
            await asyncio.sleep(_OUTAGE)
            return 0
        for row in rows:
            task = asyncio.create_task(self._deliver(row, taken_at))
            self._under_way.add(task)
            task.add_done_callback(self._finished)
        return len(rows)

    async def _succeed(self) -> None:
        """This process is the only one that sends from now on: what others had in hand has an unknown outcome."""
        term = self._leadership.term
        async with self._database.write() as tx:
            lost = await self._outbox.lose(tx, channel=self._channel.name, survivor=self._holder)
        self._term = term
        if lost:
            self._tell("lost", count=lost)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._something.set()

    async def _rest(self, taken: int) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), self._policy.busy if taken or self._under_way else self._policy.idle)

    def _let_through(self) -> int:
        """How many the paces let through soon: to take up more would only be to put them back."""
        if not self._paces:
            return self._policy.in_flight
        now = self._now()
        paces = self._paces.values()
        return max(0, math.floor(max(min(pace.burst, pace.tokens + (now + _PATIENCE - pace.at) * pace.rate) for pace in paces)))

    async def _deliver(self, row: OutboxRow, taken_at: float) -> None:
        try:
            key = key_of(row)
            payload = Payload.from_json(row.message.payload)
        except (KeyError, TypeError, ValueError):
            channel = row.message.addresses.channel
            await self._store(lambda tx: self._outbox.rejected(tx, row, MALFORMED))
            self._tell("alert", channel=channel, reason=MALFORMED, code="")
            return
        now = self._database.now()
        if now - (row.message.not_before or now) > self._policy.expire.get(row.message.purpose, timedelta(hours=24)):
            await self._store(lambda tx: self._outbox.rejected(tx, row, EXPIRED))
            self._tell("send", conversation=row.message.conversation, channel=key.channel, outcome="rejected", reason=EXPIRED, code="")
            return
        if (later := self._not_before(row, key, now)) is not None:
            await self._store(lambda tx: self._outbox.put_off(tx, row, later))
            return
        if not await self._paced(row, key, payload):
            return
        if self._now() - taken_at > _FRESH or not self._leadership.leads:  # frozen meanwhile: it may be somebody else's by now
            await self._put_back(row)
            return
        began = self._now()
        try:
            outcome = await self._channel.send(key, payload)
        except Exception as error:  # a defect in an adapter: nobody knows what has left
            outcome = Unknown(f"defect_{type(error).__name__}")
        await self._settle(row, key, outcome, self._now() - began)

    def _not_before(self, row: OutboxRow, key: ConversationKey, now: datetime) -> datetime | None:
        """When quiet hours end, if they forbid it now. Replies may always go."""
        if row.message.purpose not in (Purpose.NOTIFY.value, Purpose.MARKETING.value):
            return None
        zones = zones_of(key.customer.value) or (self._policy.default_zone,)
        allowed = self._policy.quiet.earliest(Purpose(row.message.purpose), now, zones)
        if allowed is None:
            allowed = now + timedelta(days=1)
        return None if allowed <= now else allowed

    async def _paced(self, row: OutboxRow, key: ConversationKey, payload: Payload) -> bool:
        """Waits for the sender's turn, briefly; a row that would have to wait longer goes back. False when it went."""
        rate = self._channel.capabilities(key).segments_per_second
        while rate is not None:
            if self._stopping.is_set():
                await self._put_back(row)
                return False
            sender = str(key.business)
            pace = self._paces.get(sender)
            if pace is None or pace.rate != rate:
                pace = Pace.full(rate, self._now())
            self._paces[sender], wait = pace.take(payload.segments, self._now())
            if not wait:
                return True
            if wait > _PATIENCE:
                # Each its own turn: rows sent away to the same moment would all come back at once.
                turn = max(self._now() + wait, self._planned.get(sender, 0.0))
                self._planned[sender] = turn + payload.segments / rate
                await self._put_back(row, timedelta(seconds=turn - self._now()))
                return False
            await asyncio.sleep(wait)
        return True

    async def _put_back(self, row: OutboxRow, after: timedelta = timedelta(0)) -> None:
        await self._store(lambda tx: self._outbox.put_back(tx, [row], after))

    async def _settle(self, row: OutboxRow, key: ConversationKey, outcome: SendOutcome, seconds: float) -> None:
        """Notes what came of an attempt, in one transaction."""
        reason, code = getattr(outcome, "reason", ""), str(getattr(outcome, "code", None) or "")

        async def settled(tx: AsyncConnection) -> None:
            match outcome:
                case Sent():
                    await self._outbox.sent(tx, row, outcome.provider_id)
                    await self._receipts.record(tx, key.channel, outcome.provider_id, outcome.progress.status, outcome.progress.error_code)
                case Retry():
                    wait = self._policy.backoff.delay(row.attempts, self._chance, at_least=outcome.after)
                    await self._outbox.retry(tx, row, timedelta(seconds=wait), code or reason)
                case Rejected():
                    await self._outbox.rejected(tx, row, code or reason)
                    if outcome.closes_consent:
                        event = f"{key.channel}:rejected:{row.message.key}"
                        await self._consent.record(tx, event, "stop", row.message.addresses, datetime.now(UTC))
                case Unknown():
                    await self._outbox.unknown(tx, row, reason, timedelta(seconds=outcome.after or 1.0))

        if isinstance(outcome, Retry) and outcome.alert:
            self._alerts += 1
            self._paused_until = self._now() + min(60.0, 2.0**self._alerts)  # each row would find the same closed door
            self._tell("alert", channel=key.channel, reason=reason, code=code)
        elif isinstance(outcome, Sent):
            self._alerts = 0
        await self._store(settled)
        self._tell(
            "send",
            seconds=seconds,
            conversation=row.message.conversation,
            channel=key.channel,
            outcome=outcome.name,
            reason=reason,
            code=code,
        )

    async def _store(self, change: _Change) -> None:
        """Stores a change together with those of other attempts that ended meanwhile: one commit for all is what a busy sender needs."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unstored.append((change, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        await stored

    async def _store_all(self) -> None:
        while self._unstored:
            together, self._unstored = self._unstored, []
            try:
                async with self._database.write() as tx:
                    for change, _ in together:
                        await change(tx)
            except (SQLAlchemyError, OSError):
                await asyncio.gather(*(self._store_alone(change) for change, _ in together))
            for _, stored in together:
                if not stored.done():
                    stored.set_result(None)

    async def _store_alone(self, change: _Change) -> None:
        """Keeps trying while the lease lasts; what could not be stored by then will be asked for."""
        until = self._now() + self._policy.lease.total_seconds()
        while True:
            try:
                async with self._database.write() as tx:
                    await change(tx)
                return
            except (SQLAlchemyError, OSError) as error:
                self._tell("database_down", cause=type(error).__name__)
                if self._now() + _OUTAGE > until:
                    return
                await asyncio.sleep(_OUTAGE)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _first(one: asyncio.Task[bool], other: Awaitable[None]) -> None:
    """Until either is done; the other, if it is ours, is cancelled."""
    waiting = asyncio.ensure_future(other)
    try:
        await asyncio.wait({one, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
