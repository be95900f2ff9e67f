"""Messages of unknown outcome: ask the provider, and only then send again, or leave it.

A row becomes unknown when its sender died with it, or when nobody can tell from the answer whether the provider took it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Absent, Backoff, MessageChannel, Payload, Reconciled, Sent, Unknown
from bot.conversations import Database, Outbox, OutboxRow, Receipts, Sealer

from .sender import key_of
from .telemetry import Telemetry, silence

_BATCH = 50
_NEVER = timedelta(days=3650)


class Reconciler:
    """`await reconciler()` is one round. Rows that cannot be resolved within `give_up` are left for a person, and asked for no more; a
    receipt that names them still settles them."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, MessageChannel],
        *,
        sealer: Sealer | None = None,
        give_up: timedelta = timedelta(hours=1),
        backoff: Backoff | None = None,
        telemetry: Telemetry = silence,
    ) -> None:
        self._database = database
        self._channels = channels
        self._outbox = Outbox(database, sealer=sealer)
        self._receipts = Receipts(database)
        self._give_up = give_up
        self._backoff = backoff or Backoff(first=1.0, most=60.0)
        self._tell = telemetry

    async def __call__(self) -> int:
        """Turns lost leases into unknown rows, and asks for those that are due. Returns how many were asked for."""
        async with self._database.write() as tx:
            if lost := await self._outbox.lose(tx):
                self._tell("lost", count=lost)
        async with self._database.read() as connection:
            rows = await self._outbox.unresolved(connection, _BATCH)
            ahead = self._database.now() - await self._outbox.time(connection) if rows else timedelta(0)
        for row in rows:
            await self._resolve(row, ahead)
        return len(rows)

    async def _resolve(self, row: OutboxRow, ahead: timedelta) -> None:
        """`ahead`: by how much this machine's clock is ahead of the one that `attempted_at` was read from."""
        channel = self._channels.get(row.message.addresses.channel)
        attempted_at = row.attempted_at or row.due
        now = self._database.now() - ahead
        found: Reconciled = Unknown("no_channel")
        if channel is not None:
            async with self._database.read() as connection:
                known = await self._outbox.accounted_for(connection, row)
            try:
                payload = Payload.from_json(row.message.payload)
                found = await channel.reconcile(key_of(row), payload, attempted_at=attempted_at, now=now, known=known)
            except Exception as error:  # a defect in an adapter, or a row that is no payload: it must not keep the others waiting
                found = Unknown(f"defect_{type(error).__name__}")
        async with self._database.write() as tx:
            outcome = await self._settle(tx, row, found, now - attempted_at)
        channel_name = row.message.addresses.channel
        self._tell("reconciled", conversation=row.message.conversation, channel=channel_name, outcome=outcome)

    async def _settle(self, tx: AsyncConnection, row: OutboxRow, found: Reconciled, age: timedelta) -> str:
        match found:
            case Sent():
                await self._outbox.sent(tx, row, found.provider_id)
                channel = row.message.addresses.channel
                await self._receipts.record(tx, channel, found.provider_id, found.progress.status, found.progress.error_code)
                return "sent"
            case Absent():
                await self._outbox.retry(tx, row, timedelta(0), "absent")
                return "absent"
            case Unknown():
                if age > self._give_up:
                    await self._outbox.unknown(tx, row, found.reason, _NEVER)
                    return "given_up"
                tries = max(1, round(age.total_seconds()).bit_length())
                wait = found.after if found.after is not None else self._backoff.delay(tries, lambda: 0.5)
                await self._outbox.unknown(tx, row, found.reason, timedelta(seconds=max(0.2, wait)))
                return "unknown"
