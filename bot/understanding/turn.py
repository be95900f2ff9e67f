"""One message with all that the stages of the cascade look at, and when a guess is good enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.dialogue.state import State
from bot.language import PATTERN_PREFIX, Project, Slot

from .classifier import Guess
from .entities import Where


@dataclass(frozen=True, slots=True)
class Bands:
    """When a guess is acted on. Probabilities from 0 to 1; `margin` is the lead over the second guess."""

    accept: float = 0.5
    margin: float = 0.15
    accept_while_asked: float = 0.65
    accept_over_answer: float = 0.85
    accept_each_half: float = 0.7
    clarify: float = 0.25


@dataclass(frozen=True, slots=True)
class Turn:
    """One message with all that stages look at."""

    text: str
    state: State
    project: Project
    where: Where
    slot: Slot | None
    guesses: Callable[[str], tuple[Guess, ...]]

    @property
    def active(self) -> str:
        """The flow the customer is in: the top frame that is no pattern."""
        return next((frame.flow for frame in reversed(self.state.stack) if not frame.flow.startswith(PATTERN_PREFIX)), "")

    @property
    def stacked(self) -> frozenset[str]:
        return frozenset(frame.flow for frame in self.state.stack)

    @property
    def in_pattern(self) -> bool:
        return self.state.top is not None and self.state.top.flow.startswith(PATTERN_PREFIX)

    @property
    def asking(self) -> bool:
        """Whether a flow (no pattern) waits for an answer."""
        return self.slot is not None and not self.in_pattern

    def value(self, name: str) -> Any:
        if name in self.state.slots:
            return self.state.slots[name]
        slot = self.project.slots.get(name)
        return slot.initial_value if slot is not None else None
