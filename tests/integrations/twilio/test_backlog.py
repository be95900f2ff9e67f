"""What came while we could not be reached: from the double's list, which Twilio's own description checks when it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import BacklogChannel, Consent, ConsentKind, HttpRequest, Outbound, UserMessage
from bot.channels.addresses import Address, ConversationKey
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import SignedRequest, TwilioDouble
from integrations.twilio import MediaFetcher, MediaPolicy, TwilioChannel, TwilioSettings, TwilioSettingsError, open_channel
from integrations.twilio.backlog import FROM_LIST, BacklogUnavailable
from integrations.twilio.webhook import receive

OURS, OTHER_OURS, THEIRS = "+12025550100", "+12025550199", "+12025550101"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Hand:
    """A clock moved by hand."""

    at: datetime = field(default=START)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock(twilio: TwilioDouble) -> Hand:
    twilio.clock = Hand()
    twilio.world.senders.add(OTHER_OURS)
    return twilio.clock


def told(settings: TwilioSettings, request: SignedRequest) -> UserMessage | Consent:
    """The event of the webhook that never reached us."""
    (event,) = receive(settings, HttpRequest("POST", request.target, request.headers, request.body, START)).events
    assert isinstance(event, UserMessage | Consent)
    return event


def test_it_is_what_the_port_asks(channel: TwilioChannel) -> None:
    assert isinstance(channel, BacklogChannel)


async def test_events_are_those_of_the_webhooks(twilio: TwilioDouble, channel: TwilioChannel, quick: TwilioSettings, clock: Hand) -> None:
    missed = []
    for text in ("first", "second", "요금 알려 주세요 €", "STOP", "cancel"):
        missed.append(told(quick, twilio.inbound(THEIRS, text)))
        clock.forward(seconds=1)
    found = await channel.backlog(START)
    assert [event.event_id for event in found] == [event.event_id for event in missed]
    for event, missing in zip(found, missed, strict=True):
        assert isinstance(event, UserMessage | Consent)
        assert type(event) is type(missing)
        assert (event.key, event.text) == (missing.key, missing.text)
        assert event.raw[FROM_LIST] == ""
    assert [event.received_at for event in found] == [START + timedelta(seconds=n) for n in range(5)]
    assert isinstance(found[3], Consent)
    assert (found[3].kind, found[3].provider_replied) == (ConsentKind.STOP, True)


async def test_what_was_sent_or_is_old_is_none(twilio: TwilioDouble, channel: TwilioChannel, clock: Hand) -> None:
    twilio.inbound(THEIRS, "long ago")
    clock.forward(hours=1)
    key = ConversationKey("twilio", Address("tel", OURS), Address("tel", THEIRS))
    await channel.send(key, channel.render(key, Outbound("t:1", "from us"))[0])
    twilio.inbound(THEIRS, "now")
    assert [event.text for event in await channel.backlog(clock.at - timedelta(minutes=5)) if isinstance(event, UserMessage)] == ["now"]
    assert len(await channel.backlog(START)) == 2


async def test_the_same_second_keeps_its_order_and_clocks_may_differ(twilio: TwilioDouble, channel: TwilioChannel, clock: Hand) -> None:
    for n in range(450):  # three pages
        twilio.inbound(THEIRS, f"number {n}")
    found = await channel.backlog(clock.at + timedelta(minutes=1))
    assert [event.text for event in found if isinstance(event, UserMessage)] == [f"number {n}" for n in range(450)]


async def test_only_our_numbers(twilio: TwilioDouble, quick: TwilioSettings, clock: Hand) -> None:
    for ours in (OURS, OTHER_OURS, OURS, f"whatsapp:{OURS}"):
        twilio.inbound(THEIRS if ":" not in ours else f"whatsapp:{THEIRS}", f"to {ours}", to=ours)
        clock.forward(seconds=1)

    async def texts(*senders: str) -> list[str]:
        async with open_channel(replace(quick, senders=senders), trust_env=False) as channel:
            return [event.text for event in await channel.backlog(START) if isinstance(event, UserMessage)]

    assert await texts(OURS) == [f"to {OURS}"] * 2
    assert await texts(f"whatsapp:{OURS}") == [f"to whatsapp:{OURS}"]
    assert await texts(OTHER_OURS, OURS) == [f"to {OURS}", f"to {OTHER_OURS}", f"to {OURS}"]
    assert len(await texts()) == 4


async def test_pictures_come_with_their_message(twilio: TwilioDouble, channel: TwilioChannel, quick: TwilioSettings, clock: Hand) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 20
    own = {"MediaUrl0": twilio.url + twilio.files.add(picture, "image/png"), "MediaContentType0": "image/png"}
    missed = told(quick, twilio.inbound(THEIRS, "look", NumMedia="1", **own))
    (event,) = await channel.backlog(START)
    assert isinstance(event, UserMessage)
    assert (event.event_id, event.text, len(event.media)) == (missed.event_id, "look", 1)
    assert event.event_id.startswith("twilio:msg:MM")
    policy = MediaPolicy(api_host="127.0.0.1", file_hosts=("localhost",), scheme="http")
    fetched = await MediaFetcher(quick, channel.rest.http, policy).fetch(event.media[0])
    assert (fetched.content, fetched.content_type) == (picture, "image/png")


async def test_a_picture_that_is_gone_is_told(twilio: TwilioDouble, channel: TwilioChannel, clock: Hand) -> None:
    gone = f"{twilio.url}/2010-04-01/Accounts/{twilio.account}/Messages/MM{'1' * 32}/Media/ME{'1' * 32}"
    twilio.inbound(THEIRS, "look", NumMedia="1", MediaUrl0=gone)
    (event,) = await channel.backlog(START)
    assert isinstance(event, UserMessage)
    assert (event.text, event.media, event.raw[FROM_LIST]) == ("look", (), "files")


@asynccontextmanager
async def listing(quick: TwilioSettings, *answers: Response) -> AsyncIterator[TwilioChannel]:
    rest = list(answers)

    async def handler(request: Request) -> Response:
        return rest.pop(0) if len(rest) > 1 else rest[0]

    async with Server(handler) as server, open_channel(replace(quick, api_base_url=server.url), trust_env=False) as channel:
        yield channel


def page(*messages: str, following: str = "null") -> Response:
    return Response(200, f'{{"messages": [{", ".join(messages)}], "next_page_uri": {following}}}'.encode())


def message(number: int, **change: str) -> str:
    fields = {
        "sid": f'"SM{number:032}"',
        "from": f'"{THEIRS}"',
        "to": f'"{OURS}"',
        "body": '"hi"',
        "direction": '"inbound"',
        "num_media": '"0"',
        "status": '"received"',
    }
    return "{" + ", ".join(f'"{name}": {value}' for name, value in (fields | change).items()) + "}"


@pytest.mark.parametrize(
    "last",
    [
        Response(500, b"{}"),
        Response(401, b'{"code": 20003}'),
        Response(200, b"no json"),
        Response(ending="reset"),
        Response(200, b"{}", ending="silence"),
    ],
)
async def test_half_a_list_is_none(quick: TwilioSettings, last: Response) -> None:
    """Given in part it would be believed whole. An OSError, as the port has it."""
    async with listing(quick, page(message(1), following='"/2010-04-01/next?Page=1"'), last) as channel:
        with pytest.raises(BacklogUnavailable) as failed:
            await channel.backlog(START)
    assert isinstance(failed.value, OSError)
    assert THEIRS not in str(failed.value)


async def test_a_list_without_end_is_left(quick: TwilioSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.twilio.backlog._MOST_PAGES", 5)
    pages = [page(message(n), following=f'"/2010-04-01/next?Page={n}"') for n in range(6)]
    async with listing(quick, *pages) as channel:
        with pytest.raises(BacklogUnavailable, match="too_many_messages"):
            await channel.backlog(START)


async def test_files_that_cannot_be_listed_now_may_be_later(quick: TwilioSettings) -> None:
    async with listing(quick, page(message(1, num_media='"1"')), Response(500, b"{}")) as channel:
        with pytest.raises(BacklogUnavailable, match="files_500"):
            await channel.backlog(START)


async def test_one_that_cannot_be_read_keeps_no_other_back(quick: TwilioSettings) -> None:
    odd = (message(1, sid='"XX"'), message(2, **{"from": '""'}), message(3, to="null"), message(4, date_created='"some day"'))
    async with listing(quick, page(*odd, "7", message(5))) as channel:
        assert [event.event_id for event in await channel.backlog(START)] == [f"twilio:msg:SM{n:032}" for n in (5, 4)]


def test_senders_in_the_environment() -> None:
    env = {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "t", "TWILIO_PUBLIC_BASE_URL": "https://bot.example"}
    assert TwilioSettings.from_env(env).senders == ()
    assert TwilioSettings.from_env(env | {"TWILIO_SENDERS": f" {OURS}, whatsapp:{OURS},12345 "}).senders == (
        OURS,
        f"whatsapp:{OURS}",
        "12345",
    )
    with pytest.raises(TwilioSettingsError, match="TWILIO_SENDERS"):
        TwilioSettings.from_env(env | {"TWILIO_SENDERS": "202-555-0100"})
    with pytest.raises(TwilioSettingsError, match="TWILIO_SETTLING_SECONDS"):
        TwilioSettings.from_env(env | {"TWILIO_SETTLING_SECONDS": "-1"})
