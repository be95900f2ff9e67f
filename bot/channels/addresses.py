"""Who writes to whom: addresses, and the pair of addresses that makes a conversation."""

from __future__ import annotations

from dataclasses import dataclass

TEL = "tel"
WHATSAPP = "whatsapp"
RCS = "rcs"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A place a message can be sent to.

    `scheme` names the network (`tel` for text messages and calls, `whatsapp`, `rcs`, `web`, or an adapter's own), `value` what
    the network calls the party: a number as E.164 (`+12025550101`), a short code, an id. `str` gives all of it, as
    `scheme:value`; `repr`, which is what ends up in logs and tracebacks, gives the last two characters only.
    """

    scheme: str
    value: str

    def __post_init__(self) -> None:
        if not self.scheme or ":" in self.scheme:
            raise ValueError("an address needs a scheme such as 'tel', without a colon")
        if not self.value:
            raise ValueError(f"an address of scheme {self.scheme!r} needs a value")

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads what `str` wrote; without a scheme it is `tel`. Raises ValueError."""
        scheme, colon, value = text.partition(":")
        return cls(scheme, value) if colon else cls(TEL, text)

    @property
    def masked(self) -> str:
        """For logs: `tel:...01`."""
        return f"{self.scheme}:...{self.value[-2:] if len(self.value) > 4 else ''}"

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"

    def __repr__(self) -> str:
        return f"Address({self.masked!r})"


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """What one conversation is known by, and what the one-turn-at-a-time claim is taken on.

    `business` is part of it: the same customer writing to two of the operator's numbers has two conversations. `session` tells
    apart two simultaneous ones of the same pair (calls, browser tabs).
    """

    channel: str
    business: Address
    customer: Address
    session: str | None = None

    def __str__(self) -> str:
        parts = (self.channel, str(self.business), str(self.customer), *([self.session] if self.session else ()))
        return "|".join(parts)
