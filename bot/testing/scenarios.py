"""Test cases as typed, immutable values. `reader` builds them from YAML, `runner` plays them, `matching` judges them.

Names and meanings follow the documented end-to-end and dialogue-understanding test formats (`bot/docs/language.md`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.dialogue.commands import Command, parse_payload
from bot.language import Place, Problem

ANY_ANSWER = "placeholder_generated_answer"
"""The response name that stands for any text, where a model words the answer."""

Operator = Literal["all", "any"]


@dataclass(frozen=True, slots=True)
class BotSays:
    """The bot says exactly this text (white space apart)."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Utters:
    """The bot says the response of this name."""

    place: Place
    response: str


@dataclass(frozen=True, slots=True)
class SlotSet:
    """The slot has `value`; any value but null when `bare`."""

    place: Place
    name: str
    value: Any = None
    bare: bool = True


@dataclass(frozen=True, slots=True)
class SlotNotSet:
    """The opposite of SlotSet."""

    place: Place
    name: str
    value: Any = None
    bare: bool = True


@dataclass(frozen=True, slots=True)
class FlowStarted:
    """All (or any) of these flows started in the turn, in whatever way; patterns count too."""

    place: Place
    flows: tuple[str, ...]
    operator: Operator = "all"


@dataclass(frozen=True, slots=True)
class FlowEnded:
    """The flow was completed or cancelled, at `step` when given."""

    place: Place
    how: Literal["completed", "cancelled"]
    flow: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class ActionExecuted:
    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Uttered:
    """One message of the bot has all that is given; `wanted` False: no message has.

    `buttons` must be among the message's buttons; each names a title, a payload, or both.
    """

    place: Place
    wanted: bool = True
    response: str = ""
    text: re.Pattern[str] | None = None
    buttons: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClarificationContains:
    """The customer was offered these flows (ids or names) to choose from."""

    place: Place
    names: tuple[str, ...]
    operator: Operator = "all"


@dataclass(frozen=True, slots=True)
class Judged:
    """An assertion that needs a judging model (`kind` says which); always skipped."""

    place: Place
    kind: str


Expectation = BotSays | Utters | SlotSet | SlotNotSet
"""A plain step."""

Assertion = FlowStarted | FlowEnded | ActionExecuted | SlotSet | SlotNotSet | Uttered | ClarificationContains | Judged


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message of the customer and what is expected of the answer. `text` None: the session start, before any message.

    `commands` None: not annotated. With `assertions` the plain `expected` steps do not count.
    """

    place: Place
    text: str | None
    expected: tuple[Expectation, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    ordered: bool = False
    commands: tuple[Command, ...] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_payload(self) -> bool:
        """Whether the text is what a button sends, which needs no understanding."""
        return self.text is not None and (self.text.lstrip().startswith("/") or parse_payload(self.text) is not None)

    @property
    def is_replayable(self) -> bool:
        """Whether this can be played without understanding."""
        return self.text is None or self.is_payload or self.commands is not None

    @property
    def checks(self) -> tuple[Expectation | Assertion, ...]:
        """What counts here: the assertions, if there are any, else the plain steps."""
        return self.assertions or self.expected


@dataclass(frozen=True, slots=True)
class Stub:
    """What a custom action answers in a test instead of running: events and responses as an action server writes them."""

    events: tuple[Mapping[str, Any], ...] = ()
    responses: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation. `slots` are set after the session start; `metadata` goes with every message, a message's own on top.

    A case with `problems` could not be read completely and is not played.
    """

    name: str
    place: Place
    exchanges: tuple[Exchange, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def id(self) -> str:
        """`file::name`, as `-k` and `FILE::NAME` see it."""
        return f"{self.place.file}::{self.name}"

    @property
    def only_judged(self) -> bool:
        """Whether nothing is checked but what needs a judging model."""
        checks = [check for exchange in self.exchanges for check in exchange.checks]
        return bool(checks) and all(isinstance(check, Judged) for check in checks)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What one file holds. `problems` are those of the file itself; those of a case are with the case."""

    path: str
    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
