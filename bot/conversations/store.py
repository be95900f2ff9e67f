"""The port to stored conversations, and its twin in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from .document import decode, encode
from .versions import MemoryArchive


class ConflictError(Exception):
    """Somebody else saved the conversation since it was loaded. Nothing was written: load it and take the turn again."""

    reason = "is no longer at version {expected}: load it and take the turn again"

    def __init__(self, conversation: str, expected: int) -> None:
        super().__init__(f"conversation {conversation} {self.reason.format(expected=expected)}")
        self.conversation = conversation
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation's state as plain JSON, and the version it was saved as (1, 2, ...)."""

    state: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the queue for people. `body` is the hand-over: reason, summary, slots, path, language; `requested_at` is ISO 8601, UTC."""

    conversation: str
    requested_at: str
    skill: str
    priority: int
    body: dict[str, Any]


HANDOFF = "handoff"
"""The event that puts a conversation in the queue."""

HANDOFF_ENDED = "handoff_ended"
"""The event that takes it out again."""


class Conversations(Protocol):
    """Keeps one state document a conversation, its transcript, and the queue for people.

    A transcript event `handoff` makes a row of the queue and `handoff_ended` ends it, in the transaction that stores the event.
    """

    async def load(self, conversation: str) -> Stored | None:
        """The latest state, a copy of its own; None for a conversation that was never saved."""
        ...

    async def save(self, conversation: str, state: Mapping[str, Any], expected: int, events: Sequence[Mapping[str, Any]] = ()) -> int:
        """Stores the state and appends the transcript events, both or neither, and returns the new version.

        `expected` is the version that was loaded, 0 for a new conversation. Raises ConflictError when the stored version is
        another, TypeError or ValueError when the state or an event is not JSON.
        """
        ...

    async def events(self, conversation: str, last: int) -> list[dict[str, Any]]:
        """The `last` newest transcript events, oldest first."""
        ...

    async def waiting(self) -> list[Waiting]:
        """Who waits for a person: most urgent first, then longest waiting."""
        ...


class MemoryConversations(MemoryArchive):
    """Conversations, and the flow versions they run on, that end with the process. Goes through JSON text, so what cannot be stored fails here as well."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._states: dict[str, tuple[str, int]] = {}
        self._events: dict[str, list[str]] = {}
        self._waiting: dict[str, str] = {}
        self._now = now

    async def load(self, conversation: str) -> Stored | None:
        found = self._states.get(conversation)
        return None if found is None else Stored(decode(found[0]), found[1])

    async def save(self, conversation: str, state: Mapping[str, Any], expected: int, events: Sequence[Mapping[str, Any]] = ()) -> int:
        document, bodies = encode(dict(state)), [encode(dict(event)) for event in events]
        if self._states.get(conversation, ("", 0))[1] != expected:
            raise ConflictError(conversation, expected)
        self._states[conversation] = (document, expected + 1)
        self._events.setdefault(conversation, []).extend(bodies)
        for event in events:
            if event.get("event") in (HANDOFF, HANDOFF_ENDED):
                self._waiting.pop(conversation, None)
            if event.get("event") == HANDOFF:
                self._waiting[conversation] = encode({"at": self._now().isoformat(timespec="seconds"), "body": dict(event)})
        return expected + 1

    async def waiting(self) -> list[Waiting]:
        rows = [(conversation, decode(text)) for conversation, text in self._waiting.items()]
        queue = [Waiting(name, row["at"], row["body"]["skill"], row["body"]["priority"], row["body"]) for name, row in rows]
        return sorted(queue, key=lambda row: (row.priority, row.requested_at))

    async def events(self, conversation: str, last: int) -> list[dict[str, Any]]:
        bodies = self._events.get(conversation, [])
        return [decode(body) for body in bodies[-last:]] if last > 0 else []
