"""The port to custom actions: what the dialogue hands out, what it gets back, how a failure is told.

Implementations live outside (`integrations.rasa`); the dialogue never knows whether an action ran in process or over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

FailureKind = Literal["failed", "timeout", "rejected", "bad_event", "unknown", "unknown_outcome"]


class ActionFailed(Exception):
    """An action did not do its work. `kind` says how; `detail` is safe to log (no personal data, no request bodies).

    `unknown_outcome`: an effect was begun earlier and nobody knows whether it happened; it must not be repeated blindly.
    """

    def __init__(self, kind: FailureKind, action: str, detail: str) -> None:
        super().__init__(f"action {action}: {kind}: {detail}")
        self.kind = kind
        self.action = action
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One call of a custom action.

    `key` is the idempotency key: the same on every repetition of the same step of the same message, different otherwise.
    `slots` holds every slot of the project, None when empty. `events` are the latest transcript events, oldest first.
    """

    action: str
    key: str
    conversation: str
    slots: Mapping[str, Any]
    text: str
    now: datetime
    language: str
    channel: str
    domain: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    active_flow: str = ""
    stack: Sequence[Mapping[str, Any]] = ()
    candidate: tuple[str, Any] | None = None
    """For `validate_<slot>`: the slot and the value to be judged."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something an action wants said: a response by name with extra values, or literal content."""

    response: str = ""
    text: str = ""
    buttons: tuple[Mapping[str, Any], ...] = ()
    image: str = ""
    attachment: Any = None
    custom: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What an action asks for: slots to set in order, things to say in order, and events beyond that by their documented name.

    `events` keeps only the kinds the dialogue acts on (`followup`, `restart`, `reset_slots`, `pause`, `session_ended`, ...).
    All values are plain JSON.
    """

    slots: tuple[tuple[str, Any], ...] = ()
    utterances: tuple[Utterance, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "slots": [list(pair) for pair in self.slots],
            "utterances": [
                {
                    "response": u.response,
                    "text": u.text,
                    "buttons": [dict(b) for b in u.buttons],
                    "image": u.image,
                    "attachment": u.attachment,
                    "custom": u.custom,
                    "values": dict(u.values),
                }
                for u in self.utterances
            ],
            "events": [dict(event) for event in self.events],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ActionResult:
        return cls(
            slots=tuple((name, value) for name, value in data["slots"]),
            utterances=tuple(Utterance(**{**u, "buttons": tuple(u["buttons"])}) for u in data["utterances"]),
            events=tuple(data["events"]),
        )


class Actions(Protocol):
    """Runs custom actions. `names` are the actions there are; `run` raises ActionFailed and nothing else."""

    @property
    def names(self) -> frozenset[str]: ...

    async def run(self, call: ActionCall) -> ActionResult: ...


class NoActions:
    """A project without custom actions."""

    names: frozenset[str] = frozenset()

    async def run(self, call: ActionCall) -> ActionResult:
        raise ActionFailed("unknown", call.action, "this project has no custom actions")
