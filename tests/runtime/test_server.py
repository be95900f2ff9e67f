from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from bot.channels import Event
from bot.conversations import Database
from bot.runtime import server as server_module
from bot.runtime.server import ListenError, serve
from bot.testing.doubles.twilio import TwilioDouble
from tests.runtime.serving import raw, rows, serving

THEIRS = "+12025550101"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def connect_until_refused(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await asyncio.sleep(0.02)


async def test_the_port_is_told_and_given_back() -> None:
    server = await serve(hello, "127.0.0.1", 0)
    assert server.port > 0
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(server.url)).text == "hello"
    await server.stop()
    await server.wait()
    again = await serve(hello, "127.0.0.1", server.port)
    await again.stop()


async def test_signals_stay_the_programs() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    server = await serve(hello, "127.0.0.1", 0)
    try:
        signal.raise_signal(signal.SIGTERM)
        assert heard == [signal.SIGTERM]
        assert b"hello" in await raw(server.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    finally:
        await server.stop()
        signal.signal(signal.SIGTERM, before)


async def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port}: the port is in use; .* \[port-in-use\]") as caught:
            await serve(hello, "127.0.0.1", port)
    assert caught.value.code == "port-in-use"


@pytest.mark.parametrize(
    ("host", "port", "code"),
    [("192.0.2.1", 0, "no-such-address"), ("no.such.invalid", 0, "no-such-address"), ("127.0.0.1", 70000, "no-such-port")],
)
async def test_what_cannot_be_listened_on(host: str, port: int, code: str) -> None:
    with pytest.raises(ListenError) as caught:
        await serve(hello, host, port)
    assert caught.value.code == code


async def test_an_application_that_does_not_start() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ListenError, match="not-started"):
        await serve(FastAPI(lifespan=lifespan), "127.0.0.1", port)
    server = await serve(hello, "127.0.0.1", port)  # nothing is left of the first
    await server.stop()


class Slow:
    """Stores when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go, self.stored = asyncio.Event(), asyncio.Event(), 0

    async def __call__(self, events: Sequence[Event]) -> None:
        self.begun.set()
        await self.go.wait()
        self.stored += len(events)


async def test_stopping_finishes_what_is_under_way(database: Database) -> None:
    twilio, take = TwilioDouble(), Slow()
    async with serving(database, take, twilio=twilio) as served:
        under_way = asyncio.create_task(twilio.text(THEIRS, "hello"))
        await take.begun.wait()
        stopping = asyncio.create_task(served.server.stop(30))
        with pytest.raises(ConnectionRefusedError):
            await connect_until_refused(served.server.port)
        assert not stopping.done()
        take.go.set()
        assert await under_way == [200]
        assert take.stored == 1
        async with asyncio.timeout(30):
            await stopping


async def test_stopping_does_not_wait_for_ever(database: Database) -> None:
    twilio, take = TwilioDouble(), Slow()
    async with serving(database, take, twilio=twilio) as served:
        idle = await asyncio.open_connection("127.0.0.1", served.server.port)
        half = await asyncio.open_connection("127.0.0.1", served.server.port)
        half[1].write(b"POST /channels/twilio/messages HTTP/1.1\r\nHost")
        under_way = asyncio.create_task(twilio.text(THEIRS, "hello"))
        await take.begun.wait()
        async with asyncio.timeout(30):
            await served.server.stop(0.2)
        assert (await under_way)[0] != 200
        idle[1].close()
        half[1].close()
    assert await rows(database) == 0


async def test_a_head_has_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_HEAD_SECONDS", 0.3)
    server = await serve(hello, "127.0.0.1", 0)
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert await raw(server.port) == b"", "nothing was said"
    assert await raw(server.port, *(bytes([byte]) for byte in request), pause=0.1) == b""
    blanks = await raw(server.port, request, *[b"\r\n"] * 8, pause=0.1)
    assert blanks.count(b"hello") == 1, "an old connection is no reason to wait longer"
    slowly = await raw(server.port, request, request, b"GET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n", pause=0.2)
    assert slowly.count(b"hello") == 3, "each request has its own time"
    await server.stop()


async def test_a_head_has_a_size() -> None:
    server = await serve(hello, "127.0.0.1", 0)
    lines = [b"X-%d: %s\r\n" % (number, b"x" * 4000) for number in range(100)]
    answer = await raw(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n", *lines)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"hello" in await raw(server.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await server.stop()


async def test_connections_have_a_number() -> None:
    server = await serve(hello, "127.0.0.1", 0, connections=3)
    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b"200 OK" in await raw(server.port, request)
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
    assert (await raw(server.port, request)).startswith(b"HTTP/1.1 503")
    for _, writer in held:
        writer.close()
    async with asyncio.timeout(30):
        while b"200 OK" not in await raw(server.port, request):
            await asyncio.sleep(0.05)
    await server.stop()
