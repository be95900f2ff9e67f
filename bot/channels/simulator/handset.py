"""The state of a handset: its SIM cards, which of them are switched on, and the messages out and in with how far they got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..receipts import Progress, Status
from ..segments import count


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it is shown. `number` is the SIM's, `incoming`: from the operator. `at` has a zone.

    `part`: of a reply that came as several messages, which this is; 0 when that is not known. `by_carrier`: an answer of the provider's own.
    """

    id: str
    number: str
    text: str
    incoming: bool
    at: datetime
    files: tuple[str, ...] = ()
    part: int = 0
    by_carrier: bool = False
    progress: Progress = field(default=Progress(Status.SENDING))

    @property
    def segments(self) -> int:
        return count(self.text).segments


@dataclass(frozen=True, slots=True)
class Handset:
    """`number` is the SIM in use, one of `sims`. A value: every change gives a new one."""

    number: str
    sims: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()
    messages: tuple[Shown, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.number not in self.sims:
            object.__setattr__(self, "sims", (*self.sims, self.number))

    @property
    def on(self) -> bool:
        """Whether the SIM in use is switched on."""
        return self.number not in self.off

    def using(self, number: str) -> Handset:
        """With this SIM in use; the others stay as they are."""
        return replace(self, number=number)

    def switched(self, *, on: bool) -> Handset:
        return replace(self, off=self.off - {self.number} if on else self.off | {self.number})

    def wrote(self, id: str, text: str, at: datetime, *, files: Sequence[str] = ()) -> Handset:
        """Its owner wrote."""
        return self._with(Shown(id, self.number, text, False, at, tuple(files)))

    def got(self, message: Shown) -> Handset:
        """A message has arrived."""
        return self._with(replace(message, incoming=True))

    def marked(self, id: str, status: Status, error_code: str = "") -> Handset:
        """News of a message: how far it got, which only ever goes up. Unchanged for one it does not have."""
        news = Progress(status, error_code)
        for index in range(len(self.messages) - 1, -1, -1):  # news are of late ones
            message = self.messages[index]
            if message.id == id:
                changed = replace(message, progress=message.progress.merge(news))
                return replace(self, messages=(*self.messages[:index], changed, *self.messages[index + 1 :]))
        return self

    def find(self, id: str) -> Shown | None:
        return next((message for message in reversed(self.messages) if message.id == id), None)

    def _with(self, message: Shown) -> Handset:
        return replace(self, messages=(*self.messages, message))
