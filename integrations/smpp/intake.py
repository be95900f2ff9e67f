"""What the SMSC tells us, on its way to be stored: nothing is acknowledged before it is, nothing is told twice while we live.

    handle (reads, joins parts) -> queue -> store (one transaction for all that waits) -> acknowledge

A delivery is known by its octets. While it waits, the same octets again are the SMSC's repetition and share its answer. After we
have answered, they are a repetition only before anything proved that the answer had arrived, and if the answer was late or its
connection was lost; then they are acknowledged and not told. Else the customer has written the same again. What proves it is any
answer of the SMSC's to a request of ours that left after our answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.channels import Deliver, Event, Receipt

from . import statuses
from .inbound import is_receipt, read_message, read_piece, read_receipt
from .joining import Group, Joining
from .pdus import BadPdu, Pdu, read_delivery
from .session import Session
from .settings import SmppSettings

_log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_MOST_AT_ONCE = 100
_LATE = 1.0  # seconds: no SMSC repeats sooner
_DOUBTFUL = 3600.0  # seconds for which an answer that may not have arrived is remembered


@dataclass(slots=True, eq=False)
class _Ticket:
    """A delivery: who waits for its answer, and, once answered, on which connection and until when that is in doubt.

    `late`: the answer took so long that a repetition may have been on its way.
    """

    digest: str
    came: float
    waiting: list[tuple[Session, Pdu]] = field(default_factory=list)
    answered_on: Session | None = None
    until: float = 0.0
    late: bool = False

    def in_doubt(self, session: Session, now: float) -> bool:
        """Whether the SMSC may repeat it on this connection for not having had the answer."""
        if self.answered_on is None or now >= self.until:
            return False
        return self.late if self.answered_on is session else not self.answered_on.alive


@dataclass(frozen=True, slots=True)
class _Work:
    event: Event
    tickets: tuple[_Ticket, ...]


Noted = Callable[[Receipt, int | None], None]
"""Hears of a receipt, with our reference of 16 bits if the SMSC echoed it."""


class Intake:
    """Of one run of a channel, over all its connections."""

    def __init__(self, settings: SmppSettings, name: str, deliver: Deliver, now: Callable[[], datetime], noted: Noted) -> None:
        self._settings = settings
        self._name = name
        self._deliver = deliver
        self._now = now
        self._noted = noted
        self._clock = asyncio.get_running_loop().time
        self._tickets: dict[str, _Ticket] = {}
        self._joining: Joining[_Ticket] = Joining(settings.parts_wait, self._clock)
        self._queue: asyncio.Queue[_Work] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._closed = False

    # -- in ------------------------------------------------------------------------------------------------------------------

    def handle(self, session: Session, pdu: Pdu) -> None:
        """Takes a delivery. Never waits and never raises for what is in it."""
        if self._closed or self._queue.qsize() >= _MOST_WAITING:
            session.answer(pdu, statuses.RX_T_APPN)
            return
        digest = hashlib.sha256(pdu.body).hexdigest()
        known = self._tickets.get(digest)
        if known is not None and known.answered_on is None:
            known.waiting.append((session, pdu))
            return
        ticket = _Ticket(digest, self._clock(), [(session, pdu)])
        if known is not None and known.in_doubt(session, self._clock()):
            self._tickets[digest] = ticket
            self._answer([ticket])
            return
        self._tickets[digest] = ticket
        try:
            self._read(session, pdu, ticket)
        except BadPdu as bad:
            _log.warning("smpp: a delivery cannot be read (%s): refused for good", bad)
            self._refuse([ticket], statuses.RX_P_APPN)
        except Exception as fault:  # of ours: one delivery must not end the connection, again and again
            _log.error("smpp: a delivery was not read (%s): the SMSC is asked to repeat it", type(fault).__name__)
            self._refuse([ticket], statuses.RX_T_APPN)

    def _read(self, session: Session, pdu: Pdu, ticket: _Ticket) -> None:
        delivery = read_delivery(pdu)
        if is_receipt(delivery):
            receipt = read_receipt(self._settings, self._name, delivery, self._now())
            if receipt is None:
                _log.warning("smpp: a receipt names no message or no known state: passed over")
                self._answer([ticket])
                return
            self._noted(receipt, delivery.user_message_reference)
            self._queue.put_nowait(_Work(receipt, (ticket,)))
            return
        piece = read_piece(self._settings, self._name, delivery, ticket.digest)
        if piece.place is None:
            self._queue.put_nowait(_Work(read_message(self._name, [piece], self._now()), (ticket,)))
            return
        at_once = self._settings.parts == "acknowledge"
        for group in self._joining.add(None if at_once else session, piece, ticket):
            self._give(group)
        if at_once:
            self._answer([ticket])
        self._wake.set()

    def _give(self, group: Group[_Ticket]) -> None:
        pieces = group.pieces
        total = pieces[0].place.total if pieces[0].place else 1
        if len(pieces) < total:
            _log.warning(
                "smpp: %d of %d parts of a message came within SMPP_PARTS_WAIT; told as it is. If this is so with every long message, "
                "the SMSC waits for each answer before it sends the next part: set SMPP_PARTS=acknowledge",
                len(pieces),
                total,
            )
        self._queue.put_nowait(_Work(read_message(self._name, pieces, self._now()), tuple(group.tickets)))

    def lost(self, session: Session) -> None:
        """The connection is gone. The SMSC still has what we have not acknowledged, so the parts held are dropped: they come again."""
        for group in self._joining.of(session):
            for ticket in group.tickets:
                self._tickets.pop(ticket.digest, None)
        now = self._clock()
        for digest in [digest for digest, ticket in self._tickets.items() if ticket.answered_on and ticket.until <= now]:
            del self._tickets[digest]

    # -- through -------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stores what comes in and gives out what waited too long, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._store_all())

    async def drain(self) -> None:
        """Takes nothing more in and stores all that was. Parts that were acknowledged are told as they are."""
        self._closed = True
        for group in self._joining.of(None):
            self._give(group)
        await self._queue.join()

    async def _watch(self) -> None:
        while True:
            due = self._joining.next_due
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                    await self._wake.wait()
                self._wake.clear()
            except TimeoutError:
                for group in self._joining.overdue():
                    self._give(group)

    async def _store_all(self) -> None:
        while True:
            works = [await self._queue.get()]
            while len(works) < _MOST_AT_ONCE and not self._queue.empty():
                works.append(self._queue.get_nowait())
            try:
                await self._store(works)
            finally:
                for _ in works:
                    self._queue.task_done()

    async def _store(self, works: list[_Work]) -> None:
        try:
            await self._deliver([work.event for work in works])
        except Exception as error:
            if len(works) > 1:  # one that cannot be stored must not hold up the others
                for work in works:
                    await self._store([work])
                return
            _log.warning("smpp: an event was not stored (%s): the SMSC is asked to repeat it", type(error).__name__)
            self._refuse(works[0].tickets, statuses.RX_T_APPN)
            return
        self._answer([ticket for work in works for ticket in work.tickets])

    # -- out -----------------------------------------------------------------------------------------------------------------

    def _answer(self, tickets: Iterable[_Ticket]) -> None:
        """Acknowledges, once: parts may have been before."""
        now = self._clock()
        late: set[Session] = set()
        for ticket in tickets:
            ticket.late = ticket.late or now - ticket.came > _LATE
            for session, pdu in ticket.waiting:
                session.answer(pdu, proved=lambda ticket=ticket: self._forget(ticket))  # type: ignore[misc]
                ticket.answered_on = session
                if ticket.late:
                    late.add(session)
            ticket.waiting.clear()
            ticket.until = now + _DOUBTFUL
        for session in late:
            session.prove()

    def _refuse(self, tickets: Iterable[_Ticket], status: int) -> None:
        for ticket in tickets:
            for session, pdu in ticket.waiting:
                session.answer(pdu, status)
            ticket.waiting.clear()
            self._forget(ticket)

    def _forget(self, ticket: _Ticket) -> None:
        if self._tickets.get(ticket.digest) is ticket:
            del self._tickets[ticket.digest]
