"""The telephone at work: what its owner types goes to the server as webhooks, what the server sends is shown, receipts go back."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.channels import Status
from bot.channels.simulator import HELP, Command, Handset, Misread, Say, Shown, read
from bot.testing.doubles.twilio import Carrier, Fault, Message, SignedRequest, TwilioDouble
from bot.testing.doubles.twilio.rules import AUTO_REPLIES, Refused
from integrations.twilio import TwilioSettings

from .files import FileProblem, load
from .screen import Screen, screen

_QUIET = 1.5  # seconds without a new message after which a script goes on, beside what the account's pace takes
_ANSWER = 20.0  # seconds a script waits for an answer
_SERVER = 10.0  # seconds a script waits for a server that is not there
_AGAIN = 1.0  # seconds between attempts to reach it
_SETTLE = 0.7  # seconds a message may wait for its mark before it is shown without
_SLOW, _LATE = 3.0, 5.0


@dataclass(slots=True)
class _Outgoing:
    """A message on its way to the server. Its webhook is made when the network has it; it stays the same when it is told again."""

    id: str
    number: str
    text: str
    more: dict[str, str]
    copies: int = 1
    request: SignedRequest | None = None


@dataclass(slots=True)
class Telephone:
    """Connects a handset, a carrier and a screen. `run` lasts until /quit or the end of the input."""

    double: TwilioDouble
    settings: TwilioSettings
    handset: Handset
    business: str
    screen: Screen = field(init=False)
    carrier: Carrier = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    outgoing: deque[_Outgoing] = field(default_factory=deque)
    kept: list[_Outgoing] = field(default_factory=list)  # while their SIM is off
    refused: list[_Outgoing] = field(default_factory=list)
    unannounced: deque[tuple[str, float]] = field(default_factory=deque)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    expecting: bool = False
    twice: bool = False
    away: bool = False  # the server
    gone: bool = False  # for good, as far as a script can wait
    failed: bool = False
    last: float = 0.0
    pace: float = 0.0
    numbered: int = 0
    replies: int = 0
    heard: int = 0

    def __post_init__(self) -> None:
        self.screen = screen(self._status)
        self.carrier = Carrier(self.double, self._arrived, self._held, self._told, {self.handset.number})
        self.double.on_refused = self._refused

    async def run(self) -> int:
        with self.screen.open():
            async with self.double:
                tasks = [asyncio.create_task(self._post()), asyncio.create_task(self._announce())]
                try:
                    if self.screen.live:
                        self._say(f"{self.handset.number} texts {self.business}. /help shows what else you can do.")
                    await self._talk()
                    with suppress(TimeoutError):  # the last receipts
                        await asyncio.wait_for(self.double.settle(), 1.0 if self.screen.live else 10.0)
                    if left := len(self.outgoing) + len(self.kept):
                        self._say(f"{left} {'messages were' if left > 1 else 'message was'} never sent.", bad=True)
                        self.failed = True
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        return 1 if self.failed and not self.screen.live else 0

    async def _talk(self) -> None:
        while (line := await self.screen.line()) is not None:
            match read(line):
                case Say(text):
                    self._write(text)
                case Misread(problem):
                    self._say(problem, bad=True)
                case Command("quit"):
                    return
                case Command(name, argument):
                    await self._do(name, argument)
            if not self.screen.live and not await self._until_quiet():
                return

    # -- what the owner does ---------------------------------------------------------------------------------------------------

    def _write(self, text: str, *, file: str = "", more: Mapping[str, str] | None = None) -> None:
        self.numbered += 1
        out = _Outgoing(f"out-{self.numbered}", self.handset.number, text, dict(more or {}), 2 if self.twice else 1)
        self.twice = False
        self.handset = self.handset.wrote(out.id, text, datetime.now(UTC), files=(file,) if file else ())
        self._show(out.id)
        if self.handset.on:
            self.outgoing.append(out)
        else:
            self.kept.append(out)
            self._say("You are offline: it goes out when you are /online.")
        self._change()

    async def _do(self, name: str, argument: str) -> None:
        say = self._say
        match name:
            case "help":
                say(HELP)
            case "as":
                new = argument not in self.handset.sims
                self.handset = self.handset.using(argument)
                say(f"You are {argument} now{'' if self.handset.on else ', offline'}.")
                if new:
                    self.carrier.switch_on(argument)
            case "offline":
                self.handset = self.handset.switched(on=False)
                self.carrier.switch_off(self.handset.number)
                say("Offline. Messages wait at the carrier until you are /online.")
            case "online":
                self.handset = self.handset.switched(on=True)
                self.carrier.switch_on(self.handset.number)
                mine = [out for out in self.kept if out.number == self.handset.number]
                self.kept = [out for out in self.kept if out.number != self.handset.number]
                self.outgoing.extend(mine)
                say("Online.")
                self._change()
            case "duplicate":
                self.twice = True
                say("The server will be told of your next message twice.")
            case "slow":
                self.carrier.delay = 0.0 if self.carrier.delay else _SLOW
                say(f"Messages to you take {_SLOW:.0f} seconds now." if self.carrier.delay else "Messages are as quick as before.")
            case "late":
                self.carrier.late = 0.0 if self.carrier.late else _LATE
                told = f"come {_LATE:.0f} seconds late now, the last first" if self.carrier.late else "come in time again"
                say(f"Receipts {told}.")
            case "fail":
                self._fail(argument)
            case "resend":
                say(f"{len(self.refused)} once more." if self.refused else "Nothing was refused.")
                self.outgoing.extend(self.refused)
                self.refused.clear()
                self.hurry.set()
                self._change()
            case "photo":
                await self._photo(argument)

    def _fail(self, code: str) -> None:
        if code == "lost":
            self.double.fail(Fault.HANG_UP_AFTER)
        elif code == "429":
            self.double.fail(Fault.RATE_LIMIT, seconds=3)
        elif code == "500":
            self.double.fail(Fault.SERVER_ERROR_BEFORE)
        elif code.startswith("3"):
            self.carrier.failures.append(int(code))
        else:
            self.double.fail(Fault.REFUSE, code=int(code))
        self._say(f"The server's next message fails: {code}.")

    async def _photo(self, argument: str) -> None:
        try:
            file = await load(argument)
        except FileProblem as problem:
            self._say(str(problem), bad=True)
            return
        url = self.double.url + self.double.files.add(file.content, file.content_type)
        more = {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": file.content_type}
        self._write(file.words, file=file.name, more=more)

    # -- to the server ---------------------------------------------------------------------------------------------------------

    async def _post(self) -> None:
        """Sends what was written, in order; what nobody takes is kept and tried again."""
        loop = asyncio.get_running_loop()
        since = 0.0
        while True:
            while not self.outgoing:
                await self._next_change()
            out = self.outgoing[0]
            heard = self.heard
            status = await self._tell(out)
            if status and status < 500:
                if self.away:
                    self._say("The server answers again.")
                self.away, since = False, 0.0
                self.outgoing.popleft()
                self._answered(out, status)
                self.expecting = 200 <= status < 300 and self.heard == heard  # an answer may be faster than this one's
                continue
            since = since or loop.time()
            if not self.away:
                self.away = True
                again = "again and again" if self.screen.live else f"for {_SERVER:.0f} seconds"
                self._say(f"not delivered: {self._reason(status)}; trying {again}", bad=True)
            self._change()
            if not self.screen.live and loop.time() - since > _SERVER:
                self.gone = True
                return
            self.hurry.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.hurry.wait(), _AGAIN)

    async def _tell(self, out: _Outgoing) -> int:
        if out.request is None:
            path = self.settings.message_path
            out.request = self.double.inbound(out.number, out.text, to=self.business, path=path, **out.more)
            self._auto_replies()
        answers = await asyncio.gather(*(self.double.caller.call(out.request) for _ in range(out.copies)))
        return next((answer for answer in answers if 200 <= answer < 300), answers[0])

    def _answered(self, out: _Outgoing, status: int) -> None:
        if 200 <= status < 300:
            self._mark(out.id, Status.DELIVERED)
        else:
            self.refused.append(out)
            self.failed = True
            self._mark(out.id, Status.UNDELIVERED, str(status))
            self._say(f"not delivered: {self._reason(status)}", bad=True)
        self._change()

    def _reason(self, status: int) -> str:
        server, path = self.double.connect_to, self.settings.message_path
        match status:
            case 0:
                return f"nobody answers at {server}; start it there with `switchboard serve`"
            case 403:
                return (
                    "the server does not take this telephone's signature (403): start both without TWILIO_* variables, or both with the same"
                    f" ones; the server must know itself as {self.double.public_base_url}. Then /resend"
                )
            case 404 | 405:
                return f"the server has no text messages at {path} ({status}): is it `switchboard serve` that listens at {server}?"
            case _ if status >= 500:
                return f"the server could not store it ({status}); its log and {server}/health/ready tell why"
            case _:
                return f"the server answered {status}. /resend sends it once more"

    def _auto_replies(self) -> None:
        for customer, kind in self.double.auto_replies[self.replies :]:
            self.replies += 1
            self._got(Shown(f"auto-{self.replies}", customer, AUTO_REPLIES[kind], True, datetime.now(UTC), by_carrier=True))
            self._mark(f"auto-{self.replies}", Status.DELIVERED)

    # -- from the server -------------------------------------------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        part = re.search(r"/(\d+)$", message.reference)
        files = message.media
        self._got(Shown(message.sid, message.to, message.body, True, datetime.now(UTC), files, int(part[1]) if part else 0))

    def _got(self, message: Shown) -> None:
        self.handset = self.handset.got(message)
        self._heard(message.segments)
        self._show(message.id)

    def _held(self, message: Message) -> None:
        self._heard(message.segments)
        how = "until it is /online" if message.to in self.handset.sims else f"for its telephone: /as {message.to} switches that on"
        self._say(f"A message to {message.to} waits {how}.")

    def _told(self, message: Message, status: str, answer: int) -> None:
        if 200 <= answer < 300:
            self._mark(message.sid, {"sent": Status.SENT, "delivered": Status.DELIVERED}.get(status, Status.UNDELIVERED))
        elif answer:
            self._say(f"The server did not take the receipt '{status}': it answered {answer}.", bad=True)
        if status == "undelivered":
            self._heard(1)
            now = self.double.messages.get(message.sid)
            code = now.error_code if now else None
            self._say(f"A message to {message.to} did not arrive{f' ({code})' if code else ''}, as you asked.")

    def _refused(self, refused: Refused) -> None:
        self._heard(1)
        advice = ": it uses another account; start both with the same TWILIO_* variables, or both without" if refused.code == 20003 else ""
        self._say(f"The carrier refused a message of the server's, {refused}{advice}.", bad=True)

    def _heard(self, segments: int) -> None:
        self.heard, self.last, self.expecting = self.heard + 1, self._now(), False
        self.pace = segments / self.settings.segments_per_second
        self._change()

    # -- showing ---------------------------------------------------------------------------------------------------------------

    def _show(self, id: str) -> None:
        """At once in a script; where somebody watches when it is clear how far it got, which seldom takes long, and in order."""
        if self.screen.live:
            self.unannounced.append((id, self._now() + _SETTLE))
            self._change()
        elif (message := self.handset.find(id)) is not None:
            self.screen.message(self.handset, message)

    def _say(self, text: str, *, bad: bool = False) -> None:
        """A word of the telephone's own, below the messages it comes after."""
        while self.unannounced:
            self._announce_first()
        self.screen.note(text, bad=bad)

    def _announce_first(self) -> None:
        message = self.handset.find(self.unannounced.popleft()[0])
        if message is not None:
            self.screen.message(self.handset, message)

    async def _announce(self) -> None:
        while True:
            while not self.unannounced:
                await self._next_change()
            id, until = self.unannounced[0]
            message = self.handset.find(id)
            left = until - self._now()
            if message is not None and not message.progress.status.settled and left > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._next_change(), left)
            else:
                self._announce_first()

    def _mark(self, id: str, status: Status, code: str = "") -> None:
        self.handset = self.handset.marked(id, status, code)
        message = self.handset.find(id)
        waits = any(id == other for other, _ in self.unannounced)
        if self.screen.live and message is not None and status is Status.DELIVERED and not waits:
            words = message.text if len(message.text) <= 40 else f"{message.text[:39]}…"
            self._say(f"✓✓ {words!r}" if words else "✓✓ the picture")
        self._change()

    def _status(self) -> str:
        parts = [f"{self.handset.number} → {self.business}"]
        parts += [] if self.handset.on else ["offline"]
        if waiting := self.carrier.waiting(self.handset.number):
            parts.append(f"{waiting} at the carrier")
        if self.outgoing or self.kept:
            parts.append(f"{len(self.outgoing) + len(self.kept)} to send")
        parts += ["no server"] if self.away else []
        parts += [word for word, on in (("slow", self.carrier.delay), ("late receipts", self.carrier.late), ("twice", self.twice)) if on]
        return "  ".join(parts)

    # -- waiting ---------------------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _change(self) -> None:
        """Wakes all who wait for one; who looks first and then waits misses none."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def _next_change(self) -> None:
        await self.changed.wait()

    async def _until_quiet(self) -> bool:
        """For scripts: until the answer has come and nothing more seems to. False when the server is not there for good."""
        began = self._now()
        while True:
            if self.gone:
                return False
            await asyncio.sleep(0.05)
            quiet = self._now() - self.last > _QUIET + self.pace + self.carrier.delay or self.last < began
            if not self.outgoing and not self.expecting and quiet:
                return True
            if not self.outgoing and self.expecting and self._now() - began > _ANSWER:
                self._say(f"no answer within {_ANSWER:.0f} seconds")
                self.expecting = False
                return True
