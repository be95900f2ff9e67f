"""A flow as plain JSON and back, exactly: how a version is kept for the conversations that still run on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .conditions import Condition
from .spec import (
    ActionStep,
    Branch,
    CallStep,
    CollectStep,
    Flow,
    HandoffStep,
    LinkStep,
    NoopStep,
    Place,
    Rejection,
    SetSlotsStep,
    Step,
)

FORMAT = 1
_STEPS: Mapping[str, type[Step]] = {
    "action": ActionStep,
    "collect": CollectStep,
    "set_slots": SetSlotsStep,
    "link": LinkStep,
    "call": CallStep,
    "noop": NoopStep,
    "handoff": HandoffStep,
}
_OWN: Mapping[str, tuple[str, ...]] = {
    "action": ("action",),
    "collect": ("slot", "utter", "ask_before_filling", "reset_after_flow_ends", "force_slot_filling"),
    "set_slots": (),
    "link": ("flow",),
    "call": ("flow",),
    "noop": (),
    "handoff": ("reason", "skill", "priority"),
}


def flow_to_json(flow: Flow) -> dict[str, Any]:
    """What runs of a flow: steps, conditions and properties; not its examples, which no running conversation needs."""
    return {
        "format": FORMAT,
        "id": flow.id,
        "version": flow.version,
        "description": flow.description,
        "name": flow.name,
        "names": dict(flow.names),
        "guard": flow.guard.text if isinstance(flow.guard, Condition) else flow.guard,
        "persisted_slots": list(flow.persisted_slots),
        "run_pattern_completed": flow.run_pattern_completed,
        "requires": flow.requires,
        "place": _place(flow.place),
        "steps": [_step_to_json(step) for step in flow.steps],
    }


def flow_from_json(data: Mapping[str, Any]) -> Flow:
    """Raises ValueError for a format this version does not know."""
    if data.get("format") != FORMAT:
        raise ValueError(f"flow {data.get('id')!r} is stored in format {data.get('format')!r}, this version reads {FORMAT}")
    guard = data["guard"]
    return Flow(
        id=data["id"],
        version=data["version"],
        description=data["description"],
        name=data["name"],
        names=data["names"],
        guard=Condition.parse(guard) if isinstance(guard, str) else (False if guard is False else None),
        persisted_slots=tuple(data["persisted_slots"]),
        run_pattern_completed=data["run_pattern_completed"],
        requires=data["requires"],
        place=Place(*data["place"]),
        steps=tuple(_step_from_json(step) for step in data["steps"]),
    )


def _place(place: Place) -> list[Any]:
    return [place.file, place.line, place.column]


def _condition(text: str | None) -> Condition | None:
    return None if text is None else Condition.parse(text)


def _step_to_json(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {
        "kind": step.kind,
        "id": step.id,
        "place": _place(step.place),
        "description": step.description,
        "metadata": dict(step.metadata),
        "next": [[branch.condition.text if branch.condition else None, branch.target, _place(branch.place)] for branch in step.next],
        **{name: getattr(step, name) for name in _OWN[step.kind]},
    }
    if isinstance(step, CollectStep):
        data["rejections"] = [[rejection.condition.text, rejection.utter, _place(rejection.place)] for rejection in step.rejections]
    if isinstance(step, SetSlotsStep):
        data["assignments"] = [[name, value] for name, value in step.assignments]
    return data


def _step_from_json(data: Mapping[str, Any]) -> Step:
    kind = data["kind"]
    own: dict[str, Any] = {name: data[name] for name in _OWN[kind]}
    if kind == "collect":
        own["rejections"] = tuple(Rejection(Condition.parse(text), utter, Place(*place)) for text, utter, place in data["rejections"])
    if kind == "set_slots":
        own["assignments"] = tuple((name, value) for name, value in data["assignments"])
    return _STEPS[kind](
        id=data["id"],
        place=Place(*data["place"]),
        description=data["description"],
        metadata=data["metadata"],
        next=tuple(Branch(target, _condition(text), Place(*place)) for text, target, place in data["next"]),
        **own,
    )
