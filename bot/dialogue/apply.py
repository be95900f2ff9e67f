"""Commands -> changes of the stack. Pure: what a message asks for becomes frames and slot values; nothing is run or said here.

The order in which frames are put on the stack is the order of importance, last on top and first to run: flows that start (the first
named on top), then a correction, a clarification, small patterns, a person, and a cancellation above all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.language import CollectStep, Flow, Project

from . import slots, stack
from .commands import (
    CancelFlow,
    CannotHandle,
    ChitChat,
    Clarify,
    Command,
    HumanHandoff,
    RepeatLastBotMessages,
    SearchAndReply,
    SetSlot,
    SkipQuestion,
    StartFlow,
    Trigger,
)
from .progress import Progress
from .stack import FlowOf, active_root, awaited_collect, awaited_slot, family
from .state import Frame, State

_SMALL_PATTERNS: tuple[tuple[type[Command], str], ...] = (
    (ChitChat, "pattern_chitchat"),
    (SearchAndReply, "pattern_search"),
    (RepeatLastBotMessages, "pattern_repeat_bot_messages"),
)


def apply(commands: Sequence[Command], progress: Progress, project: Project, flow_of: FlowOf) -> Progress:
    """Applies the commands of one message. Commands that make no sense here are left out, each with an `ignored` event and why."""
    before = progress.state
    commands = _forced(_distinct(commands), progress.state, project, flow_of)
    progress = progress.evolve(state=progress.state.evolve(offered=()))
    canceled = _canceled_frames(commands, progress.state)
    commands, progress = _resolve_clarify(commands, progress, project)

    starting = _startable(commands, progress.state, project, canceled)
    before_setting = len(progress.events)
    progress, corrections = _set_slots(commands, progress, project, flow_of, starting, canceled)
    set_now = _set_since(before_setting, progress)
    progress = _push_starts(commands, starting, progress, project, canceled)
    for name in set_now:  # above the flow that starts with the value, so that it starts with a right one
        if name != awaited_slot(before, flow_of) and slots.breaks_own_rules(name, progress.state, project):  # its own question judges it
            progress = progress.push_validation(name, project)
    if corrections:
        progress = _push_correction(corrections, progress, project, flow_of)
    for clarify in [command for command in commands if isinstance(command, Clarify)]:
        progress = _push_clarification(clarify, progress, project)
    if any(isinstance(command, SkipQuestion) for command in commands):
        if awaited_slot(before, flow_of):
            progress = progress.push_pattern("pattern_skip_question", project)
        else:
            progress = _ignored(progress, "SkipQuestion()", "nothing is being asked")
    for kind, pattern in _SMALL_PATTERNS:
        if any(isinstance(command, kind) for command in commands):
            progress = progress.push_pattern(pattern, project)
    for trigger in [command for command in commands if isinstance(command, Trigger)]:
        progress = progress.push_pattern(trigger.pattern, project, trigger.context)
    if any(isinstance(command, HumanHandoff) for command in commands):
        progress = _push_handoff(progress, project)
    if canceled:
        progress = _push_cancellation(canceled, set_now, progress, project, flow_of)
    return _push_cannot_handle(commands, before, progress, project, flow_of)


def _distinct(commands: Sequence[Command]) -> list[Command]:
    """Each command once. Of several values for one slot the last counts."""
    found: list[Command] = []
    for command in commands:
        if isinstance(command, SetSlot):
            found = [other for other in found if not (isinstance(other, SetSlot) and other.name == command.name)]
        if command not in found:
            found.append(command)
    return found


def _set_since(start: int, progress: Progress) -> tuple[str, ...]:
    """Names of the slots set by the events from `start` on, each once."""
    return tuple(dict.fromkeys(str(event["name"]) for event in progress.events[start:] if event["event"] == "slot"))


def _ignored(progress: Progress, command: object, why: str) -> Progress:
    return progress.emit("ignored", command=str(command), why=why)


def _forced(commands: list[Command], state: State, project: Project, flow_of: FlowOf) -> list[Command]:
    """At a collect with `force_slot_filling` only a value for its slot counts."""
    collect = awaited_collect(state, flow_of)
    if collect is None or not collect.force_slot_filling:
        return commands
    return [command for command in commands if isinstance(command, SetSlot) and command.name == collect.slot]


# --- cancel ----------------------------------------------------------------------------------------------------------------------------


def _canceled_frames(commands: Sequence[Command], state: State) -> frozenset[str]:
    """Ids of the frames a cancellation takes away: the active flow, what it called, the patterns above it."""
    if not any(isinstance(command, CancelFlow) for command in commands):
        return frozenset()
    root = active_root(state)
    if root is not None:
        return frozenset(state.stack[index].id for index in family(state, root))
    return frozenset(frame.id for frame in state.stack)


def _push_cancellation(canceled: frozenset[str], set_now: Sequence[str], progress: Progress, project: Project, flow_of: FlowOf) -> Progress:
    """`set_now`: slots that the same message filled for what comes instead; the cancellation leaves them alone."""
    first = next(frame for frame in progress.state.stack if frame.id in canceled)
    flow = flow_of(first) or project.flows.get(first.flow)
    context = {
        "canceled_name": flow.named(progress.state.language) if flow else first.flow,
        "canceled_flow": first.flow,
        "canceled_frames": sorted(canceled),
        "kept_slots": list(set_now),
    }
    progress = progress.evolve(state=stack.drop_pattern(progress.state, "pattern_cancel_flow"))  # asked "really?", it was said again
    return progress.push_pattern("pattern_cancel_flow", project, context)


# --- clarify and start -----------------------------------------------------------------------------------------------------------------


def _resolve_clarify(commands: list[Command], progress: Progress, project: Project) -> tuple[list[Command], Progress]:
    """A choice of one is no choice: it starts. A choice of none is nothing understood. Beside a start, a choice is dropped."""
    resolved: list[Command] = []
    has_start = any(isinstance(command, StartFlow) for command in commands)
    for command in commands:
        if not isinstance(command, Clarify):
            resolved.append(command)
            continue
        options = tuple(dict.fromkeys(flow for flow in command.flows if flow in project.user_flows))
        if has_start:
            progress = _ignored(progress, command, "the message starts a flow as well")
        elif len(options) == 1:
            resolved.append(StartFlow(options[0]))
        elif options or not command.flows:
            resolved.append(Clarify(options))
        else:
            progress = _ignored(progress, command, "none of the flows exists")
    return resolved, progress


def _startable(commands: Sequence[Command], state: State, project: Project, canceled: frozenset[str]) -> dict[str, Flow]:
    """Flows that this message starts afresh, in the order named."""
    on_stack = {frame.flow for frame in state.stack if frame.id not in canceled}
    values = slots.values(state, project)
    starting: dict[str, Flow] = {}
    for command in commands:
        if isinstance(command, StartFlow) and command.flow not in on_stack:
            flow = project.user_flows.get(command.flow)
            if flow is not None and allowed(flow, values):
                starting[flow.id] = flow
    return starting


def allowed(flow: Flow, values: Any) -> bool:
    """Whether a customer may start a flow: its guard holds. Links and calls do not ask."""
    if flow.guard is None:
        return True
    return flow.guard is not False and flow.guard.holds(values)


def _push_starts(
    commands: Sequence[Command], starting: dict[str, Flow], progress: Progress, project: Project, canceled: frozenset[str]
) -> Progress:
    asked_for = [command for command in commands if isinstance(command, StartFlow)]
    resumed: list[str] = []
    for command in asked_for:
        if command.flow in starting:
            continue
        if command.flow not in project.user_flows:
            progress = _ignored(progress, command, "there is no such flow")
        elif not any(frame.flow == command.flow for frame in progress.state.stack if frame.id not in canceled):
            progress = _ignored(progress, command, "its guard does not hold")
        elif project.compat != "3.11" and _is_interrupted(progress.state, command.flow, canceled):
            resumed.append(command.flow)
        else:
            progress = _ignored(progress, command, "it is in progress already")
    if not starting and not resumed:
        return progress
    active = active_root(progress.state, canceled)
    progress = progress.evolve(state=stack.drop_passing_patterns(progress.state) if not canceled else progress.state)
    if active is not None and progress.state.stack[active].visit > 0 and progress.state.stack[active].flow not in resumed:
        progress = progress.emit("flow_interrupted", flow=progress.state.stack[active].flow)
    for flow_id in reversed(resumed):
        progress = _bring_up(progress, flow_id)
    for flow in reversed(list(starting.values())):
        busy = active_root(progress.state, canceled) is not None
        progress = progress.push(flow, "interrupt" if busy else "regular")
    return progress


def _is_interrupted(state: State, flow_id: str, canceled: frozenset[str]) -> bool:
    """Whether a flow waits below: under another one, or under the question whether to go on with it."""
    asked_about = state.top is not None and state.top.flow == "pattern_continue_interrupted"
    active = None if asked_about else active_root(state, canceled)
    return any(
        state.stack[index].flow == flow_id for index in stack.roots(state) if index != active and state.stack[index].id not in canceled
    )


def _bring_up(progress: Progress, flow_id: str) -> Progress:
    """Moves an interrupted flow to the top, with all that belongs to it."""
    state = progress.state
    root = next(index for index in stack.roots(state) if state.stack[index].flow == flow_id)
    members = family(state, root)
    moved = state.stack[members.start : members.stop]
    rest = (*state.stack[: members.start], *state.stack[members.stop :])
    return progress.evolve(state=state.evolve(stack=(*rest, *moved))).emit("flow_resumed", flow=flow_id)


def _push_clarification(clarify: Clarify, progress: Progress, project: Project) -> Progress:
    limit = slots.value(progress.state, project, "max_clarification_options")
    options = clarify.flows[: int(limit) if isinstance(limit, (int, float)) and limit >= 1 else 3]
    names = [project.user_flows[flow].named(progress.state.language) for flow in options]
    context = {"names": names, "clarification_options": " / ".join(names), "clarification_flows": list(options)}
    return progress.evolve(state=progress.state.evolve(offered=options)).push_pattern("pattern_clarification", project, context)


# --- slots and corrections -------------------------------------------------------------------------------------------------------------


def _set_slots(
    commands: Sequence[Command],
    progress: Progress,
    project: Project,
    flow_of: FlowOf,
    starting: dict[str, Flow],
    canceled: frozenset[str],
) -> tuple[Progress, dict[str, Any]]:
    """Sets what can be set at once; returns what must go through a correction instead."""
    corrections: dict[str, Any] = {}
    before = progress.state
    live = [frame for frame in before.stack if frame.id not in canceled]
    asked_for = _asked_for(live, starting, project, flow_of)
    for command in commands:
        if not isinstance(command, SetSlot):
            continue
        slot = project.slots.get(command.name)
        if slot is None:
            progress = _ignored(progress, command, "there is no such slot")
            continue
        value = slots.fit_or_keep(slot, command.value)  # what does not fit, its collect step refuses aloud
        current = slots.value(before, project, slot.name)
        awaited = awaited_slot(before, flow_of) == slot.name
        where = stack.filled_where(before.evolve(stack=tuple(live)), slot.name)
        if command.source == "payload":
            progress = progress.set_slot(slot.name, value, project, "payload")
        elif slot.controlled:
            progress = _ignored(progress, command, "the slot is controlled by the flow")
        elif awaited and value is not None:
            progress = progress.set_slot(slot.name, value, project, "message")
        elif value is None and current is None:
            progress = _ignored(progress, command, "the slot is empty already")
        elif slot.name not in asked_for:
            progress = _ignored(progress, command, "no flow in progress asks for this slot")
        elif current is not None and type(current) is type(value) and current == value and where is not None:
            progress = _ignored(progress, command, "the slot has this value already")
        elif current is not None and where is not None:
            corrections[slot.name] = value
        elif asked_for[slot.name]:
            progress = _ignored(progress, command, "the slot is asked for before it is filled")
        else:
            progress = progress.set_slot(slot.name, value, project, "message")
    return progress, corrections


def _asked_for(live: Sequence[Frame], starting: dict[str, Flow], project: Project, flow_of: FlowOf) -> dict[str, bool]:
    """Slots that flows in progress or starting ask for; True where every one of them insists on asking before filling."""
    insists: dict[str, bool] = {}
    running = [flow_of(frame) or project.flows.get(frame.flow) for frame in live]  # a vanished version: what the new one asks for
    todo = [flow for flow in running if flow is not None] + list(starting.values())
    seen: set[tuple[str, str]] = set()
    while todo:
        flow = todo.pop()
        if (flow.id, flow.version) in seen:
            continue
        seen.add((flow.id, flow.version))
        for step in flow.steps:
            if isinstance(step, CollectStep):
                insists[step.slot] = insists.get(step.slot, True) and step.ask_before_filling
        todo.extend(project.flows[name] for name in flow.called if name in project.flows)
    for frame in live:
        for key in ("collect", "validate"):
            if isinstance(name := frame.context.get(key), str):
                insists[name] = False
    return insists


def _push_correction(corrections: dict[str, Any], progress: Progress, project: Project, flow_of: FlowOf) -> Progress:
    """A second correction takes the place of the pending one, keeping what it alone had corrected."""
    pending = [frame for frame in progress.state.stack if frame.flow == "pattern_correction"]
    for frame in pending:
        corrections = {**frame.context.get("corrected_slots", {}), **corrections}
    progress = progress.evolve(state=stack.drop_pattern(progress.state, "pattern_correction"))
    state = progress.state
    places = {name: where for name in corrections if (where := stack.filled_where(state, name)) is not None}
    if not places:
        return progress
    frame_index = min(index for index, _ in places.values())
    frame = state.stack[frame_index]
    order = [step for _, step in frame.filled]
    steps = {step for index, step in places.values() if index == frame_index}
    first_step = next(step for step in order if step in steps)
    context = {
        "corrected_slots": corrections,
        "new_slot_values": list(corrections.values()),
        "is_reset_only": all(_asks_before_filling(state, project, flow_of, places[name]) for name in places),
        "reset_flow_id": frame.flow,
        "reset_step_id": first_step,
        "reset_frame_id": frame.id,
    }
    return progress.push_pattern("pattern_correction", project, context)


def _asks_before_filling(state: State, project: Project, flow_of: FlowOf, where: tuple[int, str]) -> bool:
    flow = flow_of(state.stack[where[0]])
    step = flow.by_id.get(where[1]) if flow else None
    return isinstance(step, CollectStep) and step.ask_before_filling


# --- the rest --------------------------------------------------------------------------------------------------------------------------


def _push_handoff(progress: Progress, project: Project) -> Progress:
    progress = progress.evolve(state=stack.drop_pattern(progress.state, "pattern_human_handoff"))
    return progress.push_pattern("pattern_human_handoff", project, {"reason": "customer_asked", "skill": "general", "priority": 3})


def _push_cannot_handle(commands: Sequence[Command], before: State, progress: Progress, project: Project, flow_of: FlowOf) -> Progress:
    """When nothing came of the message: ask again if something is being asked and the message only repeated itself, else say so."""
    said = next((command for command in commands if isinstance(command, CannotHandle)), None)
    filled = any(event["event"] == "slot" for event in progress.events)
    changed = progress.state.stack != before.stack or (filled and bool(progress.state.stack))  # an old button alone leads nowhere
    collect = awaited_collect(before, flow_of)
    if changed and said is None:
        return progress.evolve(state=progress.state.evolve(misunderstood=0))
    if changed:
        return progress
    if said is None and collect is not None and (collect.force_slot_filling or _only_repeats(progress)):
        return progress
    times = progress.state.misunderstood + 1
    progress = progress.evolve(state=progress.state.evolve(misunderstood=times))
    reason = said.reason if said else "cannot_handle_default"
    return progress.push_pattern("pattern_cannot_handle", project, {"reason": reason, "times": times})


def _only_repeats(progress: Progress) -> bool:
    ignored = [event["why"] for event in progress.events if event["event"] == "ignored"]
    return bool(ignored) and all(why in ("it is in progress already", "the slot has this value already") for why in ignored)
