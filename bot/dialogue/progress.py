"""A turn in progress: the state so far and what has happened, passed from step to step; and what steps may ask of the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from bot.conversations import Effects
from bot.language import Flow, Project

from . import slots, stack
from .actions import Actions
from .commands import Command
from .state import Frame, FrameKind, State
from .understander import Message, Understander, Understanding

Event = Mapping[str, Any]
Stop = Literal["wait", "switch"]
"""Why a flow's run stopped before its end: the customer must answer, or another frame is on top now."""


class FlowVersions(Protocol):
    """Finds flows by id and version. Versions are immutable; None when one has vanished."""

    def __call__(self, flow: str, version: str) -> Flow | None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one turn may use of the outside; never changes during the turn. `message_id` names the inbound message, once and for all."""

    project: Project
    versions: FlowVersions
    actions: Actions
    effects: Effects | None
    understander: Understander
    conversation: str
    message_id: str
    message: Message
    now: datetime
    graphs: Callable[[Flow], Any]
    handoff_available: bool = False
    history: Sequence[Mapping[str, Any]] = ()
    commands: tuple[Command, ...] | None = None
    max_steps: int = 250
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names under which actions may ask for a response."""

    def flow_of(self, frame: Frame) -> Flow | None:
        """The flow a frame runs, in its own version."""
        current = self.project.flows.get(frame.flow)
        if current is not None and current.version == frame.version:
            return current
        return self.versions(frame.flow, frame.version)


@dataclass(frozen=True, slots=True)
class Progress:
    """The state so far, the events so far, and why the run of a flow stopped. `frames` numbers the frames made in this turn."""

    state: State
    events: tuple[Event, ...] = ()
    stop: Stop | None = None
    steps: int = 0
    frames: int = 0
    repeated: bool = False
    understanding: Understanding | None = None
    failure: Mapping[str, Any] | None = field(default=None)

    def evolve(self, **changes: Any) -> Progress:
        return replace(self, **changes)

    def emit(self, event: str, **details: Any) -> Progress:
        return replace(self, events=(*self.events, {"event": event, **details}))

    def with_frame(self, **changes: Any) -> Progress:
        """Changes the top frame."""
        top = self.state.top
        assert top is not None
        return replace(self, state=self.state.with_top(top.evolve(**changes)))

    def push(self, flow: Flow, kind: FrameKind, context: Mapping[str, Any] | None = None) -> Progress:
        """Puts a fresh frame of a flow on top. Its id derives from the turn, so a replay makes the same one."""
        frame = Frame(f"{self.state.turn}.{self.frames}", flow.id, flow.version, kind=kind, context=dict(context or {}))
        started = self.evolve(state=self.state.evolve(stack=(*self.state.stack, frame)), frames=self.frames + 1)
        return started.emit("flow_started", flow=flow.id, frame=frame.id, kind=kind)

    def push_pattern(self, name: str, project: Project, context: Mapping[str, Any] | None = None) -> Progress:
        """Puts a repair pattern on top. A pattern the project lacks is told as a problem and left out."""
        flow = project.flows.get(name)
        if flow is None:
            return self.emit("problem", code="unknown-pattern", detail=f"there is no flow {name}", flow=name, step="")
        return self.push(flow, "pattern", context)

    def push_validation(self, name: str, project: Project) -> Progress:
        """Puts the validation pattern on top, which blocks until the slot keeps its own rules."""
        slot = project.slots[name]
        refill = slot.validation.refill_utter if slot.validation else ""
        context = {"validate": name, "refill_utter": refill or f"utter_ask_{name}", "refill_action": f"action_ask_{name}", "rejections": []}
        return self.push_pattern("pattern_validate_slot", project, context)

    def reset_after(self, flow: Flow, project: Project, keeping: Iterable[str] = ()) -> Progress:
        """Empties the slots that an ended flow leaves behind, except those in `keeping`."""
        state, emptied = stack.reset_after(self.state, flow, project, keeping)
        progress = self.evolve(state=state)
        for name in emptied:
            progress = progress.emit("slot", name=name, value=project.initial_values.get(name), by="reset")
        return progress

    def set_slot(self, name: str, new: Any, project: Project, by: str) -> Progress:
        state = slots.with_value(self.state, project, name, new)
        return self.evolve(state=state).emit("slot", name=name, value=new, by=by)
