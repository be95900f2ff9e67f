"""Letting a frame run, or not: identity first, vanished versions, failed actions, runaway turns. Each ends in a named pattern."""

from __future__ import annotations

from bot.language import Flow

from . import slots, stack
from .actions import ActionFailed
from .builtins import end_frames
from .progress import Progress, Surroundings
from .steps import RunawayTurn

_LEVELS = {"unknown": 0, "known": 1, "verified": 2}


def admit(progress: Progress, around: Surroundings) -> tuple[Progress, Flow | None]:
    """The flow that the top frame runs, in its own version; None when something else must happen first."""
    frame = progress.state.top
    assert frame is not None
    flow = around.flow_of(frame)
    if flow is None or (frame.step and frame.step not in flow.by_id):
        return _vanished(progress, around), None
    if flow.requires is not None and frame.visit == 0 and not _is_identified(progress, around, flow):
        if frame.context.get("identity_asked"):
            return _refuse(progress, around), None
        if "pattern_identity" not in around.project.flows:
            refused = _refuse(progress, around)
            return refused.emit("problem", code="no-identity", detail=f"{flow.id} requires identity", flow=flow.id, step=""), None
        asked = progress.with_frame(context={**frame.context, "identity_asked": True})
        context = {"requires": flow.requires, "flow_name": flow.named(progress.state.language)}
        return asked.push_pattern("pattern_identity", around.project, context).evolve(stop="switch"), None
    return progress, flow


def _is_identified(progress: Progress, around: Surroundings, flow: Flow) -> bool:
    level = str(slots.value(progress.state, around.project, "identity_level") or "unknown")
    return _LEVELS.get(level, 0) >= _LEVELS[flow.requires or "unknown"]


def _refuse(progress: Progress, around: Surroundings) -> Progress:
    """Identity was asked for and not given: the flow ends before its first step. Who called it ends with it."""
    frame = progress.state.top
    assert frame is not None
    root = stack.active_root(progress.state)
    ids = {progress.state.stack[index].id for index in stack.family(progress.state, root)} if root is not None else {frame.id}
    return (
        end_frames(progress, around, ids)
        .emit("flow_refused", flow=frame.flow, why="identity")
        .evolve(stop=None if progress.state.stack else "wait")
    )


def _vanished(progress: Progress, around: Surroundings) -> Progress:
    """The frame's version, or its step, is not there any more. By the project's policy the flow starts again or a person takes over;
    the customer is told either way."""
    frame = progress.state.top
    assert frame is not None
    policy = str((around.project.settings.get("versions") or {}).get("when_gone", "restart"))
    current = around.project.flows.get(frame.flow)
    detail = f"version {frame.version} of {frame.flow} is gone"
    progress = progress.emit("problem", code="version-gone", detail=detail, flow=frame.flow, step=frame.step)
    if policy == "handoff" or current is None:
        progress = end_frames(progress, around, {frame.id})
        return progress.push_pattern(
            "pattern_human_handoff", around.project, {"reason": "flow_version_gone", "skill": "general", "priority": 2}
        ).evolve(stop="switch")
    fresh = frame.evolve(version=current.version, step="", done=False, asked=False, visit=0, filled=(), context={})
    progress = progress.evolve(state=progress.state.with_top(fresh))
    return progress.push_pattern("pattern_code_change", around.project, {"flow_name": current.named(progress.state.language)}).evolve(
        stop="switch"
    )


def recover(failure: ActionFailed | RunawayTurn, before: Progress, around: Surroundings) -> Progress:
    """A flow broke while running. What was said and set before in this turn stays; the broken flow ends; the pattern tells the customer."""
    frame = before.state.top
    assert frame is not None
    if isinstance(failure, ActionFailed):
        error_type, detail, name = f"action_{failure.kind}", failure.detail, failure.action
    else:
        error_type, detail, name = "runaway_turn", str(failure), ""
    if isinstance(failure, RunawayTurn):
        before = before.evolve(steps=max(0, around.max_steps - 20))  # room for the pattern that tells the customer
    progress = before.emit("problem", code=error_type, detail=detail, action=name, flow=frame.flow, step=frame.step)
    if frame.flow == "pattern_internal_error":
        return end_frames(progress, around, {other.id for other in progress.state.stack}).evolve(stop="wait")
    root = stack.active_root(progress.state)
    if frame.kind == "pattern" or root is None:
        ids = {frame.id}
    else:
        ids = {progress.state.stack[index].id for index in stack.family(progress.state, root)}
    flow = around.flow_of(frame)
    progress = end_frames(progress, around, ids)
    context = {"error_type": error_type, "info": {"action": name}, "flow_name": flow.named(progress.state.language) if flow else ""}
    return progress.push_pattern("pattern_internal_error", around.project, context).evolve(stop="switch")
