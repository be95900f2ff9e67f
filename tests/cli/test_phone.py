"""`switchboard phone` as a process: against a small server that verifies signatures and answers through the carrier's API."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channels import Address, Consent, ConversationKey, HttpRequest, MediaFile, Outbound, Receipt, UserMessage
from bot.cli.failures import UsageError
from bot.cli.phone.account import account
from bot.testing.doubles.http_server import Request, Response, Server
from integrations.twilio import TwilioChannel, open_channel
from integrations.twilio.simulated import simulated_settings

ROOT = Path(__file__).resolve().parents[2]
ME, OTHER, OURS = "+12025550101", "+12025550102", "+12025550100"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class EchoBot:
    """Answers `you said: ...` once to each message, by its event id; keeps what it was told. `refuse` answers webhooks instead."""

    port: int
    api_port: int
    refuse: list[int] = field(default_factory=list)
    told: list[UserMessage | Consent | Receipt] = field(default_factory=list)
    files: list[MediaFile] = field(default_factory=list)
    reply: Callable[[str], str] = lambda text: f"you said: {text}"
    channel: TwilioChannel | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, request: Request) -> Response:
        assert self.channel is not None
        found = self.channel.receive(HttpRequest(request.method, request.target, request.headers, request.body, datetime.now(UTC)))
        if found.reply.status == 200 and self.refuse and request.path.endswith("messages"):
            return Response(self.refuse.pop(0))
        known = {event.event_id for event in self.told}
        for event in found.events:
            self.told.append(event)
            if isinstance(event, UserMessage) and event.event_id not in known:
                task = asyncio.create_task(self.answer(event))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        return Response(found.reply.status, found.reply.body, found.reply.content_type)

    async def answer(self, event: UserMessage) -> None:
        assert self.channel is not None
        for link in event.media:
            self.files.append(await self.channel.fetch(link))
        await self.say(event, self.reply(event.text))

    async def say(self, event: UserMessage, text: str) -> None:
        assert self.channel is not None
        for payload in self.channel.render(event.key, Outbound(f"{event.event_id}/answer", text)):
            await self.channel.send(event.key, payload)

    @property
    def messages(self) -> list[UserMessage]:
        return [event for event in self.told if isinstance(event, UserMessage)]

    def receipts(self, customer: str = ME) -> list[str]:
        return [event.status.word for event in self.told if isinstance(event, Receipt) and event.key.customer.value == customer]


@asynccontextmanager
async def listening(bot: EchoBot) -> AsyncIterator[EchoBot]:
    settings = simulated_settings(f"http://127.0.0.1:{bot.port}", f"http://127.0.0.1:{bot.api_port}")
    async with open_channel(settings, trust_env=False) as channel, Server(bot, port=bot.port):
        bot.channel = channel
        yield bot


@pytest.fixture
async def bot() -> AsyncIterator[EchoBot]:
    async with listening(EchoBot(free_port(), free_port())) as running:
        yield running


def command(bot: EchoBot, *more: str) -> list[str]:
    ports = ("--server", f"http://127.0.0.1:{bot.port}", "--api-port", str(bot.api_port))
    return [sys.executable, "-m", "bot.cli", "phone", *ports, *more]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


async def script(bot: EchoBot, text: str, *more: str, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """What a piped telephone answered: its exit status and its lines."""
    process = await asyncio.create_subprocess_exec(
        *command(bot, *more),
        env=environment(**(env or {})),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(text.encode()), 100)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines()


async def test_a_script_is_a_conversation(bot: EchoBot) -> None:
    status, lines = await script(bot, "hi\n\n안녕하세요, 요금이요\nbye")
    assert lines == ["> hi", "< you said: hi", "> 안녕하세요, 요금이요", "< you said: 안녕하세요, 요금이요", "> bye", "< you said: bye"]
    assert status == 0
    assert [message.text for message in bot.messages] == ["hi", "안녕하세요, 요금이요", "bye"]
    assert bot.receipts() == ["sent", "delivered"] * 3, "the last ones too, before it ends"


async def test_a_second_telephone_is_not_taken_for_the_first(bot: EchoBot) -> None:
    """A server remembers event ids: the same message of another run is another message."""
    for _ in range(2):
        assert (await script(bot, "hi\n"))[1] == ["> hi", "< you said: hi"]
    assert len({message.event_id for message in bot.messages}) == 2


async def test_a_long_answer_comes_in_order(bot: EchoBot) -> None:
    bot.reply = lambda _: "A sentence of the answer. " * 60
    _, lines = await script(bot, "tell me all\n")
    assert len(lines) == 5
    assert " ".join(line.removeprefix("< ") for line in lines[1:]) == ("A sentence of the answer. " * 60).strip()


async def test_offline_messages_wait_and_receipts_tell_so(bot: EchoBot) -> None:
    _, lines = await script(bot, f"hi\n/as {OTHER}\n/offline\none\n/as {ME}\nagain\n/as {OTHER}\n/online\n")
    assert lines.index("> one") < lines.index("> again") < lines.index("< you said: again") < lines.index("< you said: one")
    assert [(message.key.customer.value, message.text) for message in bot.messages] == [(ME, "hi"), (ME, "again"), (OTHER, "one")]
    assert bot.receipts(OTHER) == ["sent", "delivered"]


async def test_an_answer_meanwhile_waits_at_the_carrier(bot: EchoBot) -> None:
    """To a SIM that is off, and to one that is in no telephone."""
    asked = asyncio.create_task(script(bot, "/slow\nhi\n/offline\n/slow\n/online\nbye\n"))
    async with asyncio.timeout(60):
        while not bot.messages:
            await asyncio.sleep(0.05)
    key = ConversationKey("twilio", Address("tel", OURS), Address("tel", OTHER))
    stranger = UserMessage(key, "x", datetime.now(UTC), {}, "")
    await bot.say(stranger, "to a stranger")
    status, lines = await asked
    assert status == 0
    assert any(OTHER in line and f"/as {OTHER}" in line for line in lines)
    assert not any("to a stranger" in line for line in lines)
    assert bot.receipts(OTHER) == ["sent"]
    assert lines.index("> hi") < lines.index("< you said: hi") < lines.index("< you said: bye")


async def test_told_twice_is_answered_once(bot: EchoBot) -> None:
    _, lines = await script(bot, "/duplicate\nhi\nbye\n")
    assert [line for line in lines if line[0] == "<"] == ["< you said: hi", "< you said: bye"]
    ids = [message.event_id for message in bot.messages]
    assert (len(ids), len(set(ids))) == (3, 2)


async def test_late_receipts_come_backwards(bot: EchoBot) -> None:
    await script(bot, "/late\nhi\n")
    assert bot.receipts() == ["delivered", "sent"]


async def test_failures_on_demand(bot: EchoBot) -> None:
    _, lines = await script(bot, "/fail 21610\nhi\n/fail 30003\nagain\n/fail nonsense\n")
    assert any("21610: Attempt to send to unsubscribed recipient" in line for line in lines)
    assert any("did not arrive (30003)" in line for line in lines)
    assert any("/fail takes" in line for line in lines)
    assert not any(line.startswith("<") for line in lines)
    assert bot.receipts() == ["sent", "undelivered"]


async def test_stop_is_the_providers_to_answer(bot: EchoBot) -> None:
    _, lines = await script(bot, "STOP\n")
    assert lines[1].startswith("< (from the carrier) You have successfully been unsubscribed")
    assert [type(event) for event in bot.told] == [Consent]


async def test_a_picture_is_sent_and_can_be_fetched(bot: EchoBot, tmp_path: Path) -> None:
    (tmp_path / "my receipt.png").write_bytes(PNG)
    _, lines = await script(bot, f'/photo "{tmp_path / "my receipt.png"}" look here\n/photo {tmp_path / "none.png"}\n')
    assert lines[:3] == ["> look here", "  [file] my receipt.png", "< you said: look here"]
    assert "No such file" in lines[3]
    assert [(file.content, file.content_type) for file in bot.files] == [(PNG, "image/png")]


async def test_what_the_server_refuses_is_told_and_can_be_sent_again(bot: EchoBot) -> None:
    bot.refuse = [403]
    status, lines = await script(bot, "hi\n/resend\n")
    assert status == 1
    assert lines[0] == "> hi"
    assert "signature (403)" in lines[1]
    assert lines[-1] == "< you said: hi"


async def test_what_the_server_cannot_store_is_told_again_as_the_same(bot: EchoBot) -> None:
    bot.refuse = [503, 503]
    status, lines = await script(bot, "hi\n")
    assert status == 0
    assert "could not store it (503)" in lines[1]
    assert lines[-1] == "< you said: hi"
    assert len(bot.messages) == 1


async def test_a_server_that_comes_late_gets_what_was_written() -> None:
    late = EchoBot(free_port(), free_port())
    talking = asyncio.create_task(script(late, "hi\nbye\n"))
    await asyncio.sleep(3)
    async with listening(late):
        status, lines = await talking
    assert status == 0
    assert "nobody answers" in lines[1]
    assert [line for line in lines if line[0] in "<>"] == ["> hi", "< you said: hi", "> bye", "< you said: bye"]


async def test_a_server_that_never_comes_is_given_up() -> None:
    status, lines = await script(EchoBot(free_port(), free_port()), "hi\nbye\n")
    assert status == 1
    assert "switchboard serve" in lines[1]
    assert "> bye" not in lines, "nobody would hear it"
    assert "never sent" in lines[-1]


async def test_an_account_from_the_environment(bot: EchoBot) -> None:
    base = f"http://127.0.0.1:{bot.port}"
    env = {
        "TWILIO_ACCOUNT_SID": "AC" + "7" * 32,
        "TWILIO_AUTH_TOKEN": "t" * 32,
        "TWILIO_PUBLIC_BASE_URL": "https://bot.example",
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{free_port()}",
    }
    assert bot.channel is not None
    bot.channel.settings = account(env, base, 1)
    bot.channel.rest.settings = bot.channel.settings
    assert (await script(bot, "hi\n", env=env))[1] == ["> hi", "< you said: hi"]


def test_accounts() -> None:
    simulated = account({}, "http://localhost:9000", 8091)
    assert (simulated.public_base_url, simulated.api_base_url) == ("http://127.0.0.1:9000", "http://127.0.0.1:8091")
    real = {"TWILIO_ACCOUNT_SID": "AC" + "7" * 32, "TWILIO_AUTH_TOKEN": "t", "TWILIO_PUBLIC_BASE_URL": "https://bot.example"}
    with pytest.raises(UsageError, match="sends to Twilio itself"):
        account(real, "http://127.0.0.1:8080", 8090)
    with pytest.raises(UsageError, match="TWILIO_AUTH_TOKEN is not set"):
        account({"TWILIO_ACCOUNT_SID": "AC" + "7" * 32}, "http://127.0.0.1:8080", 8090)
    for server in ("https://bot.example", "127.0.0.1:8080", "http://192.0.2.1:8080"):
        with pytest.raises(UsageError, match="a server on this machine"):
            account({}, server, 8090)


async def test_what_cannot_be_is_one_line(bot: EchoBot) -> None:
    status, lines = await script(bot, "", "--as", "555-0101")
    assert (status, "a number begins with +" in lines[0], len(lines)) == (2, True, 1)
    async with Server(bot, port=bot.api_port):
        status, lines = await script(bot, "hi\n")
    assert (status, "--api-port" in lines[0], len(lines)) == (2, True, 1)


# -- in a terminal ---------------------------------------------------------------------------------------------------------------


class Terminal:
    """A pseudo-terminal with a telephone in it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.output = b""
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            octets = os.read(self.descriptor, 65536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self.descriptor)
            return
        self.output += octets
        for _ in range(octets.count(b"\x1b[6n")):  # where is the cursor?
            self.type("\x1b[1;1R")

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    @property
    def text(self) -> str:
        """Without colours and movements."""
        return re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[=>])", "", self.output.decode(errors="replace")).replace("\r", "")

    async def until(self, pattern: str, since: int = 0) -> int:
        """Waits for it; where it ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                while not (found := re.compile(pattern).search(self.text, since)):
                    await asyncio.sleep(0.05)
                return found.end()
        raise AssertionError(f"{pattern!r} did not come; there is {self.text[since:]!r}")


@asynccontextmanager
async def terminal(bot: EchoBot) -> AsyncIterator[tuple[Terminal, asyncio.subprocess.Process]]:
    pytest.importorskip("prompt_toolkit")
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    mine, theirs = pty.openpty()
    termios.tcsetwinsize(mine, (40, 120))
    env = environment(
        TERM="xterm-256color",
    )
    process = await asyncio.create_subprocess_exec(
        *command(bot), env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Terminal(mine), process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(mine)
        os.close(mine)


async def test_typing_goes_on_while_messages_arrive(bot: EchoBot) -> None:
    async with terminal(bot) as (screen, process):
        await screen.until("texts")
        screen.type("hi\r")
        end = await screen.until(r"> hi  ✓✓")
        end = await screen.until(r"< you said: hi  ✓✓", end)
        screen.type("나는 반쯤 쓴")
        end = await screen.until("나는 반쯤 쓴", end)
        (message,) = bot.messages
        await bot.say(message, "by the way")
        end = await screen.until(r"< by the way  ✓✓", end)
        end = await screen.until(r"> 나는 반쯤 쓴", end)  # drawn again below, whole
        screen.type(" 문장\r")
        await screen.until(r"< you said: 나는 반쯤 쓴 문장  ✓✓", end)
        assert [message.text for message in bot.messages] == ["hi", "나는 반쯤 쓴 문장"]
        screen.type("/quit\r")
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_in_a_terminal_what_was_written_is_kept_until_the_server_comes() -> None:
    late = EchoBot(free_port(), free_port())
    async with terminal(late) as (screen, process):
        await screen.until("texts")
        screen.type("hi\r")
        end = await screen.until("nobody answers")
        await screen.until("1 to send", end)
        async with listening(late):
            end = await screen.until("The server answers again", end)
            await screen.until("✓✓ 'hi'", end)
            await screen.until("< you said: hi", end)
            screen.type("\x04")  # the end of the input
            assert await asyncio.wait_for(process.wait(), 30) == 0
