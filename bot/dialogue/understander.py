"""The port between words and commands. Local models, LLMs and test scripts all implement `Understander`; the dialogue cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.language import Project

from .commands import Command
from .state import State


@dataclass(frozen=True, slots=True)
class Message:
    """One inbound message. `history` is the latest talk, oldest first: (speaker `user`|`bot`, text).

    `now` is the time where the customer is, for "tomorrow" and "next Friday"; None when nobody knows.
    """

    text: str
    language: str = "en"
    channel: str = "text"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[tuple[str, str], ...] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A flow the message may mean, with a probability between 0 and 1."""

    flow: str
    probability: float


@dataclass(frozen=True, slots=True)
class Entity:
    """A value found in the text: `text[start:end]`, its kind (`phone`, `date`, ...) and the value as a slot takes it."""

    kind: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a message was taken to mean. `engine` names the stage that decided, for the trace."""

    commands: tuple[Command, ...]
    candidates: tuple[Candidate, ...] = ()
    entities: tuple[Entity, ...] = ()
    engine: str = ""


class Understander(Protocol):
    """Turns a message into commands. Must not raise for any text: what cannot be understood is CannotHandle."""

    async def __call__(self, message: Message, state: State, project: Project) -> Understanding: ...
