"""The contract as a third party meets it: one adapter that keeps it, without HTTP, and faulty ones that it finds out."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.channels import (
    Absent,
    Address,
    Capabilities,
    ConversationKey,
    HttpRequest,
    Outbound,
    Payload,
    Reconciled,
    Rejected,
    Retry,
    SendOutcome,
    Sent,
    Status,
    Unknown,
)
from bot.channels.contract import ChannelContract, Peer

KEY = ConversationKey("pager", Address("pager", "1"), Address("pager", "2"))


class Pager:
    """A provider, and the adapter for it, in one: a list of texts with a way to fail."""

    name = "pager"

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []
        self.calls = 0
        self.mood = ""

    def capabilities(self, key: ConversationKey) -> Capabilities:
        return Capabilities(max_chars=100)

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        parts = self.capabilities(key).fit(message.text)
        suffixes = ("", *(f"/{n}" for n in range(2, len(parts) + 1)))
        return tuple(Payload(message.idempotency_key + suffix, (("text", part),)) for suffix, part in zip(suffixes, parts, strict=False))

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        mood, self.mood = self.mood, "" if self.mood != "unreachable" else self.mood
        if mood == "unreachable":
            return Retry("no_connection")
        self.calls += 1
        refusals: dict[str, SendOutcome] = {
            "limited": Retry("rate", after=7),
            "refused": Rejected("input"),
            "closed": Rejected("consent", closes_consent=True),
        }
        if mood in refusals:
            return refusals[mood]
        if mood != "lost":
            self.kept.append((f"id{len(self.kept)}", payload.get("text") or ""))
        return Unknown("timeout") if mood in ("lost", "late", "garbage") else Sent(self.kept[-1][0])

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        if self.mood == "unreachable":
            return Unknown("no_connection")
        found = [id for id, text in self.kept if id not in known and text == payload.get("text")]
        return Sent(found[0]) if found else Absent()


class PagerPeer:
    longest_attempt = 3.0
    key = KEY

    def __init__(self, pager: Pager) -> None:
        self.channel = pager

    def now(self) -> datetime:
        return datetime.now(UTC)

    def message(self, text: str, event: str) -> HttpRequest:
        raise NotImplementedError("webhooks")

    def receipt(self, provider_id: str, status: Status) -> HttpRequest:
        raise NotImplementedError("webhooks")

    def forged(self, request: HttpRequest) -> HttpRequest:
        raise NotImplementedError("webhooks")

    async def accepted(self) -> list[str]:
        return [text for _, text in self.channel.kept]

    async def attempts(self) -> int:
        return self.channel.calls

    def next_unreachable(self) -> None:
        self.channel.mood = "unreachable"

    def next_limited(self, seconds: int) -> None:
        self.channel.mood = "limited"

    def next_refused(self) -> None:
        self.channel.mood = "refused"

    def opted_out(self) -> None:
        self.channel.mood = "closed"

    def next_lost(self, *, accepted: bool) -> None:
        self.channel.mood = "late" if accepted else "lost"

    def next_silent(self) -> None:
        self.channel.mood = "late"

    def next_garbage(self) -> None:
        self.channel.mood = "garbage"


class TestPager(ChannelContract, unittest.TestCase):
    channel = Pager

    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        yield PagerPeer(self.channel())


class SendsTwice(Pager):
    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        await super().send(key, payload)
        return await super().send(key, payload)


class CutsLongTexts(Pager):
    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        return super().render(key, message)[:1]


class TakesSilenceForFailure(Pager):
    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        outcome = await super().send(key, payload)
        return Retry("timeout") if isinstance(outcome, Unknown) else outcome


class FindsWhatItKnows(Pager):
    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        return await super().reconcile(key, payload, attempted_at=attempted_at, now=now)


class TakesNoLineForAbsence(Pager):
    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        found = await super().reconcile(key, payload, attempted_at=attempted_at, now=now, known=known)
        return Absent() if isinstance(found, Unknown) else found


class UsesReferencesTwice(Pager):
    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        return tuple(replace(payload, reference=message.idempotency_key) for payload in super().render(key, message))


class HangsForEver(Pager):
    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        outcome = await super().send(key, payload)
        if isinstance(outcome, Unknown):
            await asyncio.Event().wait()
        return outcome


@pytest.mark.parametrize(
    ("faulty", "test"),
    [
        (SendsTwice, "test_one_send_is_one_request"),
        (CutsLongTexts, "test_rendering_loses_nothing_and_stays_within_bounds"),
        (TakesSilenceForFailure, "test_lost_after_acceptance_is_found"),
        (TakesSilenceForFailure, "test_silence_is_unknown_in_time"),
        (TakesSilenceForFailure, "test_an_answer_that_means_nothing_is_unknown"),
        (FindsWhatItKnows, "test_lost_after_acceptance_is_found"),
        (TakesNoLineForAbsence, "test_reconciling_over_a_broken_line_stays_unknown"),
        (UsesReferencesTwice, "test_rendering_is_pure_and_references_are_unique"),
        (HangsForEver, "test_silence_is_unknown_in_time"),
    ],
)
def test_faulty_channels_are_found_out(faulty: type[Pager], test: str) -> None:
    contract = TestPager(test)
    contract.channel = faulty
    with pytest.raises((AssertionError, TimeoutError)):
        getattr(contract, test)()
