"""What is asked for: a broadcast as a value, and why one is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.channels import Address, ConversationKey, MessageChannel, Purpose

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_URGENCY = {Purpose.NOTIFY: 3, Purpose.MARKETING: 5}
_RATE = 10.0


class BroadcastRefused(Exception):
    """A broadcast cannot be done as asked. `code` is stable; the message says what to do and holds no personal data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said, one of three: a response of the project by name, a text by language, or the provider's id of an approved
    template by language."""

    response: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastOrder:
    """A message to many. `id` names it for good, in keys that providers see: no personal data.

    `business` is the operator's address it is sent from; `rate` is segments a second, None for the channel's own; without `start_at` it
    begins at once. `region` is the country of numbers that are written without one (`US`, `KR`).
    """

    id: str
    channel: str
    business: Address
    wording: Wording
    purpose: Purpose = Purpose.NOTIFY
    rate: float | None = None
    start_at: datetime | None = None
    region: str = "US"

    @property
    def priority(self) -> int:
        """Replies are 0: they always go first."""
        return _URGENCY[self.purpose]

    @property
    def needs_agreement(self) -> bool:
        return self.purpose is Purpose.MARKETING

    def key(self, number: str) -> ConversationKey:
        """With whom, for a number in E.164: on the network that the operator's own address is on."""
        return ConversationKey(self.channel, self.business, Address(self.business.scheme, number))

    def pace(self, channel: MessageChannel) -> float:
        """Segments a second: what was asked for, but not more than the channel can."""
        most = channel.capabilities(self.key(self.business.value)).segments_per_second
        return min(self.rate or most or _RATE, most or float("inf"))

    def verify(self, channel: MessageChannel | None) -> MessageChannel:
        """The channel, if it can do this. Raises BroadcastRefused."""
        if channel is None:
            raise BroadcastRefused("unknown_channel", f"there is no channel {self.channel!r}: configure it, or name another")
        can = channel.capabilities(self.key(self.business.value))
        given = [bool(self.wording.response), bool(self.wording.texts), bool(self.wording.templates)]
        refusals = (
            (not _ID.fullmatch(self.id), "bad_name", "a name is up to 60 small letters, digits, '-' and '_'"),
            (self.purpose not in _URGENCY, "bad_purpose", "the purpose of a broadcast is notify or marketing"),
            (self.rate is not None and self.rate <= 0, "bad_rate", "the rate is segments a second, above zero"),
            (sum(given) != 1, "bad_wording", "give either a response, or texts, or templates"),
            (not can.can_initiate, "cannot_initiate", f"channel {self.channel} cannot write to somebody first"),
            (
                bool(self.wording.templates) and not can.templates,
                "no_templates",
                f"channel {self.channel} knows no templates: give a response or texts",
            ),
            (
                can.free_form_window_s is not None and not self.wording.templates,
                "needs_template",
                f"{self.business.scheme} lets only approved templates begin a conversation: give the template's id by language",
            ),
        )
        for refused, code, message in refusals:
            if refused:
                raise BroadcastRefused(code, message)
        return channel

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "channel": self.channel,
            "business": str(self.business),
            "response": self.wording.response,
            "texts": dict(self.wording.texts),
            "templates": dict(self.wording.templates),
            "purpose": self.purpose.value,
            "rate": self.rate,
            "start_at": self.start_at and self.start_at.isoformat(),
            "region": self.region,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> BroadcastOrder:
        """Reads what `to_json` gave."""
        return cls(
            id=stored["id"],
            channel=stored["channel"],
            business=Address.parse(stored["business"]),
            wording=Wording(stored["response"], stored["texts"], stored["templates"]),
            purpose=Purpose(stored["purpose"]),
            rate=stored["rate"],
            start_at=None if stored["start_at"] is None else datetime.fromisoformat(stored["start_at"]),
            region=stored["region"],
        )
