"""What a channel received, stored for good in one transaction, with the wake-up of a worker in it. The webhook's answer waits for this,
and for nothing else.

Whatever is told twice is stored once: a message by its event id, a receipt by merging, a word of consent by its event id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Consent as ConsentEvent
from bot.channels import ConsentKind, Event, Inbound, Receipt, UserMessage, decide
from bot.conversations import Addresses, Attachments, Consent, Database, Inbox, Incoming, Outbox, Receipts, Sealer

from .dispatcher import Dispatcher
from .identity import conversation_id
from .telemetry import Telemetry, silence


class Reception:
    """`await reception(events)`; returns when they are stored, raises when they are not (answer 503 then). `secret` names conversations."""

    def __init__(
        self, database: Database, dispatcher: Dispatcher, *, secret: bytes, sealer: Sealer | None = None, telemetry: Telemetry = silence
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._secret = secret
        self._inbox = Inbox(database, sealer=sealer)
        self._attachments = Attachments(database, sealer=sealer)
        self._outbox = Outbox(database, sealer=sealer)
        self._receipts = Receipts(database)
        self._consent = Consent(database)
        self._tell = telemetry

    async def __call__(self, events: Sequence[Event]) -> None:
        if not events:
            return
        told: list[Callable[[], None]] = []  # only what is committed is told
        async with self._database.write() as tx:
            for event in events:
                told.append(await self._take(tx, event))
        for tell in told:
            tell()

    async def _take(self, tx: AsyncConnection, event: Event) -> Callable[[], None]:
        channel = event.key.channel
        match event:
            case UserMessage():
                new = await self._store(tx, event, "message", _message(event))
                if new and event.media:
                    name = conversation_id(self._secret, event.key)
                    await self._attachments.expect(tx, name, event.event_id, _addresses(event), event.media)
                return lambda: self._tell("received", channel=channel, kind="message", new="yes" if new else "no")
            case ConsentEvent():
                return await self._take_consent(tx, event)
            case Receipt():
                return await self._take_receipt(tx, event)

    async def _store(self, tx: AsyncConnection, event: Inbound, kind: str, payload: Mapping[str, Any]) -> bool:
        conversation = conversation_id(self._secret, event.key)
        addresses = _addresses(event)
        new = await self._inbox.receive(tx, Incoming(event.event_id, conversation, payload, addresses, kind))
        if new:
            await self._dispatcher.wake(tx, conversation)
        return new

    async def _take_consent(self, tx: AsyncConnection, event: ConsentEvent) -> Callable[[], None]:
        """A stop holds from the moment it is stored; its confirmation is said by a turn, in the language of the conversation."""
        addresses = _addresses(event)
        stopped = await self._consent.is_stopped(tx, addresses.business, addresses.customer)
        decision = decide(stopped, event)
        if decision.message is not None:
            return await self._take(tx, decision.message)
        payload = {"kind": event.kind.value, "text": event.text, "answer": decision.answer or ""}
        new = await self._store(tx, event, "consent", payload)
        if new and event.kind is not ConsentKind.HELP:
            await self._consent.record(tx, event.event_id, "stop" if decision.stopped else "start", addresses, self._database.now())
        return lambda: self._tell("consent", channel=event.key.channel, kind=event.kind.value)

    async def _take_receipt(self, tx: AsyncConnection, event: Receipt) -> Callable[[], None]:
        """A receipt that names our own reference also settles a message whose sending had an unknown outcome."""
        channel = event.key.channel
        code = event.error_code or ""
        await self._receipts.record(tx, channel, event.provider_id, event.status, code)
        if event.reference:
            await self._outbox.confirm(tx, event.reference, event.provider_id)
        if event.closes_consent:
            await self._consent.record(tx, event.event_id, "stop", _addresses(event), self._database.now())
        return lambda: self._tell("receipt", channel=channel, status=event.status.word, code=code)


def _message(event: UserMessage) -> dict[str, Any]:
    media = [
        {"url": link.url, "content_type": link.content_type, "event_id": event.event_id, "position": position}
        for position, link in enumerate(event.media)
    ]
    return {"text": event.text, "choice": event.choice_id or "", "media": media, "language": event.lang or ""}


def _addresses(event: Inbound) -> Addresses:
    return Addresses(event.key.channel, str(event.key.business), str(event.key.customer))
