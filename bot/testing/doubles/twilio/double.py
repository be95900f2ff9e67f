"""Twilio on this machine: its API for messages, its webhooks, its files, and its ways to fail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

from ..http_server import Request, Response, Server
from ..openapi import Description
from .control import PREFIX, control
from .faults import Chaos, Deliveries, Fault, Planned
from .files import Files
from .messages import Message
from .responses import after_acceptance, as_json, in_place_of
from .rules import Refused, World, check
from .store import MessageStore
from .webhooks import Caller, SignedRequest

_STOP = frozenset(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"))
_START = frozenset(("start", "yes", "unstop"))
_HELP = frozenset(("help", "info"))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True)
class TwilioDouble:
    """`async with TwilioDouble() as twilio`; then `twilio.environment(...)` configures an adapter for it.

    Everything it was told is in `messages`, `attempts` and `violations` (what broke the vendor's own description, if one was
    given: a test ends with `assert not twilio.violations`); everything it did not like about our answers in `caller.alerts`.
    `on_message` learns of each message it accepts, `on_refused` of each it does not. `salt` gives a run SIDs of its own: without it they
    are the same in every run, and a bot that remembers the last run takes new messages for old ones.
    """

    account: str = "AC" + "0" * 31 + "1"
    token: str = "0" * 31 + "a"
    senders: tuple[str, ...] = ("+12025550100", "whatsapp:+12025550100", "rcs:operator")
    services: dict[str, str] = field(default_factory=dict)
    public_base_url: str = "https://bot.example"
    connect_to: str = ""
    shared_key: tuple[str, str] | None = None
    description: Path | None = None
    deliveries: Deliveries | None = None
    requests_per_second: int | None = None
    queue_limit: int | None = None  # segments a sender may have waiting
    clock: Callable[[], datetime] = _now
    port: int = 0
    salt: str = ""
    api_keys: dict[str, str] = field(default_factory=dict)  # accepted beside the account and its token
    chaos: Chaos | None = None
    handles_opt_out: bool = True
    on_message: Callable[[Message], None] = lambda message: None
    on_refused: Callable[[Refused], None] = lambda refused: None
    messages: MessageStore = field(default_factory=MessageStore)
    auto_replies: list[tuple[str, str]] = field(default_factory=list)  # (customer, kind)
    violations: list[str] = field(default_factory=list)
    attempts: int = 0
    world: World = field(init=False)
    caller: Caller = field(init=False)
    files: Files = field(init=False)
    _faults: deque[Planned] = field(default_factory=deque)
    _recent: deque[float] = field(default_factory=deque)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: Server = field(init=False)
    _spec: Description | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self.world = World(set(self.senders), dict(self.services))
        self.caller = Caller(self.token, self.public_base_url, self.connect_to, self.shared_key, salt=self.salt)
        self.files = Files(self.account)
        self._server = Server(self._serve, port=self.port)
        self._spec = Description.load(self.description) if self.description else None

    async def __aenter__(self) -> TwilioDouble:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop()

    # -- what a test asks of it ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._server.url

    def environment(self, **more: str) -> dict[str, str]:
        """The variables that make an adapter talk to this double."""
        return {
            "TWILIO_ACCOUNT_SID": self.account,
            "TWILIO_AUTH_TOKEN": self.token,
            "TWILIO_PUBLIC_BASE_URL": self.public_base_url,
            "TWILIO_API_BASE_URL": self.url,
        } | more

    def fail(self, fault: Fault, *, times: int = 1, code: int = 21211, seconds: float = 1.0) -> None:
        """The next `times` requests to send go wrong in this way."""
        self._faults.extend([Planned(fault, code, seconds)] * times)

    def refuse_connections(self) -> None:
        self._server.refuse()

    def inbound(
        self, customer: str, text: str, *, to: str | None = None, path: str = "/channels/twilio/messages", **more: str
    ) -> SignedRequest:
        """The webhook for a message from a customer, signed; the message is kept and words such as STOP take effect."""
        to = to or self.senders[0]
        sid = self._sid("MM" if more.get("NumMedia", "0") != "0" else "SM")
        now = self.clock()
        media = tuple(value for name, value in more.items() if name.startswith("MediaUrl"))
        self.messages.append(Message(sid, self.account, to, customer, text, "inbound", "received", now, now, now, media))
        self._obey(customer, to, text)
        fields = {
            "ToCountry": "US", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "", "SmsSid": sid, "FromState": "",
            "SmsStatus": "received", "FromCity": "", "Body": text, "FromCountry": "US", "To": to, "ToZip": "",
            "NumSegments": str(self.messages[-1].segments), "MessageSid": sid, "AccountSid": self.account, "From": customer, "ApiVersion": "2010-04-01",
        } | more  # fmt: skip
        return self.caller.sign(self.public_base_url + path, list(fields.items()))

    async def text(self, customer: str, text: str, *, copies: int = 1, **more: str) -> list[int]:
        """A customer writes: the webhook is made `copies` times (a retry carries the same SID), with `chaos` as that has it.
        The statuses answered."""
        request = self.inbound(customer, text, **more)
        if self.chaos:
            times = [telling.after for telling in self.chaos.inbound(self.messages[-1].sid)]
            return list(await asyncio.gather(*(self._tell(after, request) for after in times)))
        return [await self.caller.call(request) for _ in range(copies)]

    def status(self, sid: str, status: str, error_code: str = "") -> SignedRequest:
        """The status callback of a message of ours, signed; the message takes the status."""
        known = self.messages.get(sid)
        if known is None:
            raise KeyError(sid)
        message = known.at(status, self.clock(), int(error_code) if error_code else None)
        self.messages.put(message)
        return self.receipt(message, status, error_code)

    def receipt(self, message: Message, status: str, error_code: str = "") -> SignedRequest:
        """A status callback as such: what the message's state is stays as it is."""
        sid = message.sid
        fields = {
            "SmsSid": sid, "SmsStatus": status, "MessageStatus": status, "To": message.to, "MessageSid": sid, "AccountSid": self.account,
            "From": message.sender or "", "ApiVersion": "2010-04-01",
        }  # fmt: skip
        if status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = self.clock().strftime("%y%m%d%H%M")
        if error_code:
            fields["ErrorCode"] = error_code
        return self.caller.sign(message.callback or f"{self.public_base_url}/channels/twilio/status", list(fields.items()))

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Begins what goes on beside, such as receipts; it ends with the double, and `settle` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Until all status callbacks under way have been made."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def sent_to(self, customer: str) -> list[Message]:
        """What was accepted for a customer, in order."""
        return [message for message in self.messages.to(customer) if message.direction.startswith("outbound")]

    # -- the API ---------------------------------------------------------------------------------------------------------------

    async def _serve(self, request: Request) -> Response:
        if request.path.startswith("/files/"):
            return self.files.serve_file(request)
        if request.path.startswith(PREFIX):
            return await control(self, request)
        sending = request.method == "POST" and request.path.endswith("/Messages.json")
        if sending:
            self.attempts += 1
        planned = self._faults.popleft() if sending and self._faults else None
        if planned is not None and not planned.fault.accepts:
            if planned.fault is Fault.REFUSE:
                self.on_refused(Refused(planned.code))
            return in_place_of(planned)
        try:
            self._authenticate(request)
            if request.path.startswith(f"{self._base}/") and "/Media/" in request.path:
                return self.files.redirect(request)
            self._check(request)
            status, value = self._answer(request)
        except Refused as refused:
            if sending:
                self.on_refused(refused)
            return as_json(refused.status, refused.to_json())
        if self._spec:
            found = self._spec.answer(request.method, request.target, status, value)
            self.violations.extend(f"our own answer: {problem}" for problem in found)
        return after_acceptance(planned, as_json(status, value)) if planned else as_json(status, value)

    def _authenticate(self, request: Request) -> None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        keys = {self.account: self.token, **self.api_keys}
        if kind != "Basic" or given not in (base64.b64encode(f"{key}:{secret}".encode()).decode() for key, secret in keys.items()):
            raise Refused(20003)
        if not request.path.startswith(f"/2010-04-01/Accounts/{self.account}/"):
            raise Refused(20404)
        if self.requests_per_second is not None:
            now = asyncio.get_running_loop().time()
            while self._recent and self._recent[0] <= now - 1.0:
                self._recent.popleft()
            if len(self._recent) >= self.requests_per_second:
                raise Refused(20429)
            self._recent.append(now)

    def _check(self, request: Request) -> None:
        if self._spec:
            self.violations.extend(
                self._spec.request(request.method, request.target, request.headers.get("content-type", ""), request.body)
            )

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if request.path == f"{self._base}.json":
            if request.method == "POST":
                return 201, self._create(parse_qsl(request.body.decode(), keep_blank_values=True)).to_json()
            if request.method == "GET":
                return 200, self.messages.page(request.path, dict(parse_qsl(request.query)))
        elif request.method == "GET" and request.path.startswith(f"{self._base}/") and request.path.endswith(".json"):
            sid, _, part = request.path.removeprefix(f"{self._base}/").removesuffix(".json").partition("/")
            message = self.messages.get(sid)
            if message is not None and part == "":
                return 200, message.to_json()
            if message is not None and part == "Media":
                return 200, self.files.page(message, request.path)
        raise Refused(20404)

    @property
    def _base(self) -> str:
        return f"/2010-04-01/Accounts/{self.account}/Messages"

    def _create(self, fields: Sequence[tuple[str, str]]) -> Message:
        sender = check(self.world, fields)
        values = dict(fields)
        media = tuple(value for name, value in fields if name == "MediaUrl")
        now = self.clock()
        service = values.get("MessagingServiceSid")
        message = Message(
            self._sid("MM" if media else "SM"),
            self.account,
            values["To"],
            sender,
            values.get("Body", ""),
            "outbound-api",
            "accepted" if service else "queued",
            now,
            now,
            media=media,
            service=service,
            callback=values.get("StatusCallback"),
            fields=tuple(fields),
        )
        if self.queue_limit is not None:
            waiting = sum(item.segments for item in self.messages.by(sender or "") if item.status == "queued")
            if waiting + message.segments > self.queue_limit:
                raise Refused(21611)
        self.messages.append(message)
        self.on_message(message)
        if self.deliveries and message.callback:
            self.start(self._deliver(message.sid, self.deliveries))
        return message

    async def _deliver(self, sid: str, plan: Deliveries) -> None:
        if self.chaos:
            for status in plan.statuses:  # what is so, and what is told of it, are two things
                self.status(sid, status, plan.code(status))
            message, told = self.messages.get(sid), self.chaos.receipts(sid, plan.statuses)
            assert message is not None
            requests = [(telling.after, self.receipt(message, telling.what, plan.code(telling.what))) for telling in told]
            await asyncio.gather(*(self._tell(after, request) for after, request in requests))
            return
        for status in reversed(plan.statuses) if plan.backwards else plan.statuses:
            await asyncio.sleep(plan.delay)
            request = self.status(sid, status, plan.code(status))
            for _ in range(plan.copies):
                await self.caller.call(request)

    async def _tell(self, after: float, request: SignedRequest) -> int:
        await asyncio.sleep(after)
        return await self.caller.call(request)

    def _obey(self, customer: str, ours: str, text: str) -> None:
        if ":" in customer or not self.handles_opt_out:
            return  # the words are for telephone numbers
        word = text.strip().lower()
        if word in _STOP and (ours, customer) not in self.world.opted_out:
            self.world.opted_out.add((ours, customer))
            self.auto_replies.append((customer, "stop"))
        elif word in _START and (ours, customer) in self.world.opted_out:
            self.world.opted_out.discard((ours, customer))
            self.auto_replies.append((customer, "start"))
        elif word in _HELP:
            self.auto_replies.append((customer, "help"))

    def _sid(self, prefix: str) -> str:
        return prefix + hashlib.md5(f"{self.account} {self.salt}{len(self.messages)}".encode()).hexdigest()
