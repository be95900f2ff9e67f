"""`switchboard phone`: a telephone in the terminal. It texts a running server through a simulated carrier, over the provider's protocol:
signed webhooks one way, the provider's REST API and delivery receipts the other."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from bot.channels.simulator import Handset, Shown

from .failures import UsageError

if TYPE_CHECKING:
    from bot.testing.doubles.twilio import TwilioDouble
    from bot.testing.doubles.twilio.messages import Message

HELP = """/as NUMBER      another SIM card, e.g. /as +12025550102
/photo URL      send a picture
/off, /on       switch the telephone off and on: messages wait at the carrier
/twice          the next message is told to the server twice, as carriers do
/fail CODE      the carrier refuses the server's next message, e.g. /fail 21610
/quit           end"""
_CARRIER_SAYS = {
    "stop": "(from the carrier) You have been unsubscribed. Reply START to resubscribe.",
    "start": "(from the carrier) You have been resubscribed. Reply STOP to unsubscribe.",
    "help": "(from the carrier) Reply STOP to unsubscribe. Message and data rates may apply.",
}
_QUIET = 2.5  # seconds without a new message after which a script goes on
_LONGEST = 20.0


def run(number: str, server: str, api_port: int, business: str) -> int:
    """Talks until /quit or the end of the input. Raises UsageError when its port is taken."""
    from bot.testing.doubles.twilio import TwilioDouble
    from integrations.twilio import simulated

    account, token = simulated.ACCOUNT_SID, simulated.AUTH_TOKEN
    own_api = urlsplit(os.environ.get("TWILIO_API_BASE_URL", ""))
    if own_api.hostname in ("127.0.0.1", "localhost") and os.environ.get("TWILIO_ACCOUNT_SID"):  # a server told to use a carrier here
        account, token = os.environ["TWILIO_ACCOUNT_SID"], os.environ.get("TWILIO_AUTH_TOKEN", token)
        api_port = own_api.port or api_port
    public = os.environ.get("TWILIO_PUBLIC_BASE_URL", server).rstrip("/")
    double = TwilioDouble(
        account=account,
        token=token,
        senders=(business,),
        public_base_url=public,
        connect_to=server.rstrip("/") if public != server.rstrip("/") else "",
        port=api_port,
    )
    try:
        return asyncio.run(_Phone(double, Handset(number), business).run())
    except OSError as error:
        if error.errno is None or "address" not in str(error).lower():
            raise
        raise UsageError(
            f"port {api_port} is taken, perhaps by another `switchboard phone`: end it, or choose one with --api-port"
        ) from None


@dataclass(slots=True)
class _Phone:
    carrier: TwilioDouble
    handset: Handset
    business: str
    console: Console = field(default_factory=lambda: Console(highlight=False))
    last: float = 0.0
    twice: bool = False
    prompt: str = ""
    known_answers: int = 0
    answered: bool = False
    tasks: set[asyncio.Task[object]] = field(default_factory=set)

    async def run(self) -> int:
        self.carrier.on_message = self._got
        async with self.carrier:
            if sys.stdin.isatty():
                self.console.print(Text(f"{self.handset.number} texts {self.business}. /help shows what else you can do.", style="dim"))
                self.prompt = "> "
            lines = _lines(self.prompt)
            while (line := await lines.get()) is not None:
                if line.strip() == "/quit":
                    break
                await self._do(line)
                if not self.prompt and (not line.startswith("/") or line.startswith("/photo")):
                    await self._until_quiet()
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=5)
        return 0

    async def _do(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                return
            case "/help":
                self._say(Text(HELP, style="dim"))
            case "/as" if rest:
                self.handset = Handset(rest.strip())
                self._say(Text(f"You are {self.handset.number} now.", style="dim"))
            case "/off":
                self.handset = self.handset.switched_off()
                self._say(Text("Off. Messages wait at the carrier.", style="dim"))
            case "/on":
                self.handset, arrived = self.handset.switched_on()
                for sid, message in arrived:
                    self._show(message)
                    self._receipts(sid, "delivered")
            case "/twice":
                self.twice = True
            case "/fail":
                from bot.testing.doubles.twilio import Fault

                self.carrier.fail(Fault.REFUSE, code=int(rest) if rest.strip().isdigit() else 30008)
                self._say(Text("The carrier will refuse the server's next message.", style="dim"))
            case "/photo" if rest:
                await self._send("", photo=rest.strip())
            case _:
                await self._send(line)

    async def _send(self, text: str, photo: str = "") -> None:
        more = {"NumMedia": "1", "MediaUrl0": photo, "MediaContentType0": "image/jpeg"} if photo else {}
        request = self.carrier.inbound(self.handset.number, text, to=self.business, **more)
        status = await self.carrier.caller.call(request)
        if self.twice:
            self.twice = False
            await self.carrier.caller.call(request)
        self.last = monotonic()
        self.handset = self.handset.wrote(text, datetime.now().astimezone(), arrived=status == 200, media=(photo,) if photo else ())
        if not self.prompt:
            self._show(self.handset.shown[-1])
        for customer, kind in self.carrier.auto_replies[self.known_answers :]:
            if customer == self.handset.number:
                self._say(Text(f"< {_CARRIER_SAYS[kind]}", style="bright_cyan dim"))
                self.answered = True
        self.known_answers = len(self.carrier.auto_replies)
        if status != 200:
            self._say(Text(f"  not delivered: {_reason(status, self.carrier.public_base_url)}", style="red"))

    def _got(self, message: Message) -> None:
        """The server handed the carrier a message."""
        if message.to != self.handset.number:
            return
        self.last = monotonic()
        shown = Shown(message.body, True, datetime.now().astimezone(), message.media)
        self.handset, now = self.handset.got(message.sid, shown)
        if now is not None:
            self._show(now)
        self._receipts(message.sid, *(("sent", "delivered") if now is not None else ("sent",)))

    def _receipts(self, sid: str, *statuses: str) -> None:
        async def tell() -> None:
            for status in statuses:
                await asyncio.sleep(0.1)
                await self.carrier.caller.call(self.carrier.status(sid, status))

        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(tell())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _until_quiet(self) -> None:
        """For scripts: the next line is said when the answer has come and nothing more seems to."""
        began, known = monotonic(), len(self.handset.shown)
        longest, self.answered = 2 * _QUIET if self.answered else _LONGEST, False
        while monotonic() - began < longest:
            await asyncio.sleep(0.1)
            if len(self.handset.shown) > known and monotonic() - self.last > _QUIET:
                return

    def _show(self, message: Shown) -> None:
        text = Text("\n".join(message.lines()), style="bright_cyan" if message.incoming else "")
        if self.prompt:
            parts = f", {message.parts} parts" if message.parts > 1 else ""
            text.append(f"  {message.at:%H:%M}{parts}", style="dim")
        self._say(text)

    def _say(self, text: Text) -> None:
        """Prints above the line that is being typed, and leaves that as it is."""
        if not self.prompt:
            self.console.print(text, soft_wrap=True)
            return
        import readline

        sys.stdout.write("\r\x1b[K")
        self.console.print(text, soft_wrap=True)
        sys.stdout.write(self.prompt + readline.get_line_buffer())
        sys.stdout.flush()


def _lines(prompt: str) -> asyncio.Queue[str | None]:
    """Lines as they are typed or piped in; None at the end. Read in a thread of its own, which ends with the process."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        ask: Callable[[], str] = (lambda: input(prompt)) if prompt else _next_line
        while True:
            try:
                line = ask()
            except (EOFError, KeyboardInterrupt):
                break
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lines.put_nowait, line)
            if line.strip() == "/quit":
                return
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lines.put_nowait, None)

    if prompt:
        with suppress(ImportError):
            import readline  # noqa: F401  (gives input() a line that can be edited)
    Thread(target=read, daemon=True).start()
    return lines


def _next_line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def _reason(status: int, server: str) -> str:
    match status:
        case 0:
            return f"nobody answers at {server}; start it with `switchboard serve`, then say it again"
        case 403:
            return "the server does not know this account (403): it has other TWILIO_* settings than this telephone"
        case 503:
            return "the server cannot store messages just now (503); say it again"
        case _:
            return f"the server answered {status}"
