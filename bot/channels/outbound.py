"""What the bot wants said, and what an adapter makes of it for its provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Purpose(StrEnum):
    """Why a message is sent: what consent and quiet hours go by."""

    REPLY = "reply"  # an answer in a conversation the customer is in
    NOTIFY = "notify"  # something the customer needs to know: an outage, a payment that failed
    MARKETING = "marketing"  # an offer


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. Without buttons on the channel it becomes a numbered line."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text the provider has approved beforehand, needed outside the free-form window of some networks."""

    id: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


@dataclass(frozen=True, slots=True)
class Outbound:
    """One reply. `idempotency_key` is unique for it (`<turn id>:<n>`) and holds no personal data: providers see it."""

    idempotency_key: str
    text: str = field(repr=False)
    choices: tuple[Choice, ...] = ()
    media: tuple[str, ...] = field(default=(), repr=False)
    purpose: Purpose = Purpose.REPLY
    lang: str | None = None
    template: Template | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One request to the provider, ready to send: an outbox row.

    `fields` are the provider's own, in order, names may repeat; `segments` is what it costs and what pacing counts;
    `reference` is the outbound's idempotency key, with `/<n>` from the second part on, unique per payload.
    """

    reference: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    segments: int = 1

    def get(self, name: str) -> str | None:
        """The first value of a field."""
        return next((value for key, value in self.fields if key == name), None)

    def to_json(self) -> dict[str, Any]:
        return {"reference": self.reference, "fields": [list(pair) for pair in self.fields], "segments": self.segments}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Payload:
        """Reads what `to_json` gave. Raises KeyError or ValueError on anything else."""
        fields = tuple((str(name), str(value)) for name, value in stored["fields"])
        return cls(str(stored["reference"]), fields, int(stored["segments"]))
