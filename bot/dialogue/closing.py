"""What happens when a flow has run to its end: slots reset, the caller goes on, an interrupted flow is offered, the last one completes."""

from __future__ import annotations

from typing import Any

from bot.language import Flow, LinkStep, Project

from . import stack
from .progress import Progress, Surroundings
from .state import Frame, State

_STOPS_AFTER = frozenset({"pattern_clarification"})
"""Patterns that end by asking something in words: the turn ends with them, or the question below would drown theirs."""

_COMPLETES_AFTER = frozenset({"pattern_search", "pattern_cancel_flow", "pattern_continue_interrupted"})


def close_top(progress: Progress, around: Surroundings) -> Progress:
    """Takes the ended top frame off the stack and puts on top what follows."""
    frame = progress.state.top
    if frame is None:
        return progress.evolve(stop="wait")
    flow = around.flow_of(frame) or around.project.flows.get(frame.flow)
    progress = progress.evolve(state=progress.state.evolve(stack=progress.state.stack[:-1]), stop=None)
    if flow is None:
        return _settled(progress)
    step = flow.by_id.get(frame.step)
    linked = around.project.flows.get(step.flow) if isinstance(step, LinkStep) else None
    progress = progress.emit("flow_completed", flow=frame.flow, frame=frame.id, step=frame.step)
    if frame.kind == "call":
        return _return_to_caller(progress, frame)
    progress = progress.reset_after(flow, around.project)
    if linked is not None:
        return progress.push(linked, "pattern" if linked.is_pattern else "link")
    if frame.kind == "pattern":
        return _after_pattern(progress, frame, around)
    return _settled(_after_flow(progress, flow, around))


def _return_to_caller(progress: Progress, child: Frame) -> Progress:
    """The caller remembers what the called flow collected, at its call step: a correction re-enters the call there."""
    caller = progress.state.top
    if caller is None:
        return _settled(progress)
    answers = tuple((slot, caller.step) for slot, _ in child.filled)
    kept = tuple(pair for pair in caller.filled if pair not in answers)
    return progress.with_frame(filled=(*kept, *answers))


def _after_flow(progress: Progress, flow: Flow, around: Surroundings) -> Progress:
    """Offers to go on with an interrupted flow; says goodbye when nothing is left."""
    top = progress.state.top
    if top is None:
        if flow.run_pattern_completed:
            return progress.push_pattern("pattern_completed", around.project, {"previous_flow_name": flow.named(progress.state.language)})
        return progress
    if top.visit == 0:
        return progress  # it has only been waiting for its turn
    context = _interrupted(progress.state, around.project)
    if context is None or top.flow == "pattern_continue_interrupted":
        return progress
    return progress.push_pattern("pattern_continue_interrupted", around.project, context)


def _after_pattern(progress: Progress, frame: Frame, around: Surroundings) -> Progress:
    if frame.flow in _STOPS_AFTER:
        return progress.evolve(stop="wait")
    if frame.flow == "pattern_cancel_flow":
        canceled = around.project.flows.get(str(frame.context.get("canceled_flow", "")))
        still_there = any(other.id in frame.context.get("canceled_frames", ()) for other in progress.state.stack)
        if canceled is not None and not canceled.is_pattern and not still_there:
            return _settled(_after_flow(progress, canceled, around))
    declined = frame.context.get("canceled_flow") == "pattern_completed"  # "stop", said to the offer of more help
    if frame.flow in _COMPLETES_AFTER and not progress.state.stack and not declined:
        previous = str(frame.context.get("previous_flow_name") or frame.context.get("canceled_name") or "")
        progress = progress.push_pattern("pattern_completed", around.project, {"previous_flow_name": previous})
    return _settled(progress)


def _settled(progress: Progress) -> Progress:
    return progress if progress.state.stack else progress.evolve(stop="wait")


def _interrupted(state: State, project: Project) -> dict[str, Any] | None:
    """What the continue pattern must know; None when no flow waits below."""
    waiting = stack.interrupted_roots(state)
    if not waiting:
        return None
    flows = [project.flows[state.stack[index].flow] for index in waiting if state.stack[index].flow in project.flows]
    names = [flow.named(state.language) for flow in flows]
    if not flows:
        return None
    return {
        "previous_flow_name": names[0],
        "interrupted_flow_names": names,
        "interrupted_flow_ids": [flow.id for flow in flows],
        "interrupted_flow_options": " / ".join(names),
        "multiple_flows_interrupted": len(flows) > 1,
    }
