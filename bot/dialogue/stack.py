"""The stack of frames: who is active, who called whom, what a flow leaves behind when it ends. Pure functions over State."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.language import CollectStep, Flow, Project, SetSlotsStep

from . import slots
from .state import Frame, State

FlowOf = Callable[[Frame], Flow | None]
"""Finds the flow a frame runs, in the version it runs."""

SESSION_SLOTS = frozenset({"identity_level", "language", "customer_number", "session_started_metadata"})
"""Slots that belong to the session: no flow empties them by ending."""

KEPT_WHEN_INTERRUPTED = frozenset({"pattern_correction", "pattern_validate_slot", "pattern_identity", "pattern_collect_information"})
"""Patterns that a customer comes back to after a digression; all others are dropped when another flow starts."""


def is_user(frame: Frame) -> bool:
    return frame.kind != "pattern"


def active_root(state: State, without: frozenset[str] = frozenset()) -> int | None:
    """Index of the user frame that is active: the topmost one, or the caller at the bottom of its chain of calls."""
    for index in range(len(state.stack) - 1, -1, -1):
        frame = state.stack[index]
        if is_user(frame) and frame.id not in without and frame.kind != "call":
            return index
    return None


def family(state: State, root: int) -> range:
    """The frames of a root user flow: itself, the flows it called, and the patterns above them."""
    end = root + 1
    while end < len(state.stack) and (state.stack[end].kind == "call" or not is_user(state.stack[end])):
        end += 1
    return range(root, end)


def roots(state: State) -> list[int]:
    """Indices of all root user frames, bottom to top."""
    return [index for index, frame in enumerate(state.stack) if is_user(frame) and frame.kind != "call"]


def interrupted_roots(state: State) -> list[int]:
    """Roots that had begun and wait below, topmost first."""
    return [index for index in reversed(roots(state)) if state.stack[index].visit > 0]


def frame_index(state: State, frame_id: str) -> int | None:
    for index, frame in enumerate(state.stack):
        if frame.id == frame_id:
            return index
    return None


def drop(state: State, frame_ids: Iterable[str]) -> State:
    """The state without these frames; their slots are not touched."""
    gone = frozenset(frame_ids)
    return state.evolve(stack=tuple(frame for frame in state.stack if frame.id not in gone))


def drop_passing_patterns(state: State) -> State:
    """Drops waiting patterns that lose their sense once another flow starts ("anything else?", "did you mean?"), with their questions."""
    start = len(state.stack)
    while start and not is_user(state.stack[start - 1]):
        start -= 1
    return _drop_where(state, start, lambda frame: frame.flow not in KEPT_WHEN_INTERRUPTED)


def drop_pattern(state: State, pattern: str) -> State:
    """Drops every frame of a pattern, with the question it is asking: another one takes its place."""
    return _drop_where(state, 0, lambda frame: frame.flow == pattern)


def _drop_where(state: State, start: int, unwanted: Callable[[Frame], bool]) -> State:
    gone: set[str] = set()
    below = ""
    for frame in state.stack[start:]:
        if unwanted(frame) or (frame.flow == "pattern_collect_information" and below in gone):
            gone.add(frame.id)
        below = frame.id
    return drop(state, gone)


def slots_left_behind(flow: Flow, project: Project) -> set[str]:
    """Slots that are emptied when a flow ends: what it and the flows it calls collect or set, less what it declares persistent."""
    left: set[str] = set()
    seen: set[str] = set()
    todo = [flow]
    while todo:
        current = todo.pop()
        if current.id in seen:
            continue
        seen.add(current.id)
        kept = {step.slot for step in current.steps if isinstance(step, CollectStep) and not step.reset_after_flow_ends}
        kept.update(current.persisted_slots)
        for step in current.steps:
            if isinstance(step, CollectStep) and step.slot not in kept:
                left.add(step.slot)
            elif isinstance(step, SetSlotsStep):
                left.update(name for name, _ in step.assignments if name not in kept)
        todo.extend(project.flows[name] for name in current.called if name in project.flows)
    return left - set(flow.persisted_slots) - SESSION_SLOTS


def reset_after(state: State, flow: Flow, project: Project, keeping: Iterable[str] = ()) -> tuple[State, list[str]]:
    """Empties what an ended flow leaves behind, except what a flow still on the stack has collected itself, and `keeping`."""
    still_used = {name for frame in state.stack for name, _ in frame.filled} | set(keeping)
    emptied: list[str] = []
    for name in sorted(slots_left_behind(flow, project) - still_used):
        if name in state.slots:
            state = state.evolve(slots={key: kept for key, kept in state.slots.items() if key != name})
            emptied.append(name)
    return state, emptied


def awaited_collect(state: State, flow_of: FlowOf) -> CollectStep | None:
    """The collect step the top frame waits at, if it does."""
    top = state.top
    if top is None or not top.asked:
        return None
    flow = flow_of(top)
    step = flow.by_id.get(top.step) if flow else None
    return step if isinstance(step, CollectStep) else None


def awaited_slot(state: State, flow_of: FlowOf) -> str:
    """Name of the slot the bot is waiting for; "" if it waits for none."""
    collect = awaited_collect(state, flow_of)
    if collect is not None:
        return collect.slot
    top = state.top
    if top is not None and top.done:
        for key in ("collect", "validate"):
            if isinstance(name := top.context.get(key), str):
                return name
    return ""


def filled_where(state: State, slot: str) -> tuple[int, str] | None:
    """Where a slot was answered: (frame index, step id) of the topmost frame that knows, for rewinding a correction."""
    for index in range(len(state.stack) - 1, -1, -1):
        for name, step in state.stack[index].filled:
            if name == slot:
                return index, step
    return None


def rewind(state: State, frame_id: str, step: str, project: Project, flow_of: FlowOf) -> State:
    """Puts a frame back to a step: what it called or asked since is dropped, what it must ask again later is emptied."""
    index = frame_index(state, frame_id)
    if index is None:
        return state
    frame = state.stack[index]
    position = next((at for at, (_, where) in enumerate(frame.filled) if where == step), len(frame.filled))
    forgotten = frame.filled[position:]
    above = state.stack[index + 1 : family(state, index).stop]
    children = [other.id for other in above if other.kind == "call" or other.flow == "pattern_collect_information"]
    flow = flow_of(frame)
    back = frame.evolve(step=step, done=False, asked=False, filled=frame.filled[:position])
    state = state.evolve(stack=tuple(back if other.id == frame_id else other for other in state.stack if other.id not in children))
    for name, where in forgotten:
        collect = flow.by_id.get(where) if flow else None
        if isinstance(collect, CollectStep) and collect.ask_before_filling and where != step:
            state = slots.with_value(state, project, name, project.initial_values.get(name))
    return state
