"""Flows: descriptions, starts, links and calls, actions, hand-overs, examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..builtins import BUILTIN_ACTIONS, BUILTIN_PATTERNS, IDENTITY_PATTERN, LINKABLE_PATTERNS
from ..spec import END, ActionStep, CallStep, CollectStep, HandoffStep, LinkStep, Problem, SetSlotsStep
from .values import misfit, value_hint
from .view import View, did_you_mean, is_custom, is_own, is_utter, marked


def descriptions(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        if not flow.is_pattern and not flow.description.strip():
            hint = "say in a sentence what the customer wants; understanding goes by it"
            yield Problem(flow.place, "error", "missing-description", f"flow `{flow.id}` has no description", hint)
        if not flow.steps:
            yield Problem(flow.place, "error", "missing-steps", f"flow `{flow.id}` has no steps", "write a list of steps under `steps:`")


def step_ids(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        counts = Counter(step.id for step in flow.steps)
        seen: set[str] = set()
        for step in flow.steps:
            if step.id == END:
                yield Problem(step.place, "error", "bad-id", f"no step can be called {END}", "use another id")
            if counts[step.id] > 1 and step.id in seen:
                message = f"flow `{flow.id}` has {counts[step.id]} steps `{step.id}`"
                yield Problem(step.place, "error", "duplicate-id", message, "give each its own id")
            seen.add(step.id)


def starts(view: View) -> Iterator[Problem]:
    reached = view.called | view.linked
    for flow in view.user_flows:
        if flow.guard is False and flow.id not in reached:
            hint = "link to it or call it from another flow, or remove `if: False`"
            yield Problem(flow.place, "warning", "never-started", f"nothing can start flow `{flow.id}`", hint)


def patterns(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        if flow.is_pattern and flow.id not in BUILTIN_PATTERNS:
            hint = did_you_mean(flow.id, BUILTIN_PATTERNS, f"known patterns: {', '.join(sorted(BUILTIN_PATTERNS))}")
            yield Problem(flow.place, "warning", "unknown-pattern", f"`{flow.id}` is no pattern, so nothing ever starts it", hint)


def links(view: View) -> Iterator[Problem]:
    known = view.project.flows
    for flow, step in view.steps(LinkStep):
        assert isinstance(step, LinkStep)
        if step.flow not in known:
            yield _unknown_flow(view, step, step.flow)
        elif not flow.is_pattern and known[step.flow].is_pattern and step.flow not in LINKABLE_PATTERNS:
            hint = f"a flow may link to {', '.join(f'`{name}`' for name in sorted(LINKABLE_PATTERNS))} only"
            yield Problem(step.place, "error", "link-to-pattern", f"flow `{flow.id}` links to `{step.flow}`", hint)
        if step.next:
            message = f"a link ends flow `{flow.id}`, so it has no `next`"
            yield Problem(step.place, "error", "link-not-last", message, "remove `next`, or use `call`")
        if flow.id in view.called:
            callers = ", ".join(sorted(f"`{other.id}`" for other in view.project.flows.values() if flow.id in other.called))
            message = f"flow `{flow.id}` links away, but {callers} calls it and wants it to come back"
            yield Problem(step.place, "error", "called-flow-links", message, "call the other flow instead, or link to this one")


def calls(view: View) -> Iterator[Problem]:
    known = view.project.flows
    for flow, step in view.steps(CallStep):
        assert isinstance(step, CallStep)
        if step.flow not in known:
            yield _unknown_flow(view, step, step.flow)
        elif known[step.flow].is_pattern:
            message = f"flow `{flow.id}` calls the pattern `{step.flow}`"
            yield Problem(step.place, "error", "call-pattern", message, "patterns are started by the framework; only flows can be called")
        elif flow.id in _calls_below(view, step.flow):
            message = f"flow `{flow.id}` calls {'itself' if step.flow == flow.id else f'`{step.flow}`, which calls it back'}"
            yield Problem(step.place, "warning", "call-circle", message, "loop inside one flow with `next` instead")


def actions(view: View) -> Iterator[Problem]:
    declared = view.project.actions
    for flow, step in view.steps(ActionStep):
        assert isinstance(step, ActionStep)
        if not is_custom(step.action) or step.action in declared:
            continue
        message = f"step `{step.id}` of flow `{flow.id}` runs `{step.action}`, which the domain does not declare"
        if view.knows_action is not None and view.knows_action(step.action):
            hint = f"it is implemented: add `- {step.action}` under `actions:` in the domain"
            yield Problem(step.place, "warning", "action-not-declared", message, hint)
            continue
        if f"utter_{step.action}" in view.project.responses:
            hint = f"did you mean `utter_{step.action}`?"
        else:
            known = [*declared, *BUILTIN_ACTIONS, *view.project.responses]
            hint = did_you_mean(step.action, known, "add it under `actions:` in the domain")
        yield Problem(step.place, "error", "unknown-action", message, hint)


def declared_actions(view: View) -> Iterator[Problem]:
    run = {step.action for flow in view.project.flows.values() for step in flow.steps if isinstance(step, ActionStep)}
    asked = {step.slot for flow in view.project.flows.values() for step in flow.steps if isinstance(step, CollectStep)}
    for action in view.project.actions.values():
        if not is_own(action.place) or not is_custom(action.name):
            continue
        if view.knows_action is not None and not view.knows_action(action.name):
            message = f"action `{action.name}` is declared and nothing implements it"
            yield Problem(action.place, "error", "action-not-implemented", message, "write it in the project's `actions.py`, or remove it")
        called_by_name = (action.name.removeprefix(prefix) for prefix in ("action_ask_", "validate_") if action.name.startswith(prefix))
        if action.name not in run and not any(slot in asked or slot in view.slots for slot in called_by_name):
            yield Problem(action.place, "info", "unused-action", f"no flow runs action `{action.name}`", "remove it if nothing else does")


def handoffs(view: View) -> Iterator[Problem]:
    for _, step in view.steps(HandoffStep):
        assert isinstance(step, HandoffStep)
        if not 1 <= step.priority <= 5:
            message = f"the priority of a hand-over is 1 (now) to 5 (can wait), not {step.priority}"
            yield Problem(step.place, "error", "bad-priority", message, "3 is usual")
        if not step.reason.strip():
            hint = "say why in a few words; the agent reads it first"
            yield Problem(step.place, "warning", "handoff-without-reason", f"hand-over `{step.id}` has no reason", hint)


def identity(view: View) -> Iterator[Problem]:
    asking = [flow for flow in view.user_flows if flow.requires is not None]
    pattern = view.project.flows.get(IDENTITY_PATTERN)
    if asking and (pattern is None or not is_own(pattern.place)):
        names = ", ".join(f"`{flow.id}`" for flow in asking[:3]) + (f" and {len(asking) - 3} more" if len(asking) > 3 else "")
        hint = f"override `{IDENTITY_PATTERN}` with the questions that find out who the customer is"
        message = f"{names} want to know the customer, and no flow finds out"
        yield Problem(asking[0].place, "warning", "requires-without-identity", message, hint)


def persisted_slots(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        filled = view.project.slots_asked_by(flow.id) | _set_by(view, flow.id)
        for name in flow.persisted_slots:
            if name in view.slots and name not in filled:
                message = f"flow `{flow.id}` keeps slot `{name}`, but neither asks for it nor sets it"
                yield Problem(flow.place, "info", "persisted-not-filled", message, "remove it from `persisted_slots`: it is kept anyhow")


def examples(view: View) -> Iterator[Problem]:
    for flow in view.user_flows:
        if flow.guard is False:
            continue
        if not any(flow.examples.values()):
            hint = "add a few sentences customers say under `examples:`; the local model learns from them"
            yield Problem(flow.place, "info", "no-examples", f"flow `{flow.id}` has no examples", hint)
        for language, texts in flow.examples.items():
            for text in texts:
                for slot, value in marked(text):
                    if slot in view.slots:
                        if value is not None and (wrong := misfit(view.slots[slot], value)):
                            message = f"an example ({language}) of flow `{flow.id}` marks `{slot}`: {wrong}: {text!r}"
                            yield Problem(flow.place, "error", "value-wrong-type", message, value_hint(view.slots[slot], value))
                    else:
                        message = f"an example ({language}) of flow `{flow.id}` marks a slot `{slot}` that is not there: {text!r}"
                        yield Problem(flow.place, "error", "unknown-slot", message, did_you_mean(slot, view.slots, "write `[value](slot)`"))


def _unknown_flow(view: View, step: LinkStep | CallStep, name: str) -> Problem:
    hint = did_you_mean(name, view.project.flows, "add the flow, or name another")
    if is_utter(name) or name in view.project.actions:
        hint = f"that is no flow; write `action: {name}`"
    return Problem(step.place, "error", "unknown-flow", f"step `{step.id}` {step.kind}s `{name}`, and there is no such flow", hint)


def _calls_below(view: View, flow_id: str) -> frozenset[str]:
    """The flow and every flow it calls, at any depth."""
    seen: set[str] = set()
    todo = [flow_id]
    while todo:
        current = todo.pop()
        if current not in seen and current in view.project.flows:
            seen.add(current)
            todo.extend(view.project.flows[current].called)
    return frozenset(seen)


def _set_by(view: View, flow_id: str) -> frozenset[str]:
    below = (view.project.flows[id] for id in _calls_below(view, flow_id))
    return frozenset(name for flow in below for step in flow.steps if isinstance(step, SetSlotsStep) for name, _ in step.assignments)
