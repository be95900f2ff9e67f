"""The test suite of the port: run it against your own adapter.

    from bot.channels.contract import ChannelContract, Peer

    class TestMyChannel(ChannelContract):
        @asynccontextmanager
        async def peer(self):
            async with MyProviderDouble() as double:
                yield MyPeer(double)          # implements `Peer`

Works under pytest (no plugin needed) and under unittest (add `unittest.TestCase` to the bases). What a provider does not have,
a peer says by raising NotImplementedError; that test is skipped and says so.

For a channel that holds a connection override `hear` and `hear_receipt`, which then go over it, and `noticed`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import unittest
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from .addresses import ConversationKey
from .events import Consent, ConsentKind, Event, Receipt, UserMessage
from .http import HttpRequest, Received
from .outbound import Choice, Outbound, Payload
from .outcomes import Absent, Rejected, Retry, Sent, Unknown
from .port import MessageChannel, WebhookChannel
from .receipts import Status

_LONG = "Your bill is ready. It is due on Friday. You can pay it here or ask for more time. " * 40
_LONG_KOREAN = "요금이 청구되었습니다. 납부일은 금요일입니다. 지금 납부하시거나 연기를 요청하실 수 있습니다. " * 40


class Peer(Protocol):
    """The other end, as the contract drives it: a provider's double, or a provider's sandbox."""

    @property
    def channel(self) -> MessageChannel: ...

    @property
    def key(self) -> ConversationKey:
        """Of a customer whom messages reach."""
        ...

    @property
    def longest_attempt(self) -> float:
        """Seconds within which `send` must have given up."""
        ...

    def now(self) -> datetime: ...

    def message(self, text: str, event: str) -> HttpRequest:
        """The webhook for a message from the customer; the same `event` gives the same message again."""
        ...

    def receipt(self, provider_id: str, status: Status) -> HttpRequest: ...

    def forged(self, request: HttpRequest) -> HttpRequest:
        """The same request with a signature by somebody else."""
        ...

    async def accepted(self) -> list[str]:
        """The texts the provider has accepted for the customer, in order."""
        ...

    async def attempts(self) -> int:
        """How many requests to send a message have reached the provider."""
        ...

    def next_unreachable(self) -> None:
        """From now on no connection can be made."""
        ...

    def next_limited(self, seconds: int) -> None:
        """The next attempt is refused for its rate, to be repeated after `seconds`."""
        ...

    def next_refused(self) -> None:
        """The next attempt is refused for what it says."""
        ...

    def opted_out(self) -> None:
        """The customer has opted out at the provider."""
        ...

    def next_lost(self, *, accepted: bool) -> None:
        """The next attempt's connection breaks without an answer, after or before the message was accepted."""
        ...

    def next_silent(self) -> None:
        """The next attempt is never answered."""
        ...

    def next_garbage(self) -> None:
        """The next attempt is answered with bytes that mean nothing, as if all were well."""
        ...


class ChannelContract:
    """Subclass it and give `peer`. Every test opens a peer of its own."""

    def peer(self) -> AbstractAsyncContextManager[Peer]:
        raise NotImplementedError("a contract needs a peer: see the module's docstring")

    async def hear(self, peer: Peer, text: str, event: str) -> Sequence[Event]:
        """What the channel makes of a message from the customer; the same `event` is the same message told again."""
        return _accepted(_receive(peer, peer.message(text, event))).events

    async def hear_receipt(self, peer: Peer, provider_id: str, status: Status) -> Sequence[Event]:
        """What the channel makes of a receipt."""
        return _accepted(_receive(peer, peer.receipt(provider_id, status))).events

    async def noticed(self, peer: Peer) -> None:
        """Until a channel that holds a connection has noticed that it broke, and has another if there can be one."""

    # -- what comes in --------------------------------------------------------------------------------------------------------

    def test_a_message_is_read(self) -> None:
        async def check(peer: Peer) -> None:
            for number, text in enumerate(("hello", "안녕하세요, 요금 문의요", "a&b=c+d%20 é €", "👨‍👩‍👧", "one\ntwo")):
                (event,) = await self.hear(peer, text, f"a{number}")
                assert isinstance(event, UserMessage), f"a message must become a UserMessage, not {type(event).__name__}"
                assert event.text == text, "the text must be exactly what the customer wrote"
                assert event.key == peer.key, "the key must be the same for what is received and what is sent"

        self._run(check)

    def test_an_event_told_twice_has_one_id(self) -> None:
        async def check(peer: Peer) -> None:
            once, again, other = [(await self.hear(peer, "hi", event))[0].event_id for event in ("a", "a", "b")]
            assert once == again, "the same event told twice must have the same id, or it is taken twice"
            assert once != other, "two messages with the same text are two events"

        self._run(check)

    def test_what_is_forged_gives_nothing(self) -> None:
        async def check(peer: Peer) -> None:
            real = peer.message("hello", "a")
            without = {name: value for name, value in real.headers.items() if "signature" not in name.lower()}
            fakes = {
                "signed by somebody else": peer.forged(real),
                "changed on the way": dataclasses.replace(real, body=real.body.replace(b"hello", b"HELLO")),
                "not signed": dataclasses.replace(real, headers=without),
                "another address": dataclasses.replace(real, target=real.target + "x"),
            }
            for what, fake in fakes.items():
                found = _receive(peer, fake)
                assert not found.events, f"{what}: must give no events"
                assert 400 <= found.reply.status < 500, f"{what}: must be answered with 4xx, not {found.reply.status}"
                assert found.problem, f"{what}: must say what is wrong, for the log"

        self._run(check)

    def test_garbage_never_raises(self) -> None:
        async def check(peer: Peer) -> None:
            real = peer.message("hello", "a")
            for body in (b"", b"\xff\xfe\x00", b"&&&===", b"%zz=%", b"{", b"[]", b"null", b"a" * 100_000):
                assert not _receive(peer, dataclasses.replace(real, body=body)).events

        self._run(check)

    def test_stop_is_consent_and_no_message(self) -> None:
        async def check(peer: Peer) -> None:
            words = {"STOP": ConsentKind.STOP, " stop. ": ConsentKind.STOP, "수신거부": ConsentKind.STOP, "START": ConsentKind.START}
            for number, (text, kind) in enumerate(words.items()):
                (event,) = await self.hear(peer, text, f"c{number}")
                assert isinstance(event, Consent), f"{text!r} must become Consent: no model may see it"
                assert event.kind is kind
            (event,) = await self.hear(peer, "stop my subscription", "d")
            assert isinstance(event, UserMessage), "a sentence with the word in it is a message"

        self._run(check)

    def test_receipts_of_one_message_are_different_events(self) -> None:
        async def check(peer: Peer) -> None:
            sent = await self._send(peer, "hello")
            assert isinstance(sent, Sent)
            found = [(await self.hear_receipt(peer, sent.provider_id, status))[0] for status in (Status.DELIVERED, Status.SENT)]
            assert len({event.event_id for event in found}) == 2, "keyed by message alone, the later receipt is lost"
            for event, status in zip(found, (Status.DELIVERED, Status.SENT), strict=True):
                assert isinstance(event, Receipt)
                assert event.provider_id == sent.provider_id
                assert event.status is status

        self._run(check)

    # -- rendering -----------------------------------------------------------------------------------------------------------

    def test_rendering_loses_nothing_and_stays_within_bounds(self) -> None:
        async def check(peer: Peer) -> None:
            bounds = peer.channel.capabilities(peer.key)
            for text in (_LONG, _LONG_KOREAN, "x" * 5000):
                payloads = peer.channel.render(peer.key, Outbound("turn:0", text))
                for payload in payloads:
                    assert bounds.max_segments is None or payload.segments <= bounds.max_segments, "a payload over budget"
                    outcome = await peer.channel.send(peer.key, payload)
                    assert isinstance(outcome, Sent), f"what was rendered must be accepted, not {outcome}"
            said = "".join("".join(await peer.accepted()).split())
            assert said == "".join((_LONG + _LONG_KOREAN + "x" * 5000).split()), "a long reply is split, never cut"

        self._run(check)

    def test_rendering_is_pure_and_references_are_unique(self) -> None:
        async def check(peer: Peer) -> None:
            message = Outbound("turn:0", _LONG, choices=(Choice("pay", "Pay now"), Choice("wait", "More time")))
            payloads = peer.channel.render(peer.key, message)
            assert payloads == peer.channel.render(peer.key, message)
            references = [payload.reference for payload in payloads]
            assert references == ["turn:0", *(f"turn:0/{n}" for n in range(2, len(payloads) + 1))]
            assert [Payload.from_json(payload.to_json()) for payload in payloads] == list(payloads)
            assert peer.channel.render(peer.key, Outbound("turn:1", "")) == (), "an empty message is no request"

        self._run(check)

    # -- sending -------------------------------------------------------------------------------------------------------------

    def test_one_send_is_one_request(self) -> None:
        async def check(peer: Peer) -> None:
            before = await peer.attempts()
            outcome = await self._send(peer, "hello €")
            assert isinstance(outcome, Sent)
            assert outcome.provider_id
            assert await peer.accepted() == ["hello €"]
            assert await peer.attempts() == before + 1

        self._run(check)

    def test_no_connection_is_retry(self) -> None:
        async def check(peer: Peer) -> None:
            peer.next_unreachable()
            await self.noticed(peer)
            assert isinstance(await self._send(peer, "hello"), Retry)

        self._run(check)

    def test_a_limit_of_rate_is_retry(self) -> None:
        async def check(peer: Peer) -> None:
            peer.next_limited(7)
            outcome = await self._send(peer, "hello")
            assert isinstance(outcome, Retry)
            assert outcome.after is None or outcome.after >= 7
            assert await peer.accepted() == []

        self._run(check)

    def test_a_refusal_is_final(self) -> None:
        async def check(peer: Peer) -> None:
            peer.next_refused()
            outcome = await self._send(peer, "hello")
            assert isinstance(outcome, Rejected)
            assert not outcome.closes_consent

        self._run(check)

    def test_an_opt_out_at_the_provider_closes_consent(self) -> None:
        async def check(peer: Peer) -> None:
            peer.opted_out()
            outcome = await self._send(peer, "hello")
            assert isinstance(outcome, Rejected)
            assert outcome.closes_consent

        self._run(check)

    def test_lost_after_acceptance_is_found(self) -> None:
        async def check(peer: Peer) -> None:
            started = peer.now()
            payload = _payload(peer, "hello once")
            before = await self._send(peer, "hello once", "earlier:0")
            assert isinstance(before, Sent)
            peer.next_lost(accepted=True)
            assert isinstance(await peer.channel.send(peer.key, payload), Unknown), "an answer that was lost is not a failure"
            await self.noticed(peer)
            found = await peer.channel.reconcile(peer.key, payload, attempted_at=started, now=_later(peer), known={before.provider_id})
            assert isinstance(found, Sent), f"the provider has it, so it must be found, not {found}"
            assert found.provider_id != before.provider_id, "the same words sent before are another message"
            assert await peer.accepted() == ["hello once"] * 2

        self._run(check)

    def test_lost_before_acceptance_is_absent(self) -> None:
        async def check(peer: Peer) -> None:
            started = peer.now()
            payload = _payload(peer, "hello once")
            peer.next_lost(accepted=False)
            assert isinstance(await peer.channel.send(peer.key, payload), Unknown | Retry)
            await self.noticed(peer)
            assert isinstance(await peer.channel.reconcile(peer.key, payload, attempted_at=started, now=_later(peer)), Absent)
            assert await peer.accepted() == []

        self._run(check)

    def test_reconciling_over_a_broken_line_stays_unknown(self) -> None:
        async def check(peer: Peer) -> None:
            started = peer.now()
            payload = _payload(peer, "hello once")
            peer.next_unreachable()
            await self.noticed(peer)
            found = await peer.channel.reconcile(peer.key, payload, attempted_at=started, now=_later(peer))
            assert isinstance(found, Unknown), "not being able to ask is no proof of absence"

        self._run(check)

    def test_silence_is_unknown_in_time(self) -> None:
        async def check(peer: Peer) -> None:
            peer.next_silent()
            async with asyncio.timeout(peer.longest_attempt):
                assert isinstance(await self._send(peer, "hello"), Unknown)

        self._run(check)

    def test_an_answer_that_means_nothing_is_unknown(self) -> None:
        async def check(peer: Peer) -> None:
            peer.next_garbage()
            assert isinstance(await self._send(peer, "hello"), Unknown)

        self._run(check)

    # -- ---------------------------------------------------------------------------------------------------------------------

    async def _send(self, peer: Peer, text: str, reference: str = "turn:0") -> object:
        return await peer.channel.send(peer.key, _payload(peer, text, reference))

    def _run(self, check: Callable[[Peer], Awaitable[None]]) -> None:
        async def opened() -> None:
            async with self.peer() as peer:
                await check(peer)

        try:
            asyncio.run(opened())
        except NotImplementedError as missing:
            raise unittest.SkipTest(f"this provider does not have it: {missing}") from None


def _payload(peer: Peer, text: str, reference: str = "turn:0") -> Payload:
    (payload,) = peer.channel.render(peer.key, Outbound(reference, text))
    return payload


def _receive(peer: Peer, request: HttpRequest) -> Received:
    if not isinstance(peer.channel, WebhookChannel):
        raise NotImplementedError("webhooks")
    return peer.channel.receive(request)


def _accepted(received: Received) -> Received:
    assert received.reply.status < 300, f"what is genuine must be answered with 2xx, not {received.reply.status}"
    return received


def _later(peer: Peer) -> datetime:
    """Late enough that a provider's list shows everything."""
    return peer.now() + timedelta(minutes=10)
