"""What can arrive from a channel. Every adapter speaks this vocabulary and no other.

Texts and raw fields are kept out of `repr`: an event may be logged, its words may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from .addresses import ConversationKey
from .receipts import Status


@dataclass(frozen=True, slots=True)
class Inbound:
    """What all events have.

    `event_id` is unique per event, not per message: a message and each of its receipts differ, and the same event told twice
    has the same one. The inbox inserts or ignores by it.
    """

    key: ConversationKey
    event_id: str
    received_at: datetime
    raw: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaLink:
    """A picture or file that came with a message, still at the provider's. Fetch it through the channel's `MediaSource`."""

    url: str = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class UserMessage(Inbound):
    """The customer wrote. `choice_id` is the id of the button pressed, if one was; `text` is then its title."""

    text: str = field(repr=False)
    media: tuple[MediaLink, ...] = ()
    choice_id: str | None = field(default=None, repr=False)
    lang: str | None = None


class ConsentKind(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Consent(Inbound):
    """The customer stopped, resumed, or asked what this number is. Goes to the consent ledger, never to a model.

    `provider_replied`: the provider has answered the customer, so do not answer again.
    `only_if_stopped`: the word means this only to a customer who has opted out ("yes" resumes then, and is an ordinary answer
    otherwise). `bot.channels.consent.decide` knows what to do.
    """

    kind: ConsentKind
    text: str = field(repr=False)
    provider_replied: bool = False
    only_if_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Receipt(Inbound):
    """What became of a message we sent, as far as the provider knows. Merge it with `bot.channels.receipts`.

    `reference` is the `Payload.reference` of the message where the channel carries one: it settles a send of unknown outcome.
    `closes_consent`: the message failed because the customer has opted out, which the ledger must learn.
    """

    provider_id: str
    status: Status
    error_code: str | None = None
    reference: str | None = None
    closes_consent: bool = False


Event: TypeAlias = UserMessage | Consent | Receipt
