"""Where a conversation stands: a small plain-JSON value, the whole memory of the dialogue between two turns.

Position is data. A frame names flow, version and step; nothing is ever suspended. `to_json` and `from_json` are exact inverses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

SCHEMA_VERSION = 1

FrameKind = Literal["regular", "interrupt", "link", "call", "pattern"]
Owner = Literal["bot", "queue", "agent"]


class StateError(ValueError):
    """A stored state that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One flow in progress.

    `step` is the step that runs (or waits) next; "" before the first one. `done` means that the work of `step` is finished and only
    the way onwards is left. `visit` counts the steps run in this frame, so it numbers effects. `filled` remembers, in order, which
    step answered which slot (for a called flow that ended: the call step), which is what corrections rewind to.
    """

    id: str
    flow: str
    version: str
    step: str = ""
    kind: FrameKind = "regular"
    done: bool = False
    asked: bool = False
    visit: int = 0
    filled: tuple[tuple[str, str], ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def evolve(self, **changes: Any) -> Frame:
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "flow": self.flow,
            "version": self.version,
            "step": self.step,
            "kind": self.kind,
            "done": self.done,
            "asked": self.asked,
            "visit": self.visit,
            "filled": [list(pair) for pair in self.filled],
            "context": dict(self.context),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frame:
        return cls(
            id=data["id"],
            flow=data["flow"],
            version=data["version"],
            step=data["step"],
            kind=data["kind"],
            done=data["done"],
            asked=data["asked"],
            visit=data["visit"],
            filled=tuple((slot, step) for slot, step in data["filled"]),
            context=data["context"],
        )


@dataclass(frozen=True, slots=True)
class State:
    """The dialogue's memory. `stack` runs from bottom to top; `slots` holds only slots that differ from their initial value.

    `offered` are the flows the last turn asked the customer to choose between; `said` are the response names and texts of the last
    turn (for "say that again"). `session` counts sessions (0: none yet), `turn` counts messages; `last_active` is ISO 8601, UTC.
    """

    slots: Mapping[str, Any] = field(default_factory=dict)
    stack: tuple[Frame, ...] = ()
    turn: int = 0
    session: int = 0
    last_active: str = ""
    language: str = ""
    owner: Owner = "bot"
    offered: tuple[str, ...] = ()
    said: tuple[Mapping[str, Any], ...] = ()
    misunderstood: int = 0

    @property
    def top(self) -> Frame | None:
        return self.stack[-1] if self.stack else None

    def evolve(self, **changes: Any) -> State:
        return replace(self, **changes)

    def with_top(self, frame: Frame) -> State:
        """The same state with its top frame replaced."""
        return replace(self, stack=(*self.stack[:-1], frame))

    def to_json(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "slots": dict(self.slots),
            "stack": [frame.to_json() for frame in self.stack],
            "turn": self.turn,
            "session": self.session,
            "last_active": self.last_active,
            "language": self.language,
            "owner": self.owner,
            "offered": list(self.offered),
            "said": [dict(message) for message in self.said],
            "misunderstood": self.misunderstood,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> State:
        """Reads a stored state. Raises StateError when it was written by a schema this version does not know."""
        if data.get("schema_version") != SCHEMA_VERSION:
            raise StateError(
                f"state has schema_version {data.get('schema_version')!r}, this version reads {SCHEMA_VERSION}: migrate it first"
            )
        try:
            return cls(
                slots=data["slots"],
                stack=tuple(Frame.from_json(frame) for frame in data["stack"]),
                turn=data["turn"],
                session=data["session"],
                last_active=data["last_active"],
                language=data["language"],
                owner=data["owner"],
                offered=tuple(data["offered"]),
                said=tuple(data["said"]),
                misunderstood=data["misunderstood"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"state lacks or garbles the field {error}") from error
