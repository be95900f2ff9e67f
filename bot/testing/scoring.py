"""How well messages were understood: predicted commands against annotated ones, per message and per kind of command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.dialogue.commands import CannotHandle, Clarify, Command, SetSlot
from bot.language import Place

from .values import alike


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one kind of command: found rightly, found wrongly, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """Share of what was found that is right; None when nothing was found."""
        return self.right / found if (found := self.right + self.wrong) else None

    @property
    def recall(self) -> float | None:
        """Share of what is there that was found; None when nothing is there."""
        return self.right / there if (there := self.right + self.missed) else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when there is nothing to count."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class MessageScore:
    """One annotated message: what it means, what it was taken to mean, and the difference."""

    place: Place
    text: str
    expected: tuple[Command, ...]
    predicted: tuple[Command, ...]
    missed: tuple[Command, ...]
    wrong: tuple[Command, ...]
    kinds: Mapping[str, Tally]

    @property
    def is_right(self) -> bool:
        return not self.missed and not self.wrong


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of many messages. `cases` counts conversations with annotated messages, `right_cases` those wholly understood."""

    messages: int = 0
    right: int = 0
    cases: int = 0
    right_cases: int = 0
    kinds: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """Share of messages understood wholly; None without messages."""
        return self.right / self.messages if self.messages else None

    @property
    def case_accuracy(self) -> float | None:
        """Share of conversations understood wholly; None without any."""
        return self.right_cases / self.cases if self.cases else None


def score_message(place: Place, text: str, expected: Iterable[Command], predicted: Iterable[Command]) -> MessageScore:
    """Compares two sets of commands. No command at all means the same as CannotHandle."""
    wanted, got = _set_of(expected), _set_of(predicted)
    rest = list(got)
    right: list[Command] = []
    missed: list[Command] = []
    for command in wanted:
        match = next((i for i, other in enumerate(rest) if same(command, other)), None)
        if match is None:
            missed.append(command)
        else:
            right.append(command)
            del rest[match]
    kinds: dict[str, Tally] = {}
    for group, one in ((right, Tally(right=1)), (rest, Tally(wrong=1)), (missed, Tally(missed=1))):
        for command in group:
            kind = type(command).__name__
            kinds[kind] = kinds.get(kind, Tally()) + one
    return MessageScore(place, text, wanted, got, tuple(missed), tuple(rest), kinds)


def total(conversations: Iterable[Sequence[MessageScore]]) -> Score:
    """Adds up the messages of conversations."""
    messages = right = cases = right_cases = 0
    kinds: dict[str, Tally] = {}
    for scores in conversations:
        messages += len(scores)
        right += sum(score.is_right for score in scores)
        cases += bool(scores)
        right_cases += bool(scores) and all(score.is_right for score in scores)
        for score in scores:
            for kind, tally in score.kinds.items():
                kinds[kind] = kinds.get(kind, Tally()) + tally
    return Score(messages, right, cases, right_cases, dict(sorted(kinds.items())))


def same(expected: Command, predicted: Command) -> bool:
    """Whether two commands say the same: values loosely, an annotated `Clarify()` any clarification, options in any order."""
    if type(expected) is not type(predicted):
        return False
    if isinstance(expected, SetSlot) and isinstance(predicted, SetSlot):
        return expected.name == predicted.name and alike(expected.value, predicted.value, ignore_case=True)
    if isinstance(expected, Clarify) and isinstance(predicted, Clarify):
        return not expected.flows or set(expected.flows) == set(predicted.flows)
    return str(expected) == str(predicted)


def _set_of(commands: Iterable[Command]) -> tuple[Command, ...]:
    found: list[Command] = []
    for command in commands:
        if not any(same(command, other) and same(other, command) for other in found):
            found.append(command)
    return tuple(found) or (CannotHandle(),)
