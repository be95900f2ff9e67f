"""SMPP 3.4 as a `ConnectedChannel`: SMS by an operator's own SMSC, over a connection that this side keeps."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from bot.channels import (
    Absent,
    Backoff,
    Capabilities,
    ConversationKey,
    Deliver,
    Outbound,
    Payload,
    Receipt,
    Reconciled,
    Rejected,
    Retry,
    SendOutcome,
    Sent,
    Unknown,
)

from . import rendering
from .inbound import same_id
from .intake import Intake
from .memory import Memory
from .pdus import BadPdu, Pdu, read_message_id
from .rendering import capabilities_of, digest16, submit_fields
from .session import BindRefused, NoAnswer, NotWritten, Session, open_session
from .settings import SmppSettings
from .statuses import refusal

NAME = "smpp"

_log = logging.getLogger(__name__)

_STEADY = 30.0  # seconds after which a connection counts as good, and the next loss as the first
_DRAIN = 5.0


class SmppChannel:
    """`send` works while `run` does. `now` is the wall clock, `chance` the dice for the waits before reconnecting.

    The connection is its only state, with what belongs to it: deliveries not yet acknowledged, answers not yet come.
    """

    def __init__(
        self,
        settings: SmppSettings,
        *,
        name: str = NAME,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._name = name
        self._now = now
        self._chance = chance
        self._sender: Session | None = None
        self._refused = False
        self._memory = Memory()

    @property
    def name(self) -> str:
        return self._name

    @property
    def connected(self) -> bool:
        """Whether messages can be sent now."""
        return self._sender is not None and self._sender.alive

    # -- the connection ------------------------------------------------------------------------------------------------------

    async def run(self, deliver: Deliver) -> None:
        """Until cancelled: then what has come in is stored and acknowledged, for up to five seconds, and the SMSC is told goodbye."""
        intake = Intake(self._settings, self._name, deliver, self._now, self._noted)
        binds = ("bind_transmitter", "bind_receiver") if self._settings.bind == "pair" else ("bind_transceiver",)
        async with asyncio.TaskGroup() as tasks:
            storing = tasks.create_task(intake.run())
            links = [tasks.create_task(self._keep(bind, intake)) for bind in binds]
            try:
                await asyncio.wait(links)
            finally:
                for link in links:
                    link.cancel()
                await asyncio.gather(*links, return_exceptions=True)
                await self._drain(intake)
                storing.cancel()

    async def _keep(self, bind: str, intake: Intake) -> None:
        backoff = Backoff(self._settings.reconnect_first, self._settings.reconnect_most)
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            began = loop.time()
            reason = await self._hold(bind, intake)
            attempt = 1 if loop.time() - began > _STEADY else attempt + 1
            wait = backoff.delay(attempt, self._chance)
            _log.warning("smpp: %s ended (%s); again in %.1f s", bind, reason, wait)
            await asyncio.sleep(wait)

    async def _hold(self, bind: str, intake: Intake) -> str:
        """One connection, to its end. Gives the reason of the end."""
        try:
            session = await open_session(self._settings, bind, intake.handle)
        except BindRefused as refused:
            self._refused = True
            return f"refused {refused}"
        except (NoAnswer, NotWritten) as failure:
            return failure.reason
        except (OSError, TimeoutError, UnicodeError) as failure:  # the last for a host that can be no name
            return type(failure).__name__
        self._refused = False
        if bind != "bind_receiver":
            self._sender = session
        _log.info("smpp: %s holds", bind)
        try:
            return await asyncio.shield(session.lost)
        except asyncio.CancelledError:
            await self._drain(intake)
            raise
        finally:
            if self._sender is session:
                self._sender = None
            await session.close()
            intake.lost(session)

    async def _drain(self, intake: Intake) -> None:
        try:
            async with asyncio.timeout(_DRAIN):
                await intake.drain()
        except TimeoutError:
            _log.warning("smpp: not everything was stored before the end; the SMSC will repeat what was not acknowledged")

    def _noted(self, receipt: Receipt, user_message_reference: int | None) -> None:
        if user_message_reference is not None:
            self._memory.noted(receipt, user_message_reference)

    # -- messages ------------------------------------------------------------------------------------------------------------

    def capabilities(self, key: ConversationKey) -> Capabilities:
        return capabilities_of(self._settings)

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        return rendering.render(self._settings, key, message)

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        try:
            fields = submit_fields(payload)
        except ValueError:
            return Rejected("malformed_payload")
        session = self._sender
        if session is None or not session.alive:
            return Retry("not_connected", alert=self._refused)
        try:
            answer = await session.submit(fields, lambda late: self._late(payload, late))
        except NotWritten as failure:
            return Retry(failure.reason)
        except NoAnswer as failure:
            return Unknown(failure.reason)
        return self._outcome(payload, answer)

    def _outcome(self, payload: Payload, answer: Pdu) -> SendOutcome:
        if answer.status:
            return refusal(answer.status, self._settings.statuses, self._settings.throttle_wait)
        if answer.command == "generic_nack":
            return Unknown("nack_without_status")
        try:
            provider_id = read_message_id(answer)
        except BadPdu:
            return Unknown("unreadable_answer")
        # An SMSC that names no message has it all the same; its receipts will find nobody.
        return Sent(same_id(self._settings, provider_id) if provider_id else f"unnamed:{payload.reference}", segments=payload.segments)

    def _late(self, payload: Payload, answer: Pdu) -> None:
        self._memory.answered_late(payload.reference, self._outcome(payload, answer), self._now())

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        """SMPP cannot ask for a message without the id that the lost answer held. What can be known: the answer came late after all, or a
        receipt echoed our reference. Else `Unknown` for ever, unless `unknown_resend_after` says when to take it for absent."""
        late = self._memory.late(payload.reference, attempted_at)
        if isinstance(late, Sent):
            return late
        if isinstance(late, Retry | Rejected):
            return Absent()
        provider_id = self._memory.echo(key.customer, digest16(payload.reference), attempted_at, known)
        if provider_id is not None:
            return Sent(provider_id, segments=payload.segments)
        limit = self._settings.unknown_resend_after
        if limit is None:
            return Unknown("cannot_be_asked")
        if not self.connected:  # its receipt could not have come
            return Unknown("not_connected")
        left = limit - (now - attempted_at)
        return Unknown("cannot_be_asked", left.total_seconds()) if left.total_seconds() > 0 else Absent()
