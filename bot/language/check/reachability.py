"""Reachability: targets that are not there, steps nothing leads to, ways without an end, circles that never wait for the customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..spec import END, ActionStep, CallStep, CollectStep, Flow, LinkStep, Problem, SetSlotsStep, Step
from .paths import At, Ways, circles, reachable, waits, ways
from .view import View, did_you_mean, is_custom, is_own, is_template


def targets(view: View) -> Iterator[Problem]:
    for flow, step in view.steps():
        for branch in step.next:
            if branch.target == END or branch.target in flow.by_id:
                continue
            if branch.target in view.project.flows:
                hint = f"`{branch.target}` is a flow: use a step `link: {branch.target}` or `call: {branch.target}`"
            else:
                hint = did_you_mean(branch.target, [*flow.by_id, END], f"steps of this flow: {_listed([*flow.by_id])}")
            message = f"step `{step.id}` of flow `{flow.id}` goes on to `{branch.target}`, and there is no such step"
            yield Problem(branch.place, "error", "unknown-target", message, hint)
        if not isinstance(step, LinkStep) and all(branch.condition is not None for branch in step.next):
            what = "has no way onwards when no condition holds" if step.next else "has no way onwards"
            message = f"step `{step.id}` of flow `{flow.id}` {what}"
            yield Problem(step.place, "error", "dead-end", message, f"say where to go in `next`; {END} ends the flow")


def unreachable(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        edges = ways(flow)
        reached = set(reachable([flow.first], edges))
        aimed_at = {target for targets in edges.values() for target in targets}
        before: Step | None = None
        for step in flow.steps:
            if step.id not in reached:
                reached |= reachable([step.id], edges)
                if isinstance(before, LinkStep) and step.id not in aimed_at:
                    message = f"step `{step.id}` of flow `{flow.id}` comes after a link, which ends the flow"
                    hint = f"use `call: {before.flow}` to come back, or move the link to the end"
                    yield Problem(before.place, "error", "link-not-last", message, hint)
                else:
                    message = f"nothing leads to step `{step.id}` of flow `{flow.id}`"
                    yield Problem(step.place, "warning", "unreachable-step", message, "name it in some `next`, or remove it")
            before = step


def endless(view: View) -> Iterator[Problem]:
    """Parts of a flow that cannot be left but by the customer's own idea to cancel."""
    for flow in view.flows:
        edges = ways(flow)
        back: dict[str, list[str]] = {step.id: [] for step in flow.steps}
        for source, ways_on in edges.items():
            for target in ways_on:
                back[target].append(source)
        ends = [step.id for step in flow.steps if _may_end(flow, step)]
        leaving = reachable(ends, back)
        reached = reachable([flow.first], edges)
        stuck = [step for step in flow.steps if step.id in reached and step.id not in leaving]
        if stuck:
            message = f"from step `{stuck[0].id}` on, flow `{flow.id}` has no end"
            yield Problem(stuck[0].place, "warning", "never-ends", message, f"add a way to {END}")


def silent_circles(view: View) -> Iterator[Problem]:
    """Circles in which no step waits would run for ever in one turn."""
    paths = Ways(view.project)
    for part in circles(paths.without_waiting):
        own = [at for at in part if is_own(view.project.flows[at[0]].place)]
        if not own:
            continue
        steps = [paths.steps[at] for at in part]
        message = f"the steps {_route(part)} lead back to the first, and none of them waits for the customer"
        place = paths.steps[own[0]].place
        if _may_change_its_mind(part, steps, paths):
            hint = "make sure an action or a slot ends the circle"
            yield Problem(place, "warning", "cycle-never-waits", message, hint)
        else:
            yield Problem(place, "error", "cycle-never-waits", message, "let it ask something, or lead it out")


def one_time_circles(view: View) -> Iterator[Problem]:
    """Circles that wait only at questions which, once answered, are passed over: the second round never stops."""
    for flow in view.flows:
        edges = ways(flow)
        for part in circles(edges):
            if len(part) == 1 and len(edges) == 1:
                continue
            steps = [flow.by_id[id] for id in part]
            asking = [step for step in steps if isinstance(step, CollectStep)]
            if not asking or any(_may_wait_again(step) for step in steps):
                continue
            emptied = {name for step in steps if isinstance(step, SetSlotsStep) for name, _ in step.assignments}
            if emptied & ({step.slot for step in asking} | _read_inside(steps)):
                continue
            names = _listed(sorted({step.slot for step in asking}))
            circle = f"the steps {_listed(list(part))} of flow `{flow.id}` are a circle"
            message = f"{circle}; once {names} is filled, it is not asked again and nothing waits"
            hint = "empty the slot with `set_slots: [{slot: null}]`, or set `ask_before_filling: true`"
            yield Problem(asking[0].place, "warning", "cycle-waits-once", message, hint)


def _may_end(flow: Flow, step: Step) -> bool:
    if isinstance(step, LinkStep) or not step.next:
        return True
    return any(branch.target == END or branch.target not in flow.by_id for branch in step.next)


def _may_change_its_mind(part: Sequence[At], steps: Sequence[Step], paths: Ways) -> bool:
    """Whether something inside the circle can change a condition that leads out of it."""
    inside = set(part)
    leaves: set[str] = set()
    conditional = False
    for (flow_id, _), step in zip(part, steps, strict=True):
        if any((flow_id, branch.target) not in inside for branch in step.next):
            for branch in step.next:
                if branch.condition is not None:
                    conditional = True
                    leaves.update(ref.path.split(".")[0] for ref in branch.condition.refs())
    acts = any(isinstance(step, ActionStep) and (is_custom(step.action) or is_template(step.action)) for step in steps)
    sets = {name for step in steps if isinstance(step, SetSlotsStep) for name, _ in step.assignments}
    return conditional and (acts or bool(sets & leaves))


def _may_wait_again(step: Step) -> bool:
    if isinstance(step, CollectStep):
        return step.ask_before_filling or bool(step.rejections)
    if isinstance(step, ActionStep):
        return waits(step) or is_custom(step.action) or is_template(step.action)
    return waits(step) or isinstance(step, CallStep)


def _read_inside(steps: Sequence[Step]) -> set[str]:
    conditions = (branch.condition for step in steps for branch in step.next if branch.condition is not None)
    return {ref.path.split(".")[0] for condition in conditions for ref in condition.refs()}


def _route(part: Sequence[At]) -> str:
    if len({flow for flow, _ in part}) == 1:
        return f"{_listed([step for _, step in part])} of flow `{part[0][0]}`"
    return _listed([f"{flow}/{step}" for flow, step in part])


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
