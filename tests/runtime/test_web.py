from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from bot.channels import Event, HttpReply, HttpRequest, Receipt, Received, UserMessage, WebhookChannel
from bot.conversations import Database, connect, migrate
from bot.runtime.health import Health
from bot.runtime.logs import Log
from bot.runtime.observing import Observer
from bot.runtime.web import Webhook, WebhookLimits, application
from bot.testing.doubles.twilio import SignedRequest, TwilioDouble
from tests.runtime.serving import MESSAGES, STATUS, reception, rows, serving

OURS, THEIRS = "+12025550100", "+12025550101"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def twilio() -> TwilioDouble:
    return TwilioDouble()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Database]:
    """SQLite, for what has nothing to do with the database."""
    engine = connect(f"sqlite:///{tmp_path}/local.db")
    await migrate(engine)
    yield Database(engine)
    await engine.dispose()


def request(signed: SignedRequest, *headers: str, method: str = "POST") -> bytes:
    """As bytes on a connection that is closed after the answer."""
    named = [f"{name}: {value}" for name, value in signed.headers.items()]
    lines = [f"{method} {signed.target} HTTP/1.1", "Host: bot.example", "Connection: close", *named, *headers]
    return "\r\n".join((*lines, f"Content-Length: {len(signed.body)}", "", "")).encode() + signed.body


# -- what is stored --------------------------------------------------------------------------------------------------------------


async def test_a_message_is_stored_once_and_answered(live: Database, twilio: TwilioDouble) -> None:
    async with serving(live, reception(live), twilio=twilio) as served:
        assert await twilio.text(THEIRS, "What is my bill?", copies=3) == [200, 200, 200]
        assert await rows(live) == 1
        assert twilio.caller.alerts == [], "Twilio reads the answer"
        line = await served.logged()
    assert (line["channel"], line["status"], line["level"]) == ("twilio", 200, "info")
    assert line["seconds"] > 0


async def test_many_at_once(live: Database, twilio: TwilioDouble) -> None:
    async with serving(live, reception(live), twilio=twilio):
        requests = [twilio.inbound(THEIRS, f"message {number}") for number in range(30)]
        assert set(await asyncio.gather(*(twilio.caller.call(request) for request in requests))) == {200}
        assert await rows(live) == 30


async def test_a_receipt_whose_address_holds_odd_characters(local: Database, twilio: TwilioDouble) -> None:
    """The signature covers the query as it was written: decoded or put together anew it would be another."""
    async with serving(local, twilio=twilio) as served:
        fields = [("MessageSid", "SM" + "a" * 32), ("MessageStatus", "delivered"), ("To", THEIRS), ("From", OURS)]
        for query in ("ref=c1%2F2:0&x=%E2%82%AC&x=a+b&&=", "ref=%63%31", "ref=a?b/c"):
            assert await twilio.caller.call(twilio.caller.sign(f"{twilio.public_base_url}{STATUS}?{query}", fields)) == 200, query
        assert len(served.events) == 3


async def test_forged_webhooks_store_nothing(live: Database, twilio: TwilioDouble) -> None:
    stranger = TwilioDouble(token="f" * 32)
    async with serving(live, reception(live), twilio=twilio) as served:
        stranger.caller.connect_to = served.url
        assert await stranger.text(THEIRS, "hello") == [403]
        right = twilio.inbound(THEIRS, "hello")
        unsigned = {name: value for name, value in right.headers.items() if name != "X-Twilio-Signature"}
        twice = {**right.headers, "x-twilio-signature": "AAAA"}  # a second header beside the true one
        for headers, body, target in (
            (unsigned, right.body, right.target),
            (twice, right.body, right.target),
            (right.headers, right.body.replace(b"hello", b"hallo"), right.target),
            (right.headers, right.body, right.target + "?a=1"),
            (right.headers, right.body, STATUS),
        ):
            forged = SignedRequest(twilio.public_base_url + target, headers, body)
            assert b"403 Forbidden" in await served.raw(request(forged))
        assert await rows(live) == 0
        assert {line["problem"] for line in served.log()} == {"bad_signature"}


# -- behind a proxy --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [False, True], ids=["cut off", "kept"])
async def test_a_proxy_with_a_path_of_its_own(local: Database, kept: bool) -> None:
    """The public address is https://bot.example/care; the proxy cuts `/care` off, or leaves it to us."""
    twilio = TwilioDouble(public_base_url="https://bot.example/care")
    async with serving(local, twilio=twilio, prefix="/care" if kept else "") as served:
        if kept:
            twilio.caller.connect_to = served.url + "/care"
        assert await twilio.text(THEIRS, "hello") == [200]
        assert await twilio.caller.call(twilio.inbound(THEIRS, "hello", path="/elsewhere")) == 404
        assert len(served.events) == 1
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(served.url + "/health/ready")).status_code == 200
            assert ("/care" + MESSAGES in (await client.get(served.url + "/openapi.json")).json()["paths"]) == kept


async def test_what_a_request_says_of_its_origin_is_not_believed(local: Database, twilio: TwilioDouble) -> None:
    async with serving(local, twilio=twilio) as served:
        signed = twilio.inbound(THEIRS, "hello")
        lies = ("X-Forwarded-Proto: http", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Prefix: /evil")
        assert b"200 OK" in await served.raw(request(signed, *lies, "Forwarded: host=evil.example;proto=http"))
        forged = twilio.caller.sign("https://evil.example" + MESSAGES, [("Body", "hello")])
        assert b"403 Forbidden" in await served.raw(request(forged, *lies))
        assert len(served.events) == 1


# -- what cannot be stored -------------------------------------------------------------------------------------------------------


async def test_a_database_that_is_away(twilio: TwilioDouble, http: httpx.AsyncClient) -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/nothing")
    away = Database(engine)
    async with serving(away, reception(away), twilio=twilio) as served:
        signed = twilio.inbound(THEIRS, "hello")
        answer = await http.post(served.url + MESSAGES, content=signed.body, headers=signed.headers)
        assert (answer.status_code, answer.content) == (503, b"")
        assert int(answer.headers["Retry-After"]) > 0
        assert (await http.get(served.url + "/health/ready")).status_code == 503
        assert (await http.get(served.url + "/health/live")).status_code == 200
        metrics = (await http.get(served.url + "/metrics")).text
    await engine.dispose()
    assert 'switchboard_webhook_total{channel="twilio",problem="not_stored",status="503"} 1.0' in metrics
    assert "switchboard_database_up 0.0" in metrics
    line = await served.logged("a webhook was not stored")
    assert (line["error"], line["at"][:4]) == ("sqlalchemy.exc.OperationalError", "bot/")
    assert served.log()[0]["level"] == "warning"
    assert "2025550101" not in served.stream.getvalue()


async def test_a_database_that_keeps_us_waiting_and_comes_back(tmp_path: Path, twilio: TwilioDouble) -> None:
    """Locked by another program: the driver would wait for half a minute, the provider does not."""
    engine = connect(f"sqlite:///{tmp_path}/locked.db")
    await migrate(engine)
    database = Database(engine)
    async with serving(database, reception(database), twilio=twilio, limits=WebhookLimits(store=0.3)) as served:
        other = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        signed = twilio.inbound(THEIRS, "hello")
        assert await twilio.caller.call(signed) == 503
        assert served.log()[0]["problem"] == "not_stored_in_time"
        other.execute("ROLLBACK")
        other.close()
        async with asyncio.timeout(60):  # Twilio tells it again, and it is stored once whatever became of the first
            while await twilio.caller.call(signed) != 200:
                await asyncio.sleep(0.1)
        assert await rows(database) == 1
    await engine.dispose()


async def test_never_200_when_storing_raises(local: Database, twilio: TwilioDouble) -> None:
    async def take(events: Sequence[Event]) -> None:
        raise RuntimeError(f"no room for {events[0].key}")

    async with serving(local, take, twilio=twilio) as served:
        assert await twilio.text(THEIRS, "hello") == [503]
        assert "2025550101" not in served.stream.getvalue()


class Broken(WebhookChannel):
    """An adapter of somebody else, with a mistake in it."""

    name = "broken"

    def receive(self, request: HttpRequest) -> Received:
        raise ValueError(request.body.decode())


class Odd(WebhookChannel):
    """Answers what few do, and takes what it is told."""

    name = "odd"
    seen: HttpRequest | None = None

    def receive(self, request: HttpRequest) -> Received:
        self.seen = request
        return Received(HttpReply(202, b'{"ok": true}', "application/json"), problem="odd")


async def test_a_channel_that_raises(local: Database, http: httpx.AsyncClient) -> None:
    async with serving(local, channel=Broken()) as served:  # type: ignore[abstract]
        assert (await http.post(served.url + MESSAGES, content=b"my name is Kim")).status_code == 500
        assert served.log()[0]["problem"] == "channel_failed"
        assert (await served.logged("a channel failed on a webhook"))["error"] == "ValueError"
        assert "Kim" not in served.stream.getvalue()


async def test_a_channel_sees_the_request_as_it_came_and_answers_what_it_wants(local: Database) -> None:
    channel = Odd()  # type: ignore[abstract]
    async with serving(local, channel=channel) as served:
        head = f"PATCH {MESSAGES}?a=%2f&b=%F0&&c HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\nX-\xe9: \xe9\r\nContent-Length: 3\r\nConnection: close"
        answer = await served.raw(head.replace("X-\xe9", "X-E").encode("latin-1") + b"\r\n\r\na\x00b")
        assert answer.startswith(b"HTTP/1.1 202")
        assert b"content-type: application/json" in answer
        assert answer.endswith(b'\r\n\r\n{"ok": true}')
    seen = channel.seen
    assert seen is not None
    assert (seen.method, seen.target, seen.body) == ("PATCH", MESSAGES + "?a=%2f&b=%F0&&c", b"a\x00b")
    assert (seen.header("X-Two"), seen.header("x-e")) == ("1, 2", "\xe9")
    assert seen.received_at.tzinfo is not None


# -- what is too much ------------------------------------------------------------------------------------------------------------


async def test_bodies_have_a_limit(local: Database, twilio: TwilioDouble) -> None:
    async with serving(local, twilio=twilio, limits=WebhookLimits(body=4096)) as served:
        large = twilio.inbound(THEIRS, "x" * 5000)
        head = request(large).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        assert (await served.raw(head)).startswith(b"HTTP/1.1 413"), "nothing of it is awaited"
        assert (await served.raw(request(large))).startswith(b"HTTP/1.1 413")
        chunked = f"POST {MESSAGES} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        answer = await served.raw(chunked, *([b"400\r\n" + b"x" * 1024 + b"\r\n"] * 5))
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in answer
        assert {line["problem"] for line in served.log()} == {"too_large"}
        assert await twilio.text(THEIRS, "x" * 1000) == [200]


async def test_bodies_have_a_time(local: Database, twilio: TwilioDouble) -> None:
    async with serving(local, twilio=twilio, limits=WebhookLimits(read=0.3)) as served:
        data = request(twilio.inbound(THEIRS, "hello"))
        drops = [data[-20:][place : place + 1] for place in range(15)]
        answer = await served.raw(data[:-20], *drops, pause=0.1)
        assert answer.startswith(b"HTTP/1.1 408")
        assert served.log()[0]["problem"] == "too_slow"
        assert not served.events


async def test_a_body_cut_off(local: Database, twilio: TwilioDouble) -> None:
    async with serving(local, twilio=twilio) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        writer.write(request(twilio.inbound(THEIRS, "hello"))[:-5])
        await writer.drain()
        writer.close()
        assert (await served.logged())["problem"] == "cut_off"
        assert not served.events
        assert await twilio.text(THEIRS, "hello") == [200]


# -- the rest of the API ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_other_methods(local: Database, http: httpx.AsyncClient, method: str) -> None:
    async with serving(local) as served:
        answer = await http.request(method, served.url + MESSAGES)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", ["/", MESSAGES + "/", MESSAGES.replace("/m", "%2Fm"), MESSAGES.replace("m", "%6D"), "/docs", "/redoc", "/.env", "//" + MESSAGES]
)
async def test_other_paths(local: Database, twilio: TwilioDouble, path: str) -> None:
    async with serving(local, twilio=twilio) as served:
        signed = twilio.inbound(THEIRS, "hello", path=path)
        assert (await served.raw(request(signed))).startswith(b"HTTP/1.1 404")
        assert not served.events


async def test_every_answer_has_its_headers(local: Database, http: httpx.AsyncClient) -> None:
    async with serving(local) as served:
        for path in (MESSAGES, "/health/live", "/health/ready", "/metrics", "/openapi.json", "/nothing"):
            headers = (await http.get(served.url + path)).headers
            assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
            assert "server" not in headers


async def test_health_and_metrics(local: Database, http: httpx.AsyncClient) -> None:
    async with serving(local) as served:
        live, ready = await http.get(served.url + "/health/live"), await http.get(served.url + "/health/ready")
        assert (live.status_code, live.json()["status"]) == (200, "live")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert set(ready.json()["checks"]) == {"database", "migrations", "inbox"}
        metrics = await http.get(served.url + "/metrics")
        assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "switchboard_inbox_open 0.0" in metrics.text
        served.health.drain()
        ready = await http.get(served.url + "/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert (await http.get(served.url + "/health/live")).status_code == 200


async def test_the_heart_beats_while_it_serves(local: Database) -> None:
    async with serving(local) as served:
        began = time.monotonic()
        async with asyncio.timeout(30):
            while float(served.health.live().checks["event_loop"]["seconds"]) >= time.monotonic() - began:
                await asyncio.sleep(0.05)


async def test_no_line_of_the_log_says_who_asked_for_what(local: Database, http: httpx.AsyncClient) -> None:
    async with serving(local) as served:
        await http.post(served.url + MESSAGES + "?name=Kim", headers=FORM)
        await http.get(served.url + "/health/live?name=Kim", headers={"User-Agent": "Kim"})
        await served.raw(b"GARBAGE Kim\r\n\r\n")
        assert served.log()
        for word in ("Kim", "127.0.0.1", "User-Agent"):
            assert word not in served.stream.getvalue()


async def test_the_description(local: Database, http: httpx.AsyncClient) -> None:
    async with serving(local) as served:
        described = (await http.get(served.url + "/openapi.json")).json()
    assert set(described["paths"]) == {MESSAGES, STATUS, "/health/live", "/health/ready", "/metrics"}
    post = described["paths"][MESSAGES]["post"]
    assert set(post["responses"]) >= {"200", "400", "403", "405", "408", "413", "503"}
    assert list(post["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


async def test_other_apis_can_be_included(local: Database, http: httpx.AsyncClient) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        router = APIRouter(prefix="/console")

        @router.get("/hello")
        async def hello() -> dict[str, str]:
            return {"hello": "desk"}

        app.include_router(router)
        said.append("begun")
        yield
        said.append("ended")

    async with serving(local, lifespan=lifespan) as served:
        assert said == ["begun"]
        assert (await http.get(served.url + "/console/hello")).json() == {"hello": "desk"}
        paths = (await http.get(served.url + "/openapi.json")).json()["paths"]
        assert {"/console/hello", MESSAGES} <= set(paths)
    assert said == ["begun", "ended"]


@pytest.mark.parametrize(
    ("paths", "prefix", "code"),
    [
        (["a"], "", "webhook-path"),
        (["/{a}"], "", "webhook-path"),
        (["/a", "/a"], "", "webhook-path-twice"),
        (["/a"], "b", "webhook-prefix"),
    ],
)
async def test_paths_that_cannot_be(local: Database, paths: list[str], prefix: str, code: str) -> None:
    async def take(events: Any) -> None: ...

    webhooks = [Webhook(path, Odd()) for path in paths]  # type: ignore[abstract]
    with pytest.raises(ValueError, match=rf"\[{code}\]"):
        application(webhooks, take, Health(local), Observer(Log()), prefix=prefix)


async def test_events_are_taken_as_the_channel_read_them(local: Database, twilio: TwilioDouble) -> None:
    async with serving(local, twilio=twilio) as served:
        await twilio.text(THEIRS, "요금 알려 주세요")
        fields = [("MessageSid", "SM" + "a" * 32), ("MessageStatus", "delivered"), ("To", THEIRS), ("From", OURS)]
        await twilio.caller.call(twilio.caller.sign(twilio.public_base_url + STATUS, fields))
        message, receipt = served.events
        assert isinstance(message, UserMessage)
        assert message.text == "요금 알려 주세요"
        assert isinstance(receipt, Receipt)
