"""What came of running test cases, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.language import Place, Problem

from .scoring import MessageScore, Score, total

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation and how it went. `actual` says what was there instead, or why it was skipped."""

    place: Place
    expected: str
    status: Status
    actual: str = ""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """One message and its answer. `text` None: the session start. `happened` describes the answer, a line an event.

    `error` names an exception that ended the case here.
    """

    place: Place
    text: str | None
    status: Status
    checks: tuple[Check, ...] = ()
    happened: tuple[str, ...] = ()
    error: str = ""
    score: MessageScore | None = None

    @property
    def reason(self) -> str:
        """What went wrong first, in one line; empty when nothing did."""
        if self.error:
            return self.error
        return next((f"{check.expected}: {check.actual}" for check in self.checks if check.status == "failed"), "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case and how it went. `reason` is one line; `seconds` is the time it took."""

    case: str
    place: Place
    status: Status
    reason: str = ""
    turns: tuple[TurnResult, ...] = ()
    seconds: float = 0.0

    @property
    def scores(self) -> tuple[MessageScore, ...]:
        return tuple(turn.score for turn in self.turns if turn.score is not None)


@dataclass(frozen=True)
class Report:
    """A whole run. `problems` are those of files and paths; those of a case are in its outcome."""

    outcomes: Sequence[Outcome] = ()
    problems: Sequence[Problem] = ()
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    @cached_property
    def score(self) -> Score:
        return total(outcome.scores for outcome in self.outcomes)

    @property
    def exit_status(self) -> int:
        """0: no case failed; 1: one did; 2: a file could not be read, so there may be more."""
        if self.problems:
            return 2
        return 1 if self.count("failed") else 0

    @property
    def summary(self) -> str:
        return f"{self.count('passed')} passed, {self.count('failed')} failed, {self.count('skipped')} skipped"
