"""The adapter against the port's own contract, over TCP, with the double as its peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.channels import Address, ConversationKey, Event, HttpRequest, Status
from bot.channels.contract import ChannelContract, Peer
from bot.testing.doubles.smsc import Fault, SmscDouble
from integrations.smpp import SmppChannel, SmppSettings

OURS, THEIRS = "1588", "+821000000001"
OPTED_OUT = 0x450
WORDS = {Status.DELIVERED: "DELIVRD", Status.SENT: "ENROUTE"}


class SmppPeer:
    longest_attempt = 10.0

    def __init__(self, double: SmscDouble, channel: SmppChannel) -> None:
        self.double = double
        self.channel = channel
        self.key = ConversationKey("smpp", Address("tel", OURS), Address("tel", THEIRS))
        self.events: list[Event] = []

    async def deliver(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def message(self, text: str, event: str) -> HttpRequest:
        raise NotImplementedError("webhooks")

    def receipt(self, provider_id: str, status: Status) -> HttpRequest:
        raise NotImplementedError("webhooks")

    def forged(self, request: HttpRequest) -> HttpRequest:
        raise NotImplementedError("webhooks")

    async def accepted(self) -> list[str]:
        return self.double.sent_to(THEIRS)

    async def attempts(self) -> int:
        return self.double.attempts

    def next_unreachable(self) -> None:
        self.double.refuse_connections()

    def next_limited(self, seconds: int) -> None:
        self.double.fail(Fault.STATUS, status=0x58)

    def next_refused(self) -> None:
        self.double.fail(Fault.STATUS, status=0x0B)

    def opted_out(self) -> None:
        self.double.opted_out[THEIRS.removeprefix("+")] = OPTED_OUT

    def next_lost(self, *, accepted: bool) -> None:
        self.double.fail(Fault.DROP_AFTER_RECEIPT if accepted else Fault.DROP_BEFORE)

    def next_silent(self) -> None:
        self.double.fail(Fault.SILENCE_AFTER)

    def next_garbage(self) -> None:
        self.double.fail(Fault.GARBAGE_AFTER)


class TestSmpp(ChannelContract):
    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        async with SmscDouble() as double:
            settings = SmppSettings.from_env(double.environment(SMPP_STATUSES=f"{OPTED_OUT}=opted_out", SMPP_THROTTLE_WAIT="7"))
            channel = SmppChannel(
                replace(settings, send_timeout=2.0, reconnect_first=0.02, reconnect_most=0.1, unknown_resend_after=timedelta(minutes=5))
            )
            peer = SmppPeer(double, channel)
            task = asyncio.create_task(channel.run(peer.deliver))
            try:
                await double.until(lambda: channel.connected)
                yield peer
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        assert double.violations == []

    async def hear(self, peer: Peer, text: str, event: str) -> Sequence[Event]:
        assert isinstance(peer, SmppPeer)
        return await self._heard(peer, lambda: peer.double.text(THEIRS, text, identity=f"mo-{event}"))

    async def hear_receipt(self, peer: Peer, provider_id: str, status: Status) -> Sequence[Event]:
        assert isinstance(peer, SmppPeer)
        return await self._heard(peer, lambda: peer.double.receipt(provider_id, WORDS[status]))

    async def noticed(self, peer: Peer) -> None:
        assert isinstance(peer, SmppPeer)
        await peer.double.until(lambda: peer.channel.connected == peer.double.listening)

    async def _heard(self, peer: SmppPeer, tell: object) -> Sequence[Event]:
        before = len(peer.events)
        assert callable(tell)
        tell()
        await peer.double.settled()
        return peer.events[before:]
