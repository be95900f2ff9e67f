"""Requests over real connections to the double, and what their outcomes are."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace

import pytest

from bot.channels import ConversationKey, Outbound, Payload, Progress, Rejected, Retry, Sent, Status, Unknown
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import Fault, TwilioDouble
from integrations.twilio import TwilioChannel, TwilioSettings, open_channel
from integrations.twilio.errors import ERRORS, ErrorKind, lookup
from integrations.twilio.rest import Answer, outcome_of

THEIRS = "+12025550101"


def one(channel: TwilioChannel, key: ConversationKey, text: str = "hello") -> Payload:
    (payload,) = channel.render(key, Outbound("turn:0", text))
    return payload


async def send(channel: TwilioChannel, key: ConversationKey, text: str = "hello") -> object:
    return await channel.send(key, one(channel, key, text))


async def test_sent(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    outcome = await send(channel, key, "안녕하세요 €")
    (message,) = twilio.sent_to(THEIRS)
    assert outcome == Sent(message.sid, Progress(Status.QUEUED), 1)
    assert (message.body, message.sender) == ("안녕하세요 €", "+12025550100")
    assert message.callback == "https://bot.example/channels/twilio/status?ref=turn%3A0"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.RATE_LIMIT, Retry("rate", "20429", 1.0)),
        (Fault.GATEWAY, Unknown("http_502")),
        (Fault.SERVER_ERROR_BEFORE, Unknown("http_500")),
        (Fault.SERVER_ERROR_AFTER, Unknown("http_500")),
        (Fault.PORTAL, Retry("http_403", alert=True)),
        (Fault.REDIRECT, Unknown("http_307")),
        (Fault.HANG_UP_AFTER, Unknown("connection_lost_RemoteProtocolError")),
        (Fault.RESET_AFTER, Unknown("connection_lost_ReadError")),
        (Fault.CUT_AFTER, Unknown("connection_lost_RemoteProtocolError")),
        (Fault.SILENCE_AFTER, Unknown("timeout")),
        (Fault.SILENCE_BEFORE, Unknown("timeout")),
        (Fault.TRICKLE_AFTER, Unknown("timeout")),
        (Fault.GARBAGE_AFTER, Unknown("answer_without_sid")),
    ],
)
async def test_what_goes_wrong(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey, fault: Fault, expected: object) -> None:
    twilio.fail(fault)
    started = time.monotonic()
    assert await send(channel, key) == expected
    assert time.monotonic() - started < 5  # the total is 1.5, also for an answer that trickles for half a minute
    assert twilio.attempts == 1
    assert len(twilio.sent_to(THEIRS)) == (1 if fault.accepts else 0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (21211, Rejected("input", "21211")),
        (21614, Rejected("input", "21614")),
        (21408, Rejected("input", "21408")),
        (21610, Rejected("consent", "21610", closes_consent=True)),
        (30034, Rejected("compliance", "30034")),
        (63016, Rejected("window", "63016")),
        (99999, Rejected("unlisted", "99999")),
        (21606, Retry("account", "21606", alert=True)),
        (20003, Retry("account", "20003", alert=True)),
        (21611, Retry("rate", "21611")),
        (30022, Retry("rate", "30022")),
    ],
)
async def test_codes(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey, code: int, expected: object) -> None:
    twilio.fail(Fault.REFUSE, code=code)
    outcome = await send(channel, key)
    assert outcome == expected


async def test_a_slow_answer_is_waited_for_within_the_total(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.fail(Fault.SLOW, seconds=0.2)
    assert isinstance(await send(channel, key), Sent)


async def test_no_connection_is_retry(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.refuse_connections()
    assert await send(channel, key) == Retry("no_connection_ConnectError")


async def test_a_connection_that_is_never_made_is_retry(quick: TwilioSettings, key: ConversationKey) -> None:
    """A full backlog: the handshake never ends, and nothing has been written."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with open_channel(replace(quick, api_base_url=f"http://127.0.0.1:{port}"), trust_env=False) as channel:
            assert await send(channel, key) == Retry("connect_timeout")
        for filler in fillers:
            filler.close()


async def test_a_server_that_accepts_and_reads_nothing_is_unknown(quick: TwilioSettings, key: ConversationKey) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with open_channel(replace(quick, api_base_url=url), trust_env=False) as channel:
            assert await send(channel, key) == Unknown("timeout")


async def test_no_tls_is_retry(quick: TwilioSettings, key: ConversationKey) -> None:
    """The other end speaks no TLS: nothing of the request was written."""

    async def handler(_: Request) -> Response:
        return Response()

    async with Server(handler) as server:
        url = server.url.replace("http:", "https:")
        async with open_channel(replace(quick, api_base_url=url), trust_env=False) as channel:
            outcome = await send(channel, key)
    assert isinstance(outcome, Retry)


async def test_an_endless_answer_ends(quick: TwilioSettings, key: ConversationKey) -> None:
    async def handler(_: Request) -> Response:
        return Response(201, b"x" * (5 * 1024 * 1024))

    async with (
        Server(handler) as server,
        open_channel(replace(quick, api_base_url=server.url, send_timeout=3.0), trust_env=False) as channel,
    ):
        assert await send(channel, key) == Unknown("answer_too_large")


async def test_who_cancels_is_obeyed(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.fail(Fault.SILENCE_AFTER)
    task = asyncio.create_task(channel.send(key, one(channel, key)))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_wrong_key_is_ours_to_repair(twilio: TwilioDouble, quick: TwilioSettings, key: ConversationKey) -> None:
    async with open_channel(replace(quick, auth_tokens=("wrong",)), trust_env=False) as channel:
        assert await send(channel, key) == Retry("account", "20003", alert=True)


async def test_a_limit_of_requests(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.requests_per_second = 3
    outcomes = [await send(channel, key) for _ in range(5)]
    assert [type(outcome).__name__ for outcome in outcomes] == ["Sent", "Sent", "Sent", "Retry", "Retry"]


async def test_a_queue_that_is_full_counts_segments(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    twilio.queue_limit = 4
    outcomes = [await send(channel, key, "word " * 50) for _ in range(3)]  # two segments each
    assert [type(outcome).__name__ for outcome in outcomes] == ["Sent", "Sent", "Retry"]


async def test_many_at_once(twilio: TwilioDouble, channel: TwilioChannel, key: ConversationKey) -> None:
    outcomes = await asyncio.gather(*(send(channel, key, f"number {n}") for n in range(100)))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len({message.sid for message in twilio.sent_to(THEIRS)}) == 100


@pytest.mark.parametrize(
    "value",
    [[], 1, "x", None, {"sid": 5}, {"sid": ""}, {"code": "21610"}, {"status": {}}, {"sid": "SM1", "num_segments": "x", "status": 7}],
)
@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 401, 404, 408, 410, 429, 500, 503, 999])
def test_odd_answers_have_an_outcome_and_never_a_false_refusal(status: int, value: object) -> None:
    outcome = outcome_of(Answer(status, {"retry-after": "soon"}, value if isinstance(value, dict) else {}))
    assert not isinstance(outcome, Rejected)
    assert isinstance(outcome, Sent) == (status in (200, 201) and value == {"sid": "SM1", "num_segments": "x", "status": 7})
    if status >= 500 or status in (204, 302, 408):
        assert isinstance(outcome, Unknown)


def test_codes_are_known_once_and_described() -> None:
    assert lookup("21610").kind is ErrorKind.CONSENT
    assert lookup(21610) == lookup("21610")
    assert lookup(None).kind is ErrorKind.UNLISTED
    assert all(code == error.code and error.meaning for code, error in ERRORS.items())
