"""The built-in actions that patterns are made of. Each takes a Progress and returns one; none touches the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.language import CollectStep

from . import slots, stack
from .progress import Progress, Surroundings
from .saying import refusal_values, say
from .stack import family
from .state import State

Builtin = Callable[[Progress, Surroundings], Progress]


def _listen(progress: Progress, around: Surroundings) -> Progress:
    return progress.with_frame(done=True).evolve(stop="wait")


def _nothing(progress: Progress, around: Surroundings) -> Progress:
    return progress


def _context(progress: Progress) -> Mapping[str, Any]:
    return progress.state.top.context if progress.state.top else {}


def _cancel_flow(progress: Progress, around: Surroundings) -> Progress:
    """Takes the cancelled frames off the stack and empties their slots."""
    context = _context(progress)
    return end_frames(progress, around, set(context.get("canceled_frames", ())), keeping=context.get("kept_slots", ()))


def end_frames(progress: Progress, around: Surroundings, ids: set[str], *, keeping: Iterable[str] = ()) -> Progress:
    """Removes frames as cancelled, resetting what they leave behind except the slots in `keeping`."""
    gone = [frame for frame in progress.state.stack if frame.id in ids]
    progress = progress.evolve(state=stack.drop(progress.state, ids))
    for frame in reversed(gone):
        progress = progress.emit("flow_cancelled", flow=frame.flow, frame=frame.id, step=frame.step)
        flow = around.flow_of(frame) or around.project.flows.get(frame.flow)
        if flow is not None:
            progress = progress.reset_after(flow, around.project, keeping)
    return progress


def _correct_slot(progress: Progress, around: Surroundings) -> Progress:
    """Applies a correction and puts the flow back to the earliest corrected question."""
    context = _context(progress)
    frame_id, step = context.get("reset_frame_id", ""), context.get("reset_step_id", "")
    for name, value in context.get("corrected_slots", {}).items():
        progress = progress.set_slot(name, value, around.project, "correction")
    state = stack.rewind(progress.state, frame_id, step, around.project, around.flow_of)
    return progress.evolve(state=state)


def _run_rejections(progress: Progress, around: Surroundings) -> Progress:
    """Judges the slot a pattern is about (`context.collect` or `context.validate`); a refused value is emptied, saying why."""
    context = _context(progress)
    name = context.get("collect") or context.get("validate") or ""
    slot = around.project.slots.get(name)
    raw = slots.value(progress.state, around.project, name) if slot else None
    if slot is None or raw is None:
        return progress
    step = _collect_step_below(progress, around, name)
    verdict = slots.judge(slot, raw, step.rejections if step else (), progress.state, around.project, context)
    if verdict.accepted:
        return progress.set_slot(name, verdict.value, around.project, "fitted") if verdict.value != raw else progress
    if verdict.utter:
        progress = say(progress, around, verdict.utter, refusal_values(progress, around, name))
    return progress.set_slot(name, None, around.project, "rejected")


def _collect_step_below(progress: Progress, around: Surroundings, name: str) -> CollectStep | None:
    for frame in reversed(progress.state.stack[:-1]):
        flow = around.flow_of(frame)
        step = flow.by_id.get(frame.step) if flow else None
        if isinstance(step, CollectStep) and step.slot == name:
            return step
    return None


def _clean_stack(progress: Progress, around: Surroundings) -> Progress:
    """Ends everything below the pattern that asks for it."""
    top = progress.state.top
    return end_frames(progress, around, {frame.id for frame in progress.state.stack if top is None or frame.id != top.id})


def _restart(progress: Progress, around: Surroundings) -> Progress:
    progress = _clean_stack(progress, around)
    kept = {name: value for name, value in progress.state.slots.items() if name in ("language", "session_started_metadata")}
    return progress.evolve(state=progress.state.evolve(slots=kept, said=(), offered=(), misunderstood=0))


def _repeat(progress: Progress, around: Surroundings) -> Progress:
    """Says again what was said last; the question that comes after is not asked twice."""
    for message in progress.state.said:
        progress = progress.emit("bot", **{**message, "repeated": True})
    return progress.evolve(repeated=bool(progress.state.said))


def _search(progress: Progress, around: Surroundings) -> Progress:
    return say(progress, around, "utter_no_knowledge_base")


def _chitchat(progress: Progress, around: Surroundings) -> Progress:
    return say(progress, around, "utter_free_chitchat_response")


def _continue_interrupted(progress: Progress, around: Surroundings) -> Progress:
    """Brings the chosen interrupted flow up; without a choice the latest one goes on."""
    ids = list(_context(progress).get("interrupted_flow_ids", ()))
    names = list(_context(progress).get("interrupted_flow_names", ()))
    raw = slots.value(progress.state, around.project, "interrupted_flow_to_continue")
    chosen = next((i for i, n in zip(ids, names, strict=False) if raw and str(raw).casefold() in (i.casefold(), n.casefold())), None)
    chosen = chosen or (ids[0] if ids else None)
    state = progress.state
    root = next((index for index in stack.roots(state) if state.stack[index].flow == chosen), None)
    if root is None:
        return progress
    members = family(state.evolve(stack=state.stack[:-1]), root)
    moved = state.stack[members.start : members.stop]
    rest = (*state.stack[: members.start], *state.stack[members.stop : -1])
    state = state.evolve(stack=(*rest, *moved, state.stack[-1]))
    return progress.evolve(state=state).emit("flow_resumed", flow=chosen)


def _cancel_interrupted(progress: Progress, around: Surroundings) -> Progress:
    ids = set(_context(progress).get("interrupted_flow_ids", ()))
    gone: set[str] = set()
    for root in stack.roots(progress.state):
        if progress.state.stack[root].flow in ids:
            below_pattern = progress.state.evolve(stack=progress.state.stack[:-1])
            gone.update(progress.state.stack[index].id for index in family(below_pattern, root))
    return end_frames(progress, around, gone)


def _handoff(progress: Progress, around: Surroundings) -> Progress:
    """Puts the conversation in the queue for a person, with all that a person needs to go on."""
    context = _context(progress)
    if not around.handoff_available:
        return progress.with_frame(context={**context, "handed_over": False})
    known = {name: value for name, value in progress.state.slots.items() if value is not None and name != "session_started_metadata"}
    path = [{"flow": frame.flow, "step": frame.step} for frame in progress.state.stack if frame.flow != "pattern_human_handoff"]
    summary = _summary(progress.state, around, _busy_with(progress.state, around), str(context.get("reason", "")))
    progress = progress.with_frame(context={**context, "handed_over": True})
    top = progress.state.top
    everything_else = {frame.id for frame in progress.state.stack if top is not None and frame.id != top.id}
    progress = progress.evolve(state=progress.state.evolve(owner="queue")).emit(
        "handoff",
        reason=context.get("reason", ""),
        skill=context.get("skill", "general"),
        priority=context.get("priority", 3),
        summary=summary,
        slots=known,
        path=path,
        language=progress.state.language,
    )
    return end_frames(progress, around, everything_else)


def _busy_with(state: State, around: Surroundings) -> str:
    """Names of what the customer was in the middle of, latest first: not the flow that this very message started to reach a person."""
    everything = [state.stack[index] for index in reversed(stack.roots(state))]
    before = [frame for frame in everything if not frame.id.startswith(f"{state.turn}.")]
    flows = [flow for frame in before or everything if (flow := around.flow_of(frame)) is not None]
    return ", ".join(flow.named(state.language) for flow in flows)


def _summary(state: State, around: Surroundings, flow_name: str, reason: str) -> str:
    """One line for the agent: what the customer was doing, why they are here, what they said last."""
    parts = [reason.replace("_", " ") or "hand-over"]
    if flow_name:
        parts.append(f"in: {flow_name}")
    if around.message.text and not around.message.text.startswith("/"):
        parts.append(f'said: "{around.message.text[:120]}"')
    return "; ".join(parts)


def _return_to_bot(progress: Progress, around: Surroundings) -> Progress:
    return progress.evolve(state=progress.state.evolve(owner="bot")).emit("handoff_ended", by="customer")


ACTIONS: Mapping[str, Builtin] = {
    "action_listen": _listen,
    "action_session_start": _nothing,  # to greet, a project overrides it or `pattern_session_start`
    "action_restart": _restart,
    "action_cancel_flow": _cancel_flow,
    "action_correct_flow_slot": _correct_slot,
    "action_clarify_flows": _nothing,
    "action_run_slot_rejections": _run_rejections,
    "action_clean_stack": _clean_stack,
    "action_trigger_search": _search,
    "action_trigger_chitchat": _chitchat,
    "action_repeat_bot_messages": _repeat,
    "action_continue_interrupted_flow": _continue_interrupted,
    "action_cancel_interrupted_flows": _cancel_interrupted,
    "action_hangup": _nothing,
    "action_handoff_metric": _nothing,
    "action_stop": _listen,
    "action_handoff": _handoff,
    "action_return_to_bot": _return_to_bot,
}
