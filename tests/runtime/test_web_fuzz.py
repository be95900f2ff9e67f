"""What anybody on the internet may send: never an error of ours, never a row without a signature.

A few hundred requests of each kind by default; `SWITCHBOARD_FUZZ=10000` for as many as that.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.conversations import Database, connect, migrate
from bot.runtime.web import WebhookLimits
from bot.testing.doubles.twilio import Caller, TwilioDouble
from tests.runtime.serving import MESSAGES, STATUS, Served, reception, rows, serving

EXAMPLES = int(os.environ.get("SWITCHBOARD_FUZZ", "300"))
T = TypeVar("T")

pytestmark = pytest.mark.timeout(max(120, EXAMPLES // 5))

many = settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), print_blob=True
)


@dataclass
class Running:
    """A server in a thread of its own, for tests that do not run in a loop."""

    served: Served
    loop: asyncio.AbstractEventLoop
    database: Database

    def rows(self) -> int:
        return asyncio.run_coroutine_threadsafe(rows(self.database), self.loop).result(30)

    def statuses(self) -> dict[int, int]:
        """How many webhooks were answered how."""
        lines = self.served.log()
        return {status: sum(line["status"] == status for line in lines) for status in {line["status"] for line in lines}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    ready: list[Running] = []
    begun, over = threading.Event(), threading.Event()

    async def serve() -> None:
        engine = connect(f"sqlite:///{folder}/fuzz.db")
        await migrate(engine)
        database = Database(engine)
        async with serving(database, reception(database), limits=WebhookLimits(read=1.0)) as served:
            ready.append(Running(served, asyncio.get_running_loop(), database))
            begun.set()
            await asyncio.to_thread(over.wait)
        await engine.dispose()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait(60)
    try:
        yield ready[0]
    finally:
        over.set()
        thread.join(60)


def ask(running: Running, method: str, target: str, headers: list[tuple[str, bytes]], body: bytes) -> int:
    """The status of the answer; 0 when the server hung up without one, which it may on what is no HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", running.served.server.port, timeout=30)
    try:
        lines = [f"{method} {target} HTTP/1.1".encode("latin-1", "replace"), b"Host: bot.example", b"Connection: close"]
        lines += [name.encode("latin-1") + b": " + value for name, value in headers]
        with suppress(ConnectionError):
            connection.connect()
            connection.sock.sendall(b"\r\n".join((*lines, b"", b"")) + body)
        with suppress(ConnectionError, http.client.HTTPException):
            answer = http.client.HTTPResponse(connection.sock, method=method)
            answer.begin()
            answer.read()
            return answer.status
        return 0
    finally:
        connection.close()


values = st.binary(max_size=60).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"")) | st.sampled_from(
    [b"application/x-www-form-urlencoded", b"application/json", b"multipart/form-data; boundary=x", b"text/plain", b"gzip", b"chunked", b"-1",
     b"99999999999999999999", b"key=SK,algorithm=HMAC_SHA256", b"key=,algorithm=NONE", b"100-continue", b"websocket"]
)  # fmt: skip
names = st.sampled_from(
    ["Content-Type", "X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings", "Content-Length", "Transfer-Encoding", "Content-Encoding",
     "Expect", "Upgrade", "X-Forwarded-Host", "Cookie", "X-HTTP-Method-Override"]
) | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1, max_size=20)  # fmt: skip
parts = st.text(max_size=30) | st.sampled_from(
    ["Body", "From", "To", "MessageSid", "NumMedia", "MessageStatus", "+12025550101", "SM" + "a" * 32]
)
forms = st.lists(st.tuples(parts, parts), max_size=20).map(lambda form: urlencode(form, errors="surrogatepass").encode())
bodies = st.binary(max_size=300) | forms | st.just(b"a=1&" * 20_000)
targets = st.tuples(
    st.sampled_from([MESSAGES, STATUS, "/health/live", "/metrics", "*", "http://bot.example" + MESSAGES, ""]),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
).map("".join)


@many
@given(
    st.sampled_from(["POST", "GET", "PUT", "HEAD", "OPTIONS", "CONNECT", "PRI", "post", "\x00"]),
    targets,
    st.lists(st.tuples(names, values), max_size=6),
    bodies,
    st.booleans(),
)
def test_malformed_requests(
    running: Running, method: str, target: str, headers: list[tuple[str, bytes]], body: bytes, measured: bool
) -> None:
    if measured:
        headers = [*headers, ("Content-Length", str(len(body)).encode())]
    else:
        body += b"\r\n\r\n"
        headers = [*headers, ("Content-Length", b"0")] if not any(name == "Content-Length" for name, _ in headers) else headers
        headers = [(name, value if name != "Content-Length" else value[:1] or b"0") for name, value in headers]
    assert ask(running, method, target, headers, body[: 1 << 20]) < 500
    assert running.rows() == 0


proper = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), max_size=60).map(
    lambda text: text.encode("latin-1")
)
tokens = st.text("abcXYZ019-_.!#$%&'*+^`|~", min_size=1, max_size=20).map(lambda name: "X-" + name)


@many
@given(
    st.sampled_from(["POST"] * 6 + ["GET", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE"]),
    st.sampled_from([MESSAGES, STATUS, MESSAGES + "/", "//", "/%2e%2e/"]),
    st.text(max_size=20).map(quote) | st.text("abc=&%+?/:@!$'()*,;", max_size=20),
    st.lists(st.tuples(st.sampled_from(["X-Twilio-Signature", "Content-Type", "Accept", "Cookie"]) | tokens, proper), max_size=6),
    st.sampled_from([b"application/x-www-form-urlencoded", b"APPLICATION/X-WWW-FORM-URLENCODED ; charset=\xff", b"application/json", b""]),
    bodies,
)
def test_proper_requests_with_odd_contents(
    running: Running, method: str, path: str, query: str, headers: list[tuple[str, bytes]], content_type: bytes, body: bytes
) -> None:
    headers = [("Content-Type", content_type), *headers, ("Content-Length", str(len(body)).encode())]
    assert 400 <= ask(running, method, f"{path}?{query}" if query else path, headers, body) < 500
    assert running.rows() == 0


@many
@given(
    st.lists(st.tuples(parts, parts), max_size=20),
    st.sampled_from([MESSAGES, STATUS]),
    st.sampled_from(["", "0" * 32, "0" * 31 + "A", "token"]),
    st.sampled_from(["https://bot.example", "http://bot.example", "https://evil.example"]),
    st.none() | st.just(("SK1", "secret")),
)
def test_forged_webhooks(
    running: Running, form: list[tuple[str, str]], path: str, token: str, base: str, key: tuple[str, str] | None
) -> None:
    fields = {
        "To": "+12025550100",
        "From": "+12025550101",
        "MessageSid": "SM" + "b" * 32,
        "MessageStatus": "sent",
        "NumMedia": "0",
        "Body": "",
    }
    signed = Caller(token, base, shared_key=key).sign(base + path, [*fields.items(), *form])
    headers = [(name, value.encode("latin-1")) for name, value in signed.headers.items()]
    headers.append(("Content-Length", str(len(signed.body)).encode()))
    assert ask(running, "POST", path, headers, signed.body) == 403
    assert running.rows() == 0


@many
@given(st.lists(st.tuples(parts, parts), max_size=20, unique=True), st.sampled_from([MESSAGES, STATUS]), st.binary(max_size=30))
def test_signed_webhooks_with_odd_fields(running: Running, form: list[tuple[str, str]], path: str, more: bytes) -> None:
    """A provider may add or leave out what it likes: we cannot read it, which is no error of ours."""
    signed = TwilioDouble().caller.sign(f"https://bot.example{path}?a={quote(more)}", form)
    headers = [(name, value.encode()) for name, value in signed.headers.items()]
    headers.append(("Content-Length", str(len(signed.body)).encode()))
    assert ask(running, "POST", signed.target, headers, signed.body) in (200, 400)


def test_true_webhooks_get_through_all_the_same(running: Running) -> None:
    """That nothing was stored above is worth something only if something can be."""
    before = running.rows()
    signed = TwilioDouble().inbound("+12025550101", "hello")
    headers = [*((name, value.encode()) for name, value in signed.headers.items()), ("Content-Length", str(len(signed.body)).encode())]
    assert ask(running, "POST", signed.target, headers, signed.body) == 200
    assert running.rows() == before + 1


def operations(url: str) -> list[Any]:
    schemathesis = pytest.importorskip("schemathesis", reason="no schemathesis: pip install schemathesis")
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    return [result.ok() for result in schema.get_all_operations()]


def test_the_description_holds_for_whatever_follows_it_or_does_not(running: Running) -> None:
    found = operations(running.served.url)
    assert len(found) == 5
    before = running.rows()
    for operation in found:
        calls = _calls(operation, EXAMPLES // 2)
        calls()
    assert running.rows() == before
    assert not [status for status in running.statuses() if status >= 500]


def _calls(operation: Any, count: int) -> Callable[[], None]:
    from schemathesis import GenerationMode

    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))

    @settings(many, max_examples=count)
    @given(cases)
    def calls(case: Any) -> None:
        case.call_and_validate(timeout=30)

    return calls
