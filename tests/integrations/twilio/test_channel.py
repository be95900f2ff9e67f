from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import (
    Absent,
    Address,
    Choice,
    ConversationKey,
    HttpRequest,
    MediaSource,
    MessageChannel,
    Outbound,
    Payload,
    Progress,
    Receipt,
    Rejected,
    Sent,
    Status,
    Template,
    Unknown,
    WebhookChannel,
    count,
)
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import Deliveries, Fault, TwilioDouble
from integrations.twilio import TwilioChannel, TwilioSettings, open_channel
from integrations.twilio.channel import render

OURS, THEIRS = "+12025550100", "+12025550101"
KEY = ConversationKey("twilio", Address("tel", OURS), Address("tel", THEIRS))
WHATSAPP = ConversationKey("twilio", Address("whatsapp", OURS), Address("whatsapp", THEIRS))
RCS = ConversationKey("twilio", Address("rcs", "operator"), Address("rcs", THEIRS))
SETTINGS = TwilioSettings("AC" + "1" * 32, ("token",), "https://bot.example")


def test_it_is_what_the_ports_ask(channel: TwilioChannel) -> None:
    port: MessageChannel = channel
    assert isinstance(port, WebhookChannel)
    assert isinstance(channel, MediaSource)


def test_a_reply_over_budget_is_several_payloads() -> None:
    payloads = render(SETTINGS, KEY, Outbound("t:1", "요금이 청구되었습니다. 납부일은 금요일입니다. " * 20))
    assert len(payloads) == 3
    assert all(payload.segments <= 3 == count(payload.get("Body") or "").segments or payload.segments < 3 for payload in payloads)
    assert [payload.reference for payload in payloads] == ["t:1", "t:1/2", "t:1/3"]
    assert payloads[1].get("StatusCallback") == "https://bot.example/channels/twilio/status?ref=t%3A1%2F2"


def test_typography_does_not_double_the_price_of_a_text_message() -> None:
    (payload,) = render(SETTINGS, KEY, Outbound("t:1", "It\u2019s due \u2014 " * 10))
    assert payload.segments == 1
    (payload,) = render(SETTINGS, WHATSAPP, Outbound("t:1", "It\u2019s due"))
    assert payload.get("Body") == "It\u2019s due"


def test_choices_are_numbered_lines_and_files_go_with_the_first_part() -> None:
    message = Outbound("t:1", "Which?", (Choice("a", "One"), Choice("b", "Two")), tuple(f"https://bot.example/{n}.png" for n in range(2)))
    (payload,) = render(SETTINGS, KEY, message)
    assert payload.get("Body") == "Which?\n1. One\n2. Two"
    assert [value for name, value in payload.fields if name == "MediaUrl"] == ["https://bot.example/0.png", "https://bot.example/1.png"]
    (payload,) = render(SETTINGS, WHATSAPP, message)  # one file a message: the other is not lost
    assert payload.get("Body") == "Which?\n1. One\n2. Two\nhttps://bot.example/1.png"
    parts = render(SETTINGS, KEY, Outbound("t:1", "A sentence. " * 100, media=("https://bot.example/0.png",)))
    assert [payload.get("MediaUrl") for payload in parts] == ["https://bot.example/0.png", None, None]
    (payload,) = render(SETTINGS, KEY, Outbound("t:1", "", media=("https://bot.example/0.png",)))
    assert payload.get("Body") is None


def test_templates() -> None:
    (payload,) = render(SETTINGS, WHATSAPP, Outbound("t:1", "ignored", template=Template("HX" + "1" * 32, {"1": "김", "0": "a"})))
    assert payload.get("ContentSid") == "HX" + "1" * 32
    assert payload.get("ContentVariables") == '{"0": "a", "1": "김"}'
    assert payload.get("Body") is None


def test_networks_differ_as_data(channel: TwilioChannel) -> None:
    assert [channel.capabilities(key).max_segments for key in (KEY, WHATSAPP, RCS)] == [3, None, None]
    assert channel.capabilities(WHATSAPP).free_form_window_s == 86400
    assert render(SETTINGS, WHATSAPP, Outbound("t:1", "hi"))[0].fields[:2] == (("To", f"whatsapp:{THEIRS}"), ("From", f"whatsapp:{OURS}"))
    assert render(SETTINGS, RCS, Outbound("t:1", "hi"))[0].fields[:2] == (("To", f"rcs:{THEIRS}"), ("From", "rcs:operator"))
    assert len(render(SETTINGS, WHATSAPP, Outbound("t:1", "요금. " * 400))) == 1
    assert len(render(SETTINGS, WHATSAPP, Outbound("t:1", "요금. " * 401))) == 2


@given(st.text(max_size=2000), st.sampled_from((KEY, WHATSAPP, RCS)))
def test_rendering_never_raises_and_can_be_sent(text: str, key: ConversationKey) -> None:
    for payload in render(SETTINGS, key, Outbound("t:1", text)):
        body = payload.get("Body") or ""
        assert body.encode()
        assert len(body) <= 1600
        assert Payload.from_json(payload.to_json()) == payload


def test_half_a_character_is_replaced() -> None:
    (payload,) = render(SETTINGS, KEY, Outbound("t:1", "a\ud83d\udc4db\ud83d"))
    assert payload.get("Body") == "a\U0001f44db\ufffd"


@pytest.mark.parametrize("key", [WHATSAPP, RCS])
async def test_other_networks_go_the_same_way(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.world.senders.add("rcs:operator")
    (payload,) = channel.render(key, Outbound("t:1", "hi"))
    assert isinstance(await channel.send(key, payload), Sent)


async def test_a_messaging_service(twilio: TwilioDouble, quick: TwilioSettings) -> None:
    service = "MG" + "1" * 32
    twilio.world.services[service] = OURS
    async with open_channel(replace(quick, messaging_service_sid=service), trust_env=False) as channel:
        (payload,) = channel.render(KEY, Outbound("t:1", "hi"))
        outcome = await channel.send(KEY, payload)
        assert isinstance(outcome, Sent)
        assert (outcome.progress, outcome.segments) == (Progress(Status.ACCEPTED), None)
        found = await channel.reconcile(KEY, payload, attempted_at=datetime.now(UTC), now=datetime.now(UTC))
        assert isinstance(found, Sent)
        assert found.provider_id == outcome.provider_id


# -- an attempt of unknown outcome ---------------------------------------------------------------------------------------------


async def lost(twilio: TwilioDouble, channel: TwilioChannel, fault: Fault, text: str = "hello") -> tuple[Payload, datetime]:
    (payload,) = channel.render(KEY, Outbound("turn:0", text))
    twilio.fail(fault)
    attempted_at = datetime.now(UTC)
    assert isinstance(await channel.send(KEY, payload), Unknown)
    return payload, attempted_at


@pytest.mark.parametrize("fault", [Fault.HANG_UP_AFTER, Fault.RESET_AFTER, Fault.SILENCE_AFTER, Fault.SERVER_ERROR_AFTER, Fault.CUT_AFTER])
async def test_accepted_but_unanswered_is_found(twilio: TwilioDouble, channel: TwilioChannel, fault: Fault) -> None:
    payload, attempted_at = await lost(twilio, channel, fault)
    (message,) = twilio.sent_to(THEIRS)
    found = await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=datetime.now(UTC))
    assert found == Sent(message.sid, Progress(Status.QUEUED), 1)


async def test_not_accepted_is_absent_but_not_at_once(twilio: TwilioDouble, channel: TwilioChannel) -> None:
    payload, attempted_at = await lost(twilio, channel, Fault.HANG_UP_BEFORE)
    soon = await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=attempted_at + timedelta(seconds=10))
    assert soon == Unknown("not_listed_yet", 20.0)
    assert await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=attempted_at + timedelta(seconds=31)) == Absent()


async def test_what_is_like_it_is_not_it(twilio: TwilioDouble, channel: TwilioChannel) -> None:
    """The same words: sent before and known, sent long ago, by the customer, to another customer, from another number."""
    (payload,) = channel.render(KEY, Outbound("turn:9", "hello"))
    known = await channel.send(KEY, payload)
    assert isinstance(known, Sent)
    long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    twilio.messages.append(replace(twilio.messages[0], sid="SM" + "d" * 32, created=long_ago))
    twilio.messages.append(replace(twilio.messages[0], sid="SM" + "e" * 32, to="+12025550102"))
    twilio.messages.append(replace(twilio.messages[0], sid="SM" + "f" * 32, sender="+12025550109"))
    twilio.inbound(THEIRS, "hello")
    # A customer with a number of the same account: Twilio keeps what was sent once more, as received.
    twilio.messages.append(replace(twilio.messages[0], sid="SM" + "c" * 32, direction="inbound"))
    payload, attempted_at = await lost(twilio, channel, Fault.RESET_BEFORE)
    later = attempted_at + timedelta(minutes=1)
    assert await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=later, known={known.provider_id}) == Absent()


async def test_it_is_found_on_a_later_page(twilio: TwilioDouble, channel: TwilioChannel) -> None:
    payload, attempted_at = await lost(twilio, channel, Fault.RESET_AFTER, "the one")
    sid = twilio.messages[0].sid
    for n in range(120):
        await channel.send(KEY, channel.render(KEY, Outbound(f"turn:{n}", f"other {n}"))[0])
    twilio.messages[0] = replace(twilio.messages[0], created=twilio.messages[0].created - timedelta(seconds=5))
    found = await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=attempted_at + timedelta(minutes=1))
    assert isinstance(found, Sent)
    assert found.provider_id == sid


async def test_two_lost_ones_with_the_same_words_are_two(twilio: TwilioDouble, channel: TwilioChannel) -> None:
    payload, attempted_at = await lost(twilio, channel, Fault.RESET_AFTER)
    await lost(twilio, channel, Fault.RESET_AFTER)
    now = datetime.now(UTC)
    first = await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=now)
    assert isinstance(first, Sent)
    second = await channel.reconcile(KEY, payload, attempted_at=attempted_at, now=now, known={first.provider_id})
    assert isinstance(second, Sent)
    assert {first.provider_id, second.provider_id} == {message.sid for message in twilio.sent_to(THEIRS)}


@pytest.mark.parametrize(
    "answer",
    [
        Response(500, b"{}"),
        Response(200, b"no json"),
        Response(200, b'{"messages": 5}'),
        Response(429, b'{"code": 20429}'),
        Response(200, b'{"messages": []}', ending="cut"),
        Response(ending="silence"),
    ],
)
async def test_a_list_that_cannot_be_had_proves_nothing(quick: TwilioSettings, answer: Response) -> None:
    async def handler(_: Request) -> Response:
        return answer

    async with Server(handler) as server, open_channel(replace(quick, api_base_url=server.url), trust_env=False) as channel:
        (payload,) = channel.render(KEY, Outbound("turn:0", "hello"))
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        assert isinstance(await channel.reconcile(KEY, payload, attempted_at=long_ago, now=datetime.now(UTC)), Unknown)


async def test_a_list_that_never_ends_is_left(quick: TwilioSettings) -> None:
    asked: list[str] = []

    async def handler(request: Request) -> Response:
        asked.append(request.target)
        return Response(200, b'{"messages": [], "next_page_uri": "/2010-04-01/next?Page=%d"}' % len(asked))

    async with (
        Server(handler) as server,
        open_channel(replace(quick, api_base_url=server.url, list_timeout=5.0), trust_env=False) as channel,
    ):
        (payload,) = channel.render(KEY, Outbound("turn:0", "hello"))
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        assert await channel.reconcile(KEY, payload, attempted_at=long_ago, now=datetime.now(UTC)) == Unknown("too_many_messages")
    assert len(asked) == 10


# -- webhooks over real connections --------------------------------------------------------------------------------------------


class Bot:
    """The smallest bot: an inbox that inserts or ignores."""

    def __init__(self) -> None:
        self.channel: TwilioChannel | None = None
        self.inbox: dict[str, object] = {}
        self.order: list[str] = []

    async def __call__(self, request: Request) -> Response:
        assert self.channel is not None
        found = self.channel.receive(HttpRequest(request.method, request.target, request.headers, request.body, datetime.now(UTC)))
        for event in found.events:
            self.inbox.setdefault(event.event_id, event)
            self.order.append(event.event_id.rpartition(":")[2])
        return Response(found.reply.status, found.reply.body, found.reply.content_type)


@pytest.fixture
async def bot(twilio: TwilioDouble, channel: TwilioChannel) -> AsyncIterator[Bot]:
    bot = Bot()
    bot.channel = channel
    async with Server(bot) as server:
        twilio.caller.connect_to = server.url
        yield bot


async def test_a_message_told_three_times_is_one(twilio: TwilioDouble, bot: Bot) -> None:
    assert await twilio.text(THEIRS, "hello", copies=3) == [200, 200, 200]
    assert len(bot.inbox) == 1
    assert twilio.caller.alerts == []


async def test_receipts_repeated_and_backwards_end_the_same(twilio: TwilioDouble, channel: TwilioChannel, bot: Bot) -> None:
    twilio.deliveries = Deliveries(("sending", "sent", "delivered"), copies=2, backwards=True)
    (payload,) = channel.render(KEY, Outbound("turn:0", "hello"))
    sent = await channel.send(KEY, payload)
    await twilio.settle()
    assert isinstance(sent, Sent)
    assert bot.order == ["delivered", "delivered", "sent", "sent", "sending", "sending"]
    progress = sent.progress
    for event in bot.inbox.values():
        assert isinstance(event, Receipt)
        assert event.reference == "turn:0"
        progress = progress.merge(Progress(event.status, event.error_code or ""))
    assert progress == Progress(Status.DELIVERED)
    assert twilio.caller.alerts == []


async def test_a_receipt_settles_what_is_unknown(twilio: TwilioDouble, channel: TwilioChannel, bot: Bot) -> None:
    """The answer is lost, the receipt comes: it names our payload."""
    twilio.deliveries = Deliveries(("undelivered",), error_code="30005")
    twilio.fail(Fault.RESET_AFTER)
    (payload,) = channel.render(KEY, Outbound("turn:0", "hello"))
    assert isinstance(await channel.send(KEY, payload), Unknown)
    await twilio.settle()
    (receipt,) = bot.inbox.values()
    assert isinstance(receipt, Receipt)
    assert (receipt.reference, receipt.provider_id, receipt.error_code) == ("turn:0", twilio.sent_to(THEIRS)[0].sid, "30005")


async def test_a_stop_closes_the_way_at_twilio_and_a_start_opens_it(twilio: TwilioDouble, channel: TwilioChannel, bot: Bot) -> None:
    (payload,) = channel.render(KEY, Outbound("turn:0", "hello"))
    await twilio.text(THEIRS, "STOP")
    outcome = await channel.send(KEY, payload)
    assert outcome == Rejected("consent", "21610", closes_consent=True)
    await twilio.text(THEIRS, "start")
    assert isinstance(await channel.send(KEY, payload), Sent)
    assert twilio.auto_replies == [(THEIRS, "stop"), (THEIRS, "start")]


async def test_a_stranger_gets_nothing(twilio: TwilioDouble, bot: Bot) -> None:
    twilio.caller.token = "f" * 32
    assert await twilio.text(THEIRS, "hello") == [403]
    assert bot.inbox == {}
    assert [alert.code for alert in twilio.caller.alerts] == [11200]
