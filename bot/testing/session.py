"""The port through which tests reach a bot: the part of the session API that a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.dialogue.actions import Actions
from bot.dialogue.commands import Command
from bot.dialogue.state import State
from bot.dialogue.understander import Understanding
from bot.language import Project


class PlayedTurn(Protocol):
    """What a turn left behind: its transcript events in order, the state after it, and how the message was understood."""

    @property
    def events(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def state(self) -> State: ...
    @property
    def understanding(self) -> Understanding | None: ...


class Session(Protocol):
    """A bot that can be talked to. Conversations are told apart by name; an unknown name begins a new one."""

    @property
    def project(self) -> Project: ...

    @property
    def actions(self) -> Actions:
        """The custom actions the bot runs unless a turn brings its own."""
        ...

    async def start_session(
        self,
        conversation: str,
        *,
        sender: str = ...,
        channel: str = ...,
        language: str | None = ...,
        metadata: Mapping[str, Any] | None = ...,
        actions: Actions | None = ...,
    ) -> PlayedTurn:
        """Starts the session before any message, as the first message would otherwise do."""
        ...

    async def turn(
        self,
        conversation: str,
        text: str,
        *,
        commands: Sequence[Command] | None = ...,
        sender: str = ...,
        channel: str = ...,
        language: str | None = ...,
        metadata: Mapping[str, Any] | None = ...,
        actions: Actions | None = ...,
    ) -> PlayedTurn:
        """One message and its answer. With `commands` nothing is understood: they are taken as the meaning."""
        ...

    async def understand(
        self,
        conversation: str,
        text: str,
        *,
        channel: str = ...,
        language: str | None = ...,
        metadata: Mapping[str, Any] | None = ...,
    ) -> Understanding:
        """What a message would be taken to mean now. Changes nothing. Needed for scoring only."""
        ...

    async def set_slots(self, conversation: str, slots: Mapping[str, Any]) -> None: ...
