from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import HttpRequest, MediaFile, MediaLink, MediaRefused, MessageChannel
from bot.conversations import Addresses, Attachment, Attachments, CustomerData, Database, Sealer
from bot.runtime.attachments import ATTEMPTS, fetch_attachments
from bot.runtime.reception import Reception
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import TwilioDouble
from integrations.twilio import MediaPolicy, TwilioChannel, TwilioSettings, open_channel
from tests.databases import HandClock

THEIRS = "+12025550101"
PNG = b"\x89PNG\r\n\x1a\n" + b"Zwiebelkuchen" * 30
# On this machine: the API is 127.0.0.1 and the file host is localhost, so that the two differ.
POLICY = MediaPolicy(api_host="127.0.0.1", file_hosts=("localhost",), scheme="http", max_bytes=1000, waits=())
HERE = Addresses("twilio", "tel:+12025550100", "tel:+12025550101")
LINK = MediaLink("https://files.example/1", "image/png")


class Bell:
    """A dispatcher that notes what it is to ring for."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        self.woken.append(conversation)

    async def run(self, work: object) -> None:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError


class Told(list[tuple[str, str]]):
    """Telemetry: outcomes and codes of files."""

    def __call__(self, event: str, *, seconds: float | None = None, count: int = 1, **fields: str | int) -> None:
        if event == "attachment":
            assert str(fields["conversation"]).startswith("c")
            self.append((str(fields["outcome"]), str(fields["code"])))


@dataclass
class World:
    """A provider, a channel to it, and a database."""

    database: Database
    twilio: TwilioDouble
    channel: TwilioChannel
    sealer: Sealer = field(default_factory=Sealer)
    bell: Bell = field(default_factory=Bell)
    told: Told = field(default_factory=Told)

    @property
    def attachments(self) -> Attachments:
        return Attachments(self.database, sealer=self.sealer)

    async def receive(self, *urls: str, copies: int = 1, text: str = "look") -> str:
        """A customer's message with files, as a signed webhook. Returns the conversation."""
        media = {f"MediaUrl{n}": url for n, url in enumerate(urls)} | {f"MediaContentType{n}": "image/png" for n in range(len(urls))}
        signed = self.twilio.inbound(THEIRS, text, NumMedia=str(len(urls)), **media)
        request = HttpRequest("POST", signed.target, signed.headers, signed.body, datetime.now(UTC))
        reception = Reception(self.database, self.bell, secret=b"s", sealer=self.sealer)
        for _ in range(copies):
            received = self.channel.receive(request)
            assert len(received.events) == 1
            await reception(received.events)
        return self.bell.woken[-1]

    def add(self, content: bytes = PNG, kind: str = "image/png", *, redirect_to: str = "") -> str:
        return self.twilio.url + self.twilio.files.add(content, kind, redirect_to=redirect_to)

    async def fetch(self, seconds: float = 30.0) -> int:
        channels: dict[str, MessageChannel] = {"twilio": self.channel}
        return await fetch_attachments(self.attachments, channels, self.told, seconds=seconds)

    async def one(self, conversation: str) -> Attachment:
        (found,) = await self.attachments.of(conversation)
        return found


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with AsyncExitStack() as closing:
        twilio = await closing.enter_async_context(TwilioDouble())
        settings = replace(TwilioSettings.from_env(twilio.environment()), media_timeout=20.0)
        channel = await closing.enter_async_context(open_channel(settings, media=POLICY, trust_env=False))
        yield World(database, twilio, channel)
        assert twilio.files.leaks == []


async def test_a_picture_is_kept_for_people_to_see(world: World) -> None:
    conversation = await world.receive(world.add(), world.add(b"%PDF-1.7 bill", "application/pdf"), copies=2)
    assert world.bell.woken == [conversation], "told twice, stored once"
    waiting = await world.attachments.of(conversation)
    assert [(file.position, file.status) for file in waiting] == [(0, "waiting"), (1, "waiting")]
    assert {file.event_id for file in waiting} == {f"twilio:msg:{world.twilio.messages[0].sid}"}
    assert await world.fetch() == 2
    picture, bill = await world.attachments.of(conversation)
    assert await world.attachments.read(picture.id) == MediaFile(PNG, "image/png")
    assert await world.attachments.read(bill.id) == MediaFile(b"%PDF-1.7 bill", "application/pdf")
    assert (picture.size, bill.content_type) == (len(PNG), "application/pdf")
    assert world.told == [("kept", ""), ("kept", "")]
    assert await world.fetch() == 0


async def test_a_message_without_files_has_none(world: World) -> None:
    assert await world.attachments.of(await world.receive()) == []


@pytest.mark.parametrize("sealer", [Sealer(), Sealer({"a": bytes(range(32))}, strict=True)])
async def test_what_lies_on_the_disk(world: World, sealer: Sealer) -> None:
    world.sealer = sealer
    url = world.add()
    conversation = await world.receive(url)
    await world.fetch()
    assert await world.attachments.read((await world.one(conversation)).id) == MediaFile(PNG, "image/png")
    raw = await _raw(world.database)
    readable = [mark in raw for mark in (url.rpartition("/")[2].encode(), base64.b64encode(PNG)[:200])]
    assert readable == ([False, False] if sealer.newest else [True, True])


async def _raw(database: Database) -> bytes:
    """The bytes of SQLite's files; of PostgreSQL, its tables as text."""
    if not database.is_postgres:
        path = Path(str(database.engine.url.database))
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    async with database.read() as tx:
        tables = ("attachment", "inbox")
        return "".join([str(tuple(row)) for name in tables for row in await tx.execute(text(f"SELECT * FROM {name}"))]).encode()


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [(PNG * 9, "image/png", "size"), (b"<html>", "text/html", "type"), (b"<html><script>", "image/png", "content")],
)
async def test_what_is_not_accepted_is_refused_at_once(world: World, content: bytes, kind: str, code: str) -> None:
    conversation = await world.receive(world.add(content, kind))
    assert await world.fetch() == 1
    found = await world.one(conversation)
    assert (found.status, found.cause, found.size) == ("refused", code, 0)
    assert await world.attachments.read(found.id) is None
    assert world.told == [("refused", code)]


async def test_the_key_is_shown_to_nobody_else(world: World) -> None:
    """Neither where a file's address leads away from the provider, nor where a message's own address does."""
    asked: list[str] = []

    async def stranger(request: Request) -> Response:
        asked.append(request.headers.get("authorization", ""))
        return Response(200, PNG, "image/png")

    async with Server(stranger) as server:
        path = world.add().removeprefix(world.twilio.url)
        conversation = await world.receive(
            world.add(redirect_to=f"{server.url}/x"), "http://evil.example" + path, server.url.replace("127.0.0.1", "localhost") + path
        )
        assert await world.fetch() == 3
    assert [(file.status, file.cause) for file in await world.attachments.of(conversation)] == [
        ("refused", "redirect"),
        ("refused", "address"),
        ("refused", "address"),
    ]
    assert asked == []


async def test_what_is_missing_is_asked_for_again_and_given_up_in_the_end(world: World, clock: HandClock) -> None:
    began = clock.at
    conversation = await world.receive(world.add())
    world.twilio.files.missing_for = 999
    for attempt in range(1, ATTEMPTS + 1):
        assert (await world.one(conversation)).status == "waiting"
        while not await world.fetch():
            clock.move(seconds=5)
        assert len(world.told) == attempt
    assert world.told == [*[("retry", "missing")] * (ATTEMPTS - 1), ("refused", "missing")]
    assert timedelta(hours=1) < clock.at - began < timedelta(hours=2)
    clock.move(days=1)
    assert await world.fetch() == 0


async def test_what_was_missing_comes_in_the_end(world: World, clock: HandClock) -> None:
    conversation = await world.receive(world.add())
    world.twilio.files.missing_for = 1
    await world.fetch()
    clock.move(minutes=1)
    await world.fetch()
    assert (await world.one(conversation)).status == "kept"
    assert world.told == [("retry", "missing"), ("kept", "")]


async def test_a_slow_server_holds_nothing_up(world: World) -> None:
    """A file that never ends takes one place of several, and the round ends without it."""

    async def slow(_: Request) -> Response:
        return Response(200, PNG, "image/png", ending="trickle")

    async with Server(slow) as server:
        stuck = server.url.replace("127.0.0.1", "localhost") + "/x"
        conversation = await world.receive(world.add(redirect_to=stuck), *(world.add() for _ in range(9)))
        async with asyncio.timeout(60):
            assert await world.fetch(seconds=4.5) >= 4
    first, *others = await world.attachments.of(conversation)
    assert (first.status, first.cause) == ("waiting", "timeout")
    assert [file.status for file in others].count("kept") >= 3
    while await world.fetch():
        pass
    assert {file.status for file in (await world.attachments.of(conversation))[1:]} == {"kept"}


async def test_who_dies_between_fetching_and_keeping_is_replaced(world: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = await world.receive(world.add())
    fetched = asyncio.Event()

    async def never(*_: object) -> bool:
        fetched.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    with monkeypatch.context() as patched:
        patched.setattr(Attachments, "kept", never)
        dying = asyncio.create_task(world.fetch())
        async with asyncio.timeout(60):
            await fetched.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert (await world.one(conversation)).status == "waiting"
    assert await world.fetch() == 0, "the dead one's lease"
    clock.move(minutes=5)
    assert await world.fetch() == 1
    assert (await world.one(conversation)).status == "kept"


async def test_a_file_that_kills_whoever_fetches_it_is_given_up(world: World, clock: HandClock) -> None:
    conversation = await world.receive(world.add())
    for _ in range(ATTEMPTS):
        assert await world.attachments.claim(limit=1, lease=timedelta(seconds=1))
        clock.move(seconds=1)
    assert await world.fetch() == 1
    assert (await world.one(conversation)).cause == "process_lost"


async def test_a_customer_erased_meanwhile_stays_erased(world: World) -> None:
    conversation = await world.receive(world.add())
    url, asked, go_on = "", asyncio.Event(), asyncio.Event()

    async def file(_: Request) -> Response:
        asked.set()
        await go_on.wait()
        return Response(200, PNG, "image/png")

    async with Server(file) as server:
        url = server.url.replace("127.0.0.1", "localhost") + "/x"
        second = await world.receive(world.add(redirect_to=url))
        assert second == conversation
        async with asyncio.timeout(60):
            fetching = asyncio.create_task(world.fetch())
            await asked.wait()
            await CustomerData(world.database).erase(customer=f"tel:{THEIRS}")
            go_on.set()
            await fetching
    assert await world.attachments.of(conversation) == []
    assert world.told.count(("kept", "")) <= 1, "at most the one that was kept before"
    assert not any((await CustomerData(world.database).export(customer=f"tel:{THEIRS}")).values())


@dataclass
class Source:
    """A channel as far as files go."""

    answer: Callable[[MediaLink], Awaitable[MediaFile]]

    async def fetch(self, link: MediaLink) -> MediaFile:
        return await self.answer(link)


async def expect(database: Database, count: int = 1) -> Attachments:
    attachments = Attachments(database)
    async with database.write() as tx:
        await attachments.expect(tx, "c", "e", HERE, [LINK] * count)
    return attachments


async def run(attachments: Attachments, channels: Any, told: Told) -> int:
    return await fetch_attachments(attachments, channels, told)


async def test_channels_without_files_and_channels_that_are_gone(database: Database, clock: HandClock) -> None:
    attachments, told = await expect(database), Told()
    assert await run(attachments, {}, told) == 1
    assert told == [("retry", "no_channel")], "it may be connected again"
    clock.move(minutes=1)
    assert await run(attachments, {"twilio": object()}, told) == 1
    assert told[1:] == [("refused", "no_media")]


async def test_a_fault_of_a_channel_is_no_fault_of_the_round(database: Database) -> None:
    attachments, told = await expect(database, 3), Told()
    answers = iter((ValueError("+12025550101"), MediaRefused("status", "HTTP 500", again=True)))

    async def answer(_: MediaLink) -> MediaFile:
        if (error := next(answers, None)) is not None:
            raise error
        return MediaFile(b"x", "text/plain")

    assert await run(attachments, {"twilio": Source(answer)}, told) == 3
    assert sorted(told) == [("kept", ""), ("retry", "ValueError"), ("retry", "status")]
    assert "+1202" not in str(await attachments.of("c"))


async def test_few_at_once(database: Database) -> None:
    """However many wait: each is up to some megabytes, in several copies."""
    attachments, told = await expect(database, 20), Told()
    running = most = 0

    async def answer(_: MediaLink) -> MediaFile:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return MediaFile(b"x", "text/plain")

    assert await run(attachments, {"twilio": Source(answer)}, told) == 20
    assert 2 <= most <= 4


async def test_a_broken_database_is_told_when_the_others_are_done(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    attachments, told = await expect(database, 4), Told()
    refused, real = OSError("database"), Attachments.kept

    async def kept(self: Attachments, row: Any, file: MediaFile) -> bool:
        if row.position == 0:
            raise refused
        return await real(self, row, file)

    async def answer(_: MediaLink) -> MediaFile:
        return MediaFile(b"x", "text/plain")

    monkeypatch.setattr(Attachments, "kept", kept)
    with pytest.raises(OSError, match="database"):
        await run(attachments, {"twilio": Source(answer)}, told)
    assert [file.status for file in await attachments.of("c")] == ["waiting", "kept", "kept", "kept"]


async def test_two_rounds_at_once_fetch_each_file_once(live: Database) -> None:
    attachments, asked = await expect(live, 12), 0

    async def answer(_: MediaLink) -> MediaFile:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return MediaFile(b"x", "text/plain")

    done = await asyncio.gather(*(run(attachments, {"twilio": Source(answer)}, Told()) for _ in range(3)))
    assert (sum(done), asked) == (12, 12)
