"""The adapter against the port's own contract, with the double as its peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from bot.channels import Address, ConversationKey, HttpRequest, Status
from bot.channels.contract import ChannelContract, Peer
from bot.testing.doubles.twilio import Caller, Fault, SignedRequest, TwilioDouble
from integrations.twilio import TwilioChannel, TwilioSettings, open_channel

OURS, THEIRS = "+12025550100", "+12025550101"


class TwilioPeer:
    longest_attempt = 6.0

    def __init__(self, double: TwilioDouble, channel: TwilioChannel) -> None:
        self.double = double
        self.channel = channel
        self.key = ConversationKey("twilio", Address("tel", OURS), Address("tel", THEIRS))
        self.told: dict[str, HttpRequest] = {}

    def now(self) -> datetime:
        return datetime.now(UTC)

    def message(self, text: str, event: str) -> HttpRequest:
        if event not in self.told:
            self.told[event] = self._request(self.double.inbound(THEIRS, text))
        return self.told[event]

    def receipt(self, provider_id: str, status: Status) -> HttpRequest:
        return self._request(self.double.status(provider_id, status.name.lower()))

    def forged(self, request: HttpRequest) -> HttpRequest:
        caller = Caller("f" * 32, self.double.public_base_url)
        fields = parse_qsl(request.body.decode(), keep_blank_values=True)
        return replace(request, headers=caller.sign(self.double.public_base_url + request.target, fields).headers)

    async def accepted(self) -> list[str]:
        return [message.body for message in self.double.sent_to(THEIRS)]

    async def attempts(self) -> int:
        return self.double.attempts

    def next_unreachable(self) -> None:
        self.double.refuse_connections()

    def next_limited(self, seconds: int) -> None:
        self.double.fail(Fault.RATE_LIMIT, seconds=seconds)

    def next_refused(self) -> None:
        self.double.fail(Fault.REFUSE, code=21614)

    def opted_out(self) -> None:
        self.double.world.opted_out.add((OURS, THEIRS))

    def next_lost(self, *, accepted: bool) -> None:
        self.double.fail(Fault.RESET_AFTER if accepted else Fault.HANG_UP_BEFORE)

    def next_silent(self) -> None:
        self.double.fail(Fault.SILENCE_AFTER)

    def next_garbage(self) -> None:
        self.double.fail(Fault.GARBAGE_AFTER)

    def _request(self, signed: SignedRequest) -> HttpRequest:
        return HttpRequest("POST", signed.target, signed.headers, signed.body, self.now())


class TestTwilio(ChannelContract):
    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        async with TwilioDouble() as double:
            settings = replace(TwilioSettings.from_env(double.environment()), send_timeout=2.0, list_timeout=2.0)
            async with open_channel(settings, trust_env=False) as channel:
                yield TwilioPeer(double, channel)
