"""An SMSC: it listens, lets in who knows the password, keeps what is submitted, and tells what handsets send until it is acknowledged."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType

from . import wire
from .connection import Connection
from .faults import Fault, Planned
from .messages import Submitted, joined, read_submit, violations
from .phones import Told, from_phone, receipt_body
from .wire import Malformed

_TEMPORARY = (0x14, 0x58, 0x64)
_PATIENCE = 30.0  # seconds a test waits at most for what must happen


@dataclass(slots=True)
class SmscDouble:
    """`async with SmscDouble() as smsc`; then `smsc.environment()` configures an adapter for it.

    `submitted` are the messages accepted, `attempts` counts all requests to send, `violations` is what no handset could show and what broke
    the specification: a test ends with `assert not smsc.violations`. `window` is how many deliveries it tells before it waits for an answer;
    `response_timer` after how many seconds without an answer it tells one again on the same connection (None: only on the next).
    """

    system_id: str = "bot"
    password: str = "secret"
    window: int = 10
    response_timer: float | None = None
    repeat_after: float = 0.02
    bind_status: int = 0
    answers_enquiries: bool = True
    opted_out: dict[str, int] = field(default_factory=dict)  # customers, and the status that says so
    tls: ssl.SSLContext | None = None
    submitted: list[Submitted] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    nacks: list[int] = field(default_factory=list)  # statuses of generic_nacks we got
    enquiries: int = 0  # how many enquire_links we got
    unbinds: int = 0
    attempts: int = 0
    binds: list[int] = field(default_factory=list)  # commands of all binds accepted
    connections: list[Connection] = field(default_factory=list)
    _faults: deque[Planned] = field(default_factory=deque)
    _server: asyncio.Server | None = None
    _port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> SmscDouble:
        await self.accept_connections()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.refuse_connections()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what a test asks of it ------------------------------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """The variables that make an adapter talk to this double."""
        return {
            "SMPP_HOST": "127.0.0.1",
            "SMPP_PORT": str(self._port),
            "SMPP_SYSTEM_ID": self.system_id,
            "SMPP_PASSWORD": self.password,
        } | more

    def fail(self, fault: Fault, *, times: int = 1, status: int = 0x58, seconds: float = 0.3) -> None:
        """The next `times` requests to send go wrong in this way."""
        self._faults.extend([Planned(fault, status, seconds)] * times)

    def refuse_connections(self) -> None:
        """Resets all connections and takes no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def accept_connections(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self.tls)
        self._port = self._server.sockets[0].getsockname()[1]

    def drop(self) -> None:
        """Resets all connections."""
        for connection in tuple(self.connections):
            connection.reset()

    async def bound(self, count: int = 1) -> None:
        """Until so many connections are bound."""
        await self.until(lambda: sum(connection.bound != 0 for connection in self.connections) >= count)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Raises TimeoutError when it does not come true."""
        async with asyncio.timeout(_PATIENCE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def tell(self, body: bytes, command: int = wire.DELIVER_SM) -> Told:
        """A delivery, as soon as there is a connection to tell it by, until it is acknowledged."""
        told = Told(body, command)
        self.told.append(told)
        return told

    def text(self, customer: str, words: str, *, to: str = "1588", **how: object) -> list[Told]:
        """A customer writes. See `phones.from_phone` for how it may come."""
        return [self.tell(body) for body in from_phone(customer, to, words, **how)]  # type: ignore[arg-type]

    def receipt(self, message_id: str, stat: str = "DELIVRD", **how: object) -> Told:
        """What became of a message of ours. See `phones.receipt_body`."""
        message = next(message for message in self.submitted if message.message_id == message_id)
        return self.tell(receipt_body(message, stat, **how))  # type: ignore[arg-type]

    async def settled(self) -> None:
        """Until all that was told is acknowledged."""
        await self.until(lambda: all(told.done.is_set() for told in self.told))

    def sent_to(self, customer: str) -> list[str]:
        """The texts the customer's handset shows, in order."""
        digits = customer.removeprefix("+")
        return joined(message for message in self.submitted if message.destination[2] == digits)

    # -- the SMSC ------------------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self.connections.append(connection)
        try:
            await connection.serve()
        finally:
            self.connections.remove(connection)

    def admit(self, system_id: str, password: str) -> int:
        """The status of an attempt to bind."""
        if self.bind_status:
            return self.bind_status
        if system_id != self.system_id:
            return 0x0F
        return 0x0E if password != self.password else 0

    async def take(self, connection: Connection, sequence: int, body: bytes) -> None:
        """A `submit_sm`."""
        self.attempts += 1
        planned = self._faults.popleft() if self._faults else None
        message_id = f"{0xA0000000 + self.attempts:x}"
        status = 0
        if planned is None or planned.fault.accepts:
            try:
                message = read_submit(body, message_id)
                status = self.opted_out.get(message.destination[2], 0)
            except Malformed as bad:
                self.violations.append(f"submit_sm: {bad}")
                status = bad.status
            if status == 0:
                self.submitted.append(message)
                self.violations.extend(violations(message))
        if planned is not None:
            await self._fault(connection, planned, sequence, message_id)
            return
        connection.write(wire.SUBMIT_SM | wire.RESPONSE, status, sequence, wire.text(message_id) if status == 0 else b"")

    async def _fault(self, connection: Connection, planned: Planned, sequence: int, message_id: str) -> None:
        answer = wire.SUBMIT_SM | wire.RESPONSE
        match planned.fault:
            case Fault.STATUS:
                connection.write(answer, planned.status, sequence)
            case Fault.NACK:
                connection.write(wire.GENERIC_NACK, planned.status, sequence)
            case Fault.DROP_BEFORE | Fault.DROP_AFTER:
                connection.reset()
            case Fault.DROP_AFTER_RECEIPT:
                self.later(self._receipt_and_reset(connection, message_id))
            case Fault.GARBAGE_AFTER:
                connection.write_octets(b"\xff" * 40)
            case Fault.ODD_ID_AFTER:
                connection.write(answer, 0, sequence, b"\xff\xfe\x01")
            case Fault.NO_ID_AFTER:
                connection.write(answer, 0, sequence, b"\0")
            case Fault.OTHER_COMMAND_AFTER:
                connection.write(wire.ENQUIRE_LINK | wire.RESPONSE, 0, sequence)
            case Fault.LATE:
                self.later(self._answer_late(connection, planned.seconds, 0, sequence, wire.text(message_id)))
            case Fault.LATE_REFUSAL:
                self.later(self._answer_late(connection, planned.seconds, planned.status, sequence, b""))

    async def _receipt_and_reset(self, connection: Connection, message_id: str) -> None:
        await self.receipt(message_id).done.wait()
        connection.reset()

    async def _answer_late(self, connection: Connection, seconds: float, status: int, sequence: int, body: bytes) -> None:
        await asyncio.sleep(seconds)
        connection.write(wire.SUBMIT_SM | wire.RESPONSE, status, sequence, body)

    def answered(self, told: Told, status: int) -> None:
        """A delivery was answered: told again if for the time being only."""
        told.statuses.append(status)
        if status not in _TEMPORARY:
            told.done.set()

    def later(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
