"""The port: what an adapter for a messaging provider has to be. `contract.py` is the test suite to run against one.

A channel does three things. It turns a webhook into events (`receive`), a reply into payloads (`render`), and makes one
attempt to hand a payload to the provider (`send`, and `reconcile` after an attempt of unknown outcome). All else is the
framework's: storing and deduplicating events, ordering, retries and pacing, merging receipts, consent, quiet hours.
A channel therefore keeps no state of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from .addresses import ConversationKey
from .capabilities import Capabilities
from .events import Event, MediaLink
from .http import HttpRequest, Received
from .outbound import Outbound, Payload
from .outcomes import Reconciled, SendOutcome


@runtime_checkable
class MessageChannel(Protocol):
    """An adapter for a provider of messages. `name` is stable: it is stored in conversation keys."""

    @property
    def name(self) -> str: ...

    def capabilities(self, key: ConversationKey) -> Capabilities:
        """What can be sent in this conversation."""
        ...

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        """The requests that say all of a message, in order, each fit for the channel. Pure; empty for an empty message.

        References are the message's idempotency key, with `/2`, `/3` ... from the second payload on.
        """
        ...

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        """One attempt, one request, within a bounded time. Never raises for what the network or the provider does.

        `Retry` only when the provider certainly has not accepted it; anything less sure is `Unknown`.
        """
        ...

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        """What became of an attempt of unknown outcome begun at `attempted_at`. `known` are provider ids of other messages.

        `Sent` if the provider has it, `Absent` if it certainly has not, `Unknown` if that cannot be said yet. Never raises for
        what the network or the provider does.
        """
        ...


@runtime_checkable
class WebhookChannel(MessageChannel, Protocol):
    """A channel whose provider calls us over HTTP. (One that holds a connection, as SMPP does, hands over events itself.)"""

    def receive(self, request: HttpRequest) -> Received:
        """Verifies and reads a webhook. Pure, and never raises: what cannot be verified gives no events and an answer of 4xx."""
        ...


Deliver = Callable[[Sequence[Event]], Awaitable[None]]
"""Stores events for good. Raises when it cannot: then do not acknowledge them, the provider will tell them again."""


@runtime_checkable
class ConnectedChannel(MessageChannel, Protocol):
    """A channel that holds a connection to its provider, over which events come in, as SMPP does."""

    async def run(self, deliver: Deliver) -> None:
        """Keeps the connection, again and again when it is lost, until cancelled. Acknowledges an event when `deliver` has returned.

        `send` works while this runs; without a connection it gives `Retry`.
        """
        ...


@runtime_checkable
class BacklogChannel(MessageChannel, Protocol):
    """A channel whose provider can be asked for what customers wrote, in case it could not reach us."""

    async def backlog(self, since: datetime) -> Sequence[Event]:
        """Messages that came since then, oldest first, with the same `event_id` as their webhooks had. May raise OSError."""
        ...


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file a customer sent. `content_type` is what the bytes are, not only what was claimed."""

    content: bytes = field(repr=False)
    content_type: str


class MediaRefused(Exception):
    """A file was not fetched. `code` is stable; `again` tells whether trying later can help."""

    def __init__(self, code: str, detail: str, *, again: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.again = again


@runtime_checkable
class MediaSource(Protocol):
    """A channel that customers can send files over."""

    async def fetch(self, link: MediaLink) -> MediaFile:
        """Downloads one file, within bounds of size, kind and time. Raises MediaRefused."""
        ...
