"""One bound connection to an SMSC: requests by sequence number within a window, answers, and the proof that it is alive.

smpplib's own client is not used: it blocks, has no bound on the time of a request and waits for one answer at a time. Over asyncio's
streams there are no threads, any number of requests is under way, and every wait has an end.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from . import pdus, statuses
from .pdus import NO_FIELDS, BadPdu, Fields, Pdu
from .settings import SmppSettings

_MOST_SEQUENCE = 0x7FFFFFFF
_MOST_LATE = 10_000
_GOODBYE = 2.0  # seconds to part in


class NotWritten(Exception):
    """The request certainly did not leave."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(Exception):
    """The request may have arrived; nobody knows what became of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BindRefused(Exception):
    """The SMSC did not let us in."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{statuses.name_of(status)} 0x{status:02x}")
        self.status = status


@dataclass(slots=True)
class _Asked:
    """A request without an answer yet. `answers` is how many answers of ours left before it; `late` hears of an answer after the wait."""

    command: str
    answer: asyncio.Future[Pdu]
    answers: int
    late: Callable[[Pdu], None] | None


class Session:
    """Made by `open_session`; reads from then on. `handle` gets each delivery, must not wait, and answers by `answer`."""

    def __init__(
        self, settings: SmppSettings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Callable[[Session, Pdu], None]
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._handle = handle
        self._sequence = 0
        self._asked: dict[int, _Asked] = {}
        self._window = asyncio.Semaphore(settings.window)
        self._answers = 0
        self._unproven: deque[tuple[int, Callable[[], None]]] = deque()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(self._read())]
        self._proving: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return not self.lost.done()

    async def bind(self, name: str) -> None:
        """Raises BindRefused, NoAnswer, NotWritten."""
        settings = self._settings
        answer = await self._ask(
            name,
            settings.connect_timeout,
            {
                "system_id": settings.system_id,
                "password": settings.password,
                "system_type": settings.system_type,
                "interface_version": 0x34,
                "addr_ton": 0,
                "addr_npi": 0,
                "address_range": settings.address_range,
            },
        )
        if answer.status:
            raise BindRefused(answer.status)
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def submit(self, fields: Fields, late: Callable[[Pdu], None]) -> Pdu:
        """The answer to a `submit_sm`, whatever its status. Raises NotWritten, NoAnswer; after the latter `late` may still be called."""
        deadline = asyncio.get_running_loop().time() + self._settings.send_timeout
        try:
            async with asyncio.timeout_at(deadline):
                await self._window.acquire()
        except TimeoutError:
            raise NotWritten("window_full") from None
        try:
            return await self._ask("submit_sm", deadline - asyncio.get_running_loop().time(), fields, late)
        finally:
            self._window.release()

    def answer(self, pdu: Pdu, status: int = 0, *, proved: Callable[[], None] | None = None) -> None:
        """Answers a request of the SMSC's. `proved` is called when it certainly has the answer; never, if the connection is lost before."""
        if not self.alive:
            return
        self._writer.write(pdus.write(f"{pdu.command}_resp", pdu.sequence, status=status))
        self._answers += 1
        if proved is not None:
            self._unproven.append((self._answers, proved))

    def prove(self) -> None:
        """Asks the SMSC for a sign of life now: when it comes, all answers given so far are proved."""
        if self.alive and (self._proving is None or self._proving.done()):
            self._proving = asyncio.create_task(self._enquire())

    async def close(self) -> None:
        """Parts in good order if the SMSC takes part in it."""
        if self.alive:
            with suppress(NoAnswer, NotWritten):
                await self._ask("unbind", _GOODBYE)
        self.drop("closed")
        tasks = [*self._tasks, *([self._proving] if self._proving else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    # -- ---------------------------------------------------------------------------------------------------------------------

    async def _ask(self, command: str, seconds: float, fields: Fields = NO_FIELDS, late: Callable[[Pdu], None] | None = None) -> Pdu:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._writer.drain()  # an SMSC that does not read: nothing more is put before it
        except TimeoutError:
            raise NotWritten("not_read") from None
        except OSError:
            self.drop("connection_lost")
        if not self.alive:
            raise NotWritten("not_connected")
        if loop.time() >= deadline:
            raise NotWritten("no_time_left")
        self._sequence = self._sequence % _MOST_SEQUENCE + 1
        number, asked = self._sequence, _Asked(command, loop.create_future(), self._answers, late)
        octets = pdus.write(command, number, fields)
        self._asked[number] = asked
        self._writer.write(octets)
        try:
            async with asyncio.timeout_at(deadline):
                return await asked.answer
        except TimeoutError:
            if late is None:
                self._asked.pop(number, None)
            elif len(self._asked) > _MOST_LATE:
                self._asked.pop(next(iter(self._asked)))
            raise NoAnswer("no_answer_in_time") from None

    async def _read(self) -> None:
        try:
            while True:
                start = await self._reader.readexactly(pdus.HEADER)
                body = await self._reader.readexactly(pdus.body_length(start))
                self._take(pdus.read(start, body))
        except BadPdu:
            self._writer.write(pdus.write_nack(0, statuses.RINVCMDLEN))
            self.drop("garbage")
        except (OSError, EOFError):
            self.drop("connection_lost")
        except Exception as error:  # a fault of ours must not leave a connection that nobody reads
            self.drop(f"fault_{type(error).__name__}")
            raise

    def _take(self, pdu: Pdu) -> None:
        if pdu.response:
            self._answered(pdu)
        elif pdu.command in ("deliver_sm", "data_sm"):
            self._handle(self, pdu)
        elif pdu.command == "enquire_link":
            self.answer(pdu)
        elif pdu.command == "unbind":
            self.answer(pdu)
            self.drop("unbound_by_smsc")
        elif pdu.command != "alert_notification":  # which has no answer
            self._writer.write(pdus.write_nack(pdu.sequence, statuses.RINVCMDID))

    def _answered(self, pdu: Pdu) -> None:
        asked = self._asked.pop(pdu.sequence, None)
        if asked is None:
            return
        while self._unproven and self._unproven[0][0] <= asked.answers:
            self._unproven.popleft()[1]()
        right = pdu.command in ("generic_nack", f"{asked.command}_resp")
        if not asked.answer.done():
            if right:
                asked.answer.set_result(pdu)
            else:
                asked.answer.set_exception(NoAnswer("wrong_answer"))
        elif right and asked.late is not None:
            asked.late(pdu)

    async def _keep_alive(self) -> None:
        while self.alive:
            await asyncio.sleep(self._settings.enquire_link)
            await self._enquire()

    async def _enquire(self) -> None:
        try:
            await self._ask("enquire_link", self._settings.enquire_link_timeout)
        except (NoAnswer, NotWritten):
            self.drop("enquire_link_unanswered")

    def drop(self, reason: str) -> None:
        """Ends the connection at once; requests without an answer have none."""
        if not self.alive:
            return
        self.lost.set_result(reason)
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(NoAnswer(reason))
                asked.answer.exception()  # nobody may be waiting any more
        self._asked.clear()
        self._writer.close()


async def open_session(settings: SmppSettings, bind: str, handle: Callable[[Session, Pdu], None]) -> Session:
    """Connects and binds. Raises OSError, TimeoutError, BindRefused, NoAnswer, NotWritten."""
    context = ssl.create_default_context(cafile=settings.tls_ca or None) if settings.tls else None
    async with asyncio.timeout(settings.connect_timeout):
        reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
    session = Session(settings, reader, writer, handle)
    try:
        await session.bind(bind)
    except BaseException:
        session.drop("not_bound")
        await session.close()
        raise
    return session
