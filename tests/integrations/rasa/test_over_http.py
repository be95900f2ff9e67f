from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Utterance
from integrations.rasa import HttpActions, InProcessActions, MixedActions

CALL = ActionCall(
    action="",
    key="key-1",
    conversation="c1",
    slots={"plan": "basic"},
    text="secret words",
    now=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    language="en",
    channel="sms",
    domain={"slots": {"plan": {"type": "text"}}},
)

ACTIONS = """
import asyncio
from rasa_sdk import Action, ActionExecutionRejection, FormValidationAction
from rasa_sdk.events import SlotSet

class Ok(Action):
    def name(self): return "action_ok"
    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_ok", amount=3)
        dispatcher.utter_message(text="hello")
        key = tracker.latest_message["metadata"]["idempotency_key"]
        return [SlotSet("seen", [tracker.get_slot("plan"), key, sorted(domain["slots"])])]

class Raises(Action):
    def name(self): return "action_raises"
    async def run(self, dispatcher, tracker, domain): raise ValueError(tracker.latest_message["text"])

class Rejects(Action):
    def name(self): return "action_rejects"
    async def run(self, dispatcher, tracker, domain): raise ActionExecutionRejection("action_rejects", "secret words")

class Slow(Action):
    def name(self): return "action_slow"
    async def run(self, dispatcher, tracker, domain): await asyncio.sleep(30)

class Form(FormValidationAction):
    def name(self): return "validate_size"
    def validate_size(self, value, dispatcher, tracker, domain): return {"size": value * 2}
"""


class Server:
    """A real action server in a process group of its own: sanic serves from a child process."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "actions.py").write_text(ACTIONS)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(self.port)],
            cwd=folder,
            env={**os.environ, "SANIC_HOST": "127.0.0.1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + 40
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    self.kill()
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.kill()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[HttpActions]:
    actions = HttpActions(url, **options)
    try:
        yield actions
    finally:
        await actions.close()


async def failure(actions: HttpActions, name: str) -> ActionFailed:
    with pytest.raises(ActionFailed) as caught:
        await actions.run(replace(CALL, action=name))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


async def test_a_real_server(server: Server) -> None:
    async with connected(f"{server.url}/webhook") as actions:
        assert await actions.refresh() == {"action_ok", "action_raises", "action_rejects", "action_slow", "validate_size"} == actions.names
        for _ in range(2):  # the second time without the domain
            assert await actions.run(replace(CALL, action="action_ok")) == ActionResult(
                slots=(("seen", ["basic", "key-1", ["plan"]]),),
                utterances=(Utterance(response="utter_ok", values={"amount": 3}), Utterance(text="hello")),
            )
        assert (await actions.run(replace(CALL, action="validate_size", candidate=("size", 4)))).slots == (("size", 8),)
        # The server now holds another domain than the one this client sent before: 449, then both once more.
        changed = replace(CALL, action="action_ok", domain={"slots": {"other": {"type": "text"}}})
        async with connected(server.url) as second:
            assert (await second.run(changed)).slots[0][1][2] == ["other"]
        assert (await actions.run(replace(CALL, action="action_ok"))).slots[0][1][2] == ["plan"]
        assert (await failure(actions, "action_raises")).detail == "the action server answered 500"
        assert (await failure(actions, "action_rejects")).kind == "rejected"
        assert (await failure(actions, "action_nobody")).kind == "unknown"


async def test_timeout_of_a_real_server(server: Server) -> None:
    async with connected(server.url, timeout=0.3) as actions:
        started = time.perf_counter()
        assert (await failure(actions, "action_slow")).kind == "timeout"
        assert time.perf_counter() - started < 2.5


async def test_a_server_killed_mid_call_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        async with connected(server.url) as actions:
            await actions.run(replace(CALL, action="action_ok"))
            call = asyncio.create_task(failure(actions, "action_slow"))
            await asyncio.sleep(0.3)
            assert not call.done()
            server.kill()
            assert (await call).kind == "unknown_outcome"
            # And once it is gone, nothing is sent: that one may be tried again. (A connection kept open from before may be found dead
            # only after the request was written on it; there are at most two of those.)
            for _ in range(3):
                failed = await failure(actions, "action_ok")
                if failed.kind == "failed":
                    break
                assert failed.kind == "unknown_outcome"
            assert failed.kind == "failed"
            assert "nothing was sent" in failed.detail
            with pytest.raises(ConnectionError, match=f"127.0.0.1:{server.port}"):
                await actions.refresh()
    finally:
        server.kill()


async def test_mixed_hosts(server: Server, tmp_path: Path) -> None:
    (tmp_path / "actions.py").write_text(
        "from rasa_sdk import Action\nclass A(Action):\n"
        "    def name(self): return 'action_ok'\n    async def run(self, d, t, m): return []\n"
    )
    async with connected(server.url) as remote:
        await remote.refresh()
        with InProcessActions(tmp_path) as local:
            mixed = MixedActions(local, remote)
            assert mixed.names == remote.names
            assert await mixed.run(replace(CALL, action="action_ok")) == ActionResult()
            assert (await mixed.run(replace(CALL, action="validate_size", candidate=("size", 1)))).slots == (("size", 2),)
            with pytest.raises(ActionFailed, match="unknown"):
                await mixed.run(replace(CALL, action="action_nobody"))


Answer = Callable[[dict[str, Any]], tuple[int, bytes] | None]


@asynccontextmanager
async def strange_server(answer: Answer) -> AsyncIterator[str]:
    """A server that says what a real one would never, or only when it is in trouble; for None it trickles on and on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            told = answer(json.loads(await reader.readexactly(length)))
            if told is not None:
                writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (told[0], len(told[1])) + told[1])
                await writer.drain()
            else:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(50):  # every single read is quick, the whole is not
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"secret <html>", "failed"),
        (200, b'"secret"', "failed"),
        (200, b'{"responses": ["secret"]}', "failed"),
        (200, b'{"events": "secret"}', "bad_event"),
        (200, b'{"events": [{"event": "secret words"}]}', "bad_event"),
        (200, b'{"events": [{"event": "slot", "name": "a", "value": NaN}]}', "bad_event"),
        (200, b"\xff\xfe", "failed"),
        (302, b"", "failed"),
        (400, b"secret", "rejected"),
        (404, b"secret", "unknown"),
        (449, b"secret", "failed"),
        (500, b'{"error": "secret", "request_body": {}}', "failed"),
        (503, b"secret", "failed"),
    ],
)
async def test_strange_answers(status: int, body: bytes, kind: str) -> None:
    async with strange_server(lambda _: (status, body)) as url, connected(url) as actions:
        failed = await failure(actions, "action_a")
        assert failed.kind == kind


async def test_null_and_empty_answers() -> None:
    for body in (b"null", b"{}", b'{"events": null, "responses": null}'):
        async with strange_server(lambda _, body=body: (200, body)) as url, connected(url) as actions:  # type: ignore[misc]
            assert await actions.run(replace(CALL, action="action_a")) == ActionResult()


async def test_the_time_limit_is_for_the_whole_call() -> None:
    async with strange_server(lambda _: None) as url, connected(url, timeout=0.3) as actions:
        started = time.perf_counter()
        assert (await failure(actions, "action_a")).kind == "timeout"
        assert time.perf_counter() - started < 2.5


async def test_what_goes_over_the_wire() -> None:
    seen: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> tuple[int, bytes]:
        seen.append(body)
        return (449, b"{}") if len(seen) == 3 else (200, b"null")

    async with strange_server(answer) as url, connected(url) as actions:
        for _ in range(3):
            await actions.run(replace(CALL, action="action_a"))
    assert [("domain" in body) for body in seen] == [True, False, False, True]
    first = seen[0]
    assert set(first) == {"next_action", "sender_id", "tracker", "domain", "domain_digest", "version"}
    assert (first["next_action"], first["sender_id"], first["tracker"]["sender_id"]) == ("action_a", "c1", "c1")
    assert first["domain"] == CALL.domain
    assert {body["domain_digest"] for body in seen} == {first["domain_digest"]}


async def test_a_call_that_is_not_json_is_never_sent() -> None:
    async with strange_server(lambda _: (200, b"null")) as url, connected(url) as actions:
        for slots in ({"a": object()}, {"a": float("nan")}):
            with pytest.raises(ActionFailed, match="failed: the call holds a value that is not JSON"):
                await actions.run(replace(CALL, action="action_a", slots=slots))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "ftp://127.0.0.1"])
async def test_a_server_that_is_not_there(url: str) -> None:
    async with connected(url) as actions:
        assert (await failure(actions, "action_a")).kind == "failed"
        with pytest.raises(ConnectionError):
            await actions.refresh()
