"""The state of a handset: messages out and in with their marks, and what waits at the carrier while it is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ..segments import count

Mark = Literal["", "sent", "not delivered"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it is shown. `incoming`: from the operator. `at` has a zone; `parts` are what it costs, in segments."""

    text: str
    incoming: bool
    at: datetime
    media: tuple[str, ...] = ()
    mark: str = ""

    @property
    def parts(self) -> int:
        return count(self.text).segments if self.text else 1

    def lines(self) -> list[str]:
        """Plain lines: who, the text, its files; the customer's own marked when they did not arrive."""
        who = "<" if self.incoming else ">"
        first, *others = self.text.splitlines() or [""]
        note = f"  ({self.mark})" if self.mark else ""
        return [
            f"{who} {first}{note if not others else ''}",
            *(f"  {line}" for line in others),
            *(f"  [file] {link}" for link in self.media),
        ]


@dataclass(frozen=True, slots=True)
class Handset:
    """A number, switched on or off. Values: every change gives a new one."""

    number: str
    on: bool = True
    shown: tuple[Shown, ...] = ()
    waiting: tuple[tuple[str, Shown], ...] = field(default=())
    """Messages at the carrier by their id, until the handset is on."""

    def wrote(self, text: str, at: datetime, *, arrived: bool, media: Sequence[str] = ()) -> Handset:
        """Its owner wrote, and the operator's server took it or did not."""
        message = Shown(text, False, at, tuple(media), "" if arrived else "not delivered")
        return replace(self, shown=(*self.shown, message))

    def got(self, message_id: str, message: Shown) -> tuple[Handset, Shown | None]:
        """The carrier has a message for it. Shown at once when it is on, else kept: then None."""
        if not self.on:
            return replace(self, waiting=(*self.waiting, (message_id, message))), None
        return replace(self, shown=(*self.shown, message)), message

    def switched_off(self) -> Handset:
        return replace(self, on=False)

    def switched_on(self) -> tuple[Handset, tuple[tuple[str, Shown], ...]]:
        """On again, with what had waited, in order."""
        arrived = self.waiting
        return replace(self, on=True, waiting=(), shown=(*self.shown, *(message for _, message in arrived))), arrived
