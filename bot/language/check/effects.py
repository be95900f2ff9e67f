"""Effects without a confirmation: something is changed for a customer who was not asked.

An *effect* is an `action` step that runs a custom action not marked `read_only` in the domain. Exempt are `action_ask_*`, `validate_*` and
built-in actions, and a step with `metadata: {confirm: false}` (a designer's word that none is needed).

A *confirmation* is a branch that depends on a yes or no of the customer: the step's conditions, up to and including the branch's own,
read a bool slot that is asked for by the flow, by a flow it calls, or by a flow that calls or links to it. Which answer leads where is not
judged.

The check walks from the first step of every flow a customer can start, into called and linked flows, and stops at confirmations. What it
reaches without one is reported where it stands. A called flow that confirms on all its ways confirms for its caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..spec import END, ActionStep, CallStep, Flow, LinkStep, Problem, Step
from .paths import reachable
from .view import View, is_custom, is_own

_EXEMPT_PREFIXES = ("action_ask_", "validate_")


def unconfirmed(view: View) -> Iterator[Problem]:
    flows = view.project.flows
    users: dict[str, list[str]] = {}
    for flow in flows.values():
        for step in flow.steps:
            if isinstance(step, (CallStep, LinkStep)):
                users.setdefault(step.flow, []).append(flow.id)
    questions = {id: _questions(view, id, users) for id in flows}
    open_flows = _open_flows(flows, questions)
    seen: set[tuple[str, str]] = set()
    todo = [(flow.id, flow.first) for flow in view.user_flows if flow.guard is not False and flow.steps]
    while todo:
        at = todo.pop()
        flow = flows[at[0]]
        here = flow.by_id.get(at[1])
        if here is None or at in seen:
            continue
        seen.add(at)
        if isinstance(here, ActionStep) and is_own(here.place) and not flow.is_pattern and _is_effect(view, here):
            message = f"`{here.action}` in flow `{flow.id}` may change something, and the customer is not asked before"
            hint = (
                "collect a yes or no and branch on it, mark the action `read_only: true`, or set `metadata: {confirm: false}` on the step"
            )
            yield Problem(here.place, "warning", "effect-without-confirmation", message, hint)
        if isinstance(here, (LinkStep, CallStep)) and here.flow in flows and flows[here.flow].steps:
            todo.append((here.flow, flows[here.flow].first))
        if not isinstance(here, CallStep) or here.flow not in flows or here.flow in open_flows:
            todo.extend((flow.id, target) for target in _unconfirmed_ways(here, questions[flow.id]))


def _is_effect(view: View, step: ActionStep) -> bool:
    declared = view.project.actions.get(step.action)
    if declared is None or declared.read_only or not is_custom(step.action) or step.action.startswith(_EXEMPT_PREFIXES):
        return False
    return step.metadata.get("confirm") is not False


def _unconfirmed_ways(step: Step, questions: frozenset[str]) -> Iterator[str]:
    """Targets of a step that are taken without asking one of the questions."""
    for branch in step.next:
        if branch.condition is not None and any(ref.namespace == "slots" and ref.path in questions for ref in branch.condition.refs()):
            return
        yield branch.target


def _open_flows(flows: Mapping[str, Flow], questions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Flows that can be run from start to end without a confirmation."""
    found: set[str] = {flow.id for flow in flows.values() if not flow.steps}
    while True:
        more = {flow.id for flow in flows.values() if flow.id not in found and _runs_through(flow, flows, found, questions[flow.id])}
        if not more:
            return frozenset(found)
        found |= more


def _runs_through(flow: Flow, flows: Mapping[str, Flow], found: set[str], questions: frozenset[str]) -> bool:
    seen: set[str] = set()
    todo = [flow.first]
    while todo:
        id = todo.pop()
        if id == END:
            return True
        step = flow.by_id.get(id)
        if step is None or id in seen:
            continue
        seen.add(id)
        if not isinstance(step, CallStep) or step.flow not in flows or step.flow in found:
            todo.extend(_unconfirmed_ways(step, questions))
    return False


def _questions(view: View, flow_id: str, users: Mapping[str, list[str]]) -> frozenset[str]:
    """The bool slots a flow, those below it and those above it ask for."""
    above = reachable([flow_id], users)
    asked = {slot for id in above for slot in view.project.slots_asked_by(id)}
    return frozenset(name for name in asked if name in view.slots and view.slots[name].type == "bool")
