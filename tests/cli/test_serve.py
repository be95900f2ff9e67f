"""`switchboard serve`, `worker`, `phone` and the commands for operators: real processes, real HTTP, signed webhooks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.testing.doubles.twilio import TwilioDouble

ROOT = Path(__file__).resolve().parents[2]
CUSTOMER = "+12025550101"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    done = run(tmp_path, "new", "bot")
    assert done.returncode == 0, done.stderr
    settings = tmp_path / "bot" / "switchboard.yml"
    settings.write_text(settings.read_text() + "\nmessaging: {burst_seconds: 0}\n")
    return tmp_path / "bot"


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "SWITCHBOARD_", "SMPP_"))}
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


def run(folder: Path, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot.cli", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**more), input=stdin, capture_output=True, text=True, timeout=100, check=False
    )


class Process:
    """One that runs until the test ends."""

    def __init__(self, folder: Path, *arguments: str, **more: str) -> None:
        self.log = folder / f"{'-'.join(arguments[:1])}-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", *arguments], cwd=folder, env=environment(**more), stdout=log, stderr=log
            )

    def stop(self) -> int:
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(40)

    def end(self) -> None:
        if self.running.poll() is None:
            self.running.kill()
            self.running.wait(10)


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for process in started:
        process.end()


async def ready(port: int, process: Process) -> None:
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(60):
        while True:
            assert process.running.poll() is None, process.log.read_text()
            try:
                if (await http.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


@asynccontextmanager
async def carrier(port: int) -> AsyncIterator[TwilioDouble]:
    async with TwilioDouble(public_base_url=f"http://127.0.0.1:{port}") as twilio:
        yield twilio


async def answers(twilio: TwilioDouble, count: int, customer: str = CUSTOMER) -> list[str]:
    async with asyncio.timeout(60):
        while len(found := twilio.sent_to(customer)) < count:
            await asyncio.sleep(0.1)
    return [message.body for message in found]


async def test_a_server_on_sqlite_answers_and_drains(project: Path, tmp_path: Path, processes: list[Process]) -> None:
    port = free_port()
    async with carrier(port) as twilio:
        server = Process(tmp_path, "serve", str(project), "--port", str(port), **twilio.environment())
        processes.append(server)
        await ready(port, server)
        assert await twilio.text(CUSTOMER, "I need more data", copies=2) == [200, 200]
        assert "How much data" in (await answers(twilio, 1))[0]
        async with httpx.AsyncClient(trust_env=False) as http:
            forged = await http.post(f"http://127.0.0.1:{port}/channels/twilio/messages", data={"Body": "hi"})
            assert forged.status_code == 403
            metrics = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert "switchboard_turn_total 1.0" in metrics
        assert server.stop() == 0
        assert twilio.caller.alerts == []
        log = server.log.read_text()
        assert '"event": "stopped"' in log
        assert CUSTOMER[1:] not in log, "no numbers in logs"
        assert "more data" not in log

    exported = run(tmp_path, "customer", "export", CUSTOMER)
    tables = json.loads(exported.stdout)["tables"]
    assert [len(tables[name]) for name in ("conversation", "inbox", "outbox")] == [1, 1, 1]
    assert "more data" in exported.stdout
    erased = run(tmp_path, "customer", "erase", CUSTOMER, "--yes")
    assert "1 conversation" in erased.stdout
    assert json.loads(run(tmp_path, "customer", "export", CUSTOMER).stdout)["tables"]["inbox"] == []
    assert run(tmp_path, "dead-letters").stdout == "no dead letters\n"


async def test_the_telephone_talks_to_the_server(project: Path, tmp_path: Path, processes: list[Process]) -> None:
    port, api = free_port(), free_port()
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "a" * 32,
        "TWILIO_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{api}",
    }
    server = Process(tmp_path, "serve", str(project), "--port", str(port), **account)
    processes.append(server)
    await ready(port, server)
    script = "I need more data\n/off\nhello again\n/on\nSTOP\n"
    talk = await asyncio.to_thread(run, tmp_path, "phone", "--server", f"http://127.0.0.1:{port}", stdin=script, **account)
    assert talk.returncode == 0, talk.stderr
    lines = talk.stdout.splitlines()
    assert lines[0] == "> I need more data"
    assert lines[1].startswith("< How much data")
    assert any("unsubscribed" in line for line in lines)
    other = await asyncio.to_thread(run, tmp_path, "phone", "--server", "http://127.0.0.1:1", "--api-port", str(free_port()), stdin="hi\n")
    assert "nobody answers" in other.stdout


def test_what_cannot_be_served_is_told(project: Path, tmp_path: Path) -> None:
    outside = run(tmp_path, "serve", str(project), "--host", "0.0.0.0")
    assert (outside.returncode, "simulated account is for this machine only" in outside.stderr) == (2, True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = run(tmp_path, "serve", str(project), "--port", str(taken.getsockname()[1]))
    assert (busy.returncode, "port-in-use" in busy.stderr) == (2, True)
    missing = run(tmp_path, "serve", str(project), TWILIO_ACCOUNT_SID="AC" + "1" * 32)
    assert missing.returncode == 2
    assert "TWILIO_AUTH_TOKEN is not set" in missing.stderr
    assert "need PostgreSQL" in run(tmp_path, "worker", str(project)).stderr
    wrong = run(tmp_path, "serve", str(project), SWITCHBOARD_PORT="eighty")
    assert (wrong.returncode, "SWITCHBOARD_PORT" in wrong.stderr) == (2, True)
    unreachable = run(tmp_path, "migrate", "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert (unreachable.returncode, "does not answer" in unreachable.stderr) == (2, True)


async def test_one_process_serves_sqlite(project: Path, tmp_path: Path, processes: list[Process]) -> None:
    port = free_port()
    first = Process(tmp_path, "serve", str(project), "--port", str(port))
    processes.append(first)
    await ready(port, first)
    second = await asyncio.to_thread(run, tmp_path, "serve", str(project), "--port", str(free_port()))
    assert (second.returncode, "another process serves" in second.stderr) == (2, True)
    assert first.stop() == 0


async def test_web_and_workers_on_postgresql(
    project: Path, tmp_path: Path, processes: list[Process], engine: object, request: pytest.FixtureRequest
) -> None:
    if getattr(getattr(engine, "dialect", None), "name", "") != "postgresql":
        pytest.skip("of PostgreSQL only: several processes")
    url = request.getfixturevalue("postgres_url")
    port = free_port()
    async with carrier(port) as twilio:
        told = {**twilio.environment(TWILIO_SETTLING_SECONDS="1"), "SWITCHBOARD_DATABASE_URL": url}
        early = await asyncio.to_thread(run, tmp_path, "serve", str(project), "--port", str(port), **told)
        assert (early.returncode, "switchboard migrate" in early.stderr) == (2, True)
        assert (await asyncio.to_thread(run, tmp_path, "migrate", **told)).returncode == 0
        web = Process(tmp_path, "serve", str(project), "--port", str(port), **told)
        workers = [Process(tmp_path, "worker", str(project), **told) for _ in range(2)]
        processes += [web, *workers]
        await ready(port, web)
        assert await twilio.text(CUSTOMER, "I need more data") == [200]
        assert "How much data" in (await answers(twilio, 1))[0]
        workers[0].running.kill()
        assert await twilio.text(CUSTOMER, "5") == [200]
        assert len(await answers(twilio, 2)) == 2
        assert [process.stop() for process in (web, workers[1])] == [0, 0]
