"""The graph of steps, within a flow and across links and calls, and what can be asked of any graph."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ..builtins import WAITING_ACTIONS
from ..spec import END, ActionStep, CallStep, CollectStep, Flow, HandoffStep, LinkStep, Project, Step

N = TypeVar("N", bound=Hashable)
At = tuple[str, str]
"""A step by flow id and step id."""


def reachable(start: Iterable[N], edges: Mapping[N, Sequence[N]]) -> frozenset[N]:
    """What can be reached from some nodes, themselves included."""
    seen: set[N] = set()
    todo = list(start)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(edges.get(node, ()))
    return frozenset(seen)


def circles(edges: Mapping[N, Sequence[N]]) -> Iterator[tuple[N, ...]]:
    """The strongly connected parts that hold a circle (Tarjan's algorithm, without recursion), each in the order of `edges`."""
    order = {node: number for number, node in enumerate(edges)}
    index: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    on_stack: set[N] = set()
    for root in edges:
        if root in index:
            continue
        work: list[tuple[N, Iterator[N]]] = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for target in following:
                if target not in edges:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part: list[N] = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    if len(part) > 1 or node in edges[node]:
                        yield tuple(sorted(part, key=order.__getitem__))


def ways(flow: Flow) -> Mapping[str, tuple[str, ...]]:
    """Step id -> ids of the steps it may go on to, END and unknown ids left out."""
    return {step.id: tuple(dict.fromkeys(branch.target for branch in step.next if branch.target in flow.by_id)) for step in flow.steps}


def waits(step: Step) -> bool:
    """Whether the turn stops at a step: a question, a hand-over, a built-in action that listens."""
    return isinstance(step, (CollectStep, HandoffStep)) or (isinstance(step, ActionStep) and step.action in WAITING_ACTIONS)


@dataclass(frozen=True)
class Ways:
    """The ways through a whole project, links and calls followed."""

    project: Project

    @cached_property
    def steps(self) -> Mapping[At, Step]:
        return {(flow.id, step.id): step for flow in self.project.flows.values() for step in flow.by_id.values()}

    @cached_property
    def silent_flows(self) -> frozenset[str]:
        """Flows that can run from start to end without a step that waits."""
        silent: set[str] = {flow.id for flow in self.project.flows.values() if not flow.steps}
        while True:
            more = {flow.id for flow in self.project.flows.values() if flow.id not in silent and self._passes(flow, silent)}
            if not more:
                return frozenset(silent)
            silent |= more

    def _passes(self, flow: Flow, silent: set[str]) -> bool:
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
            calls_waiting = isinstance(step, CallStep) and step.flow in self.project.flows and step.flow not in silent
            if waits(step) or isinstance(step, LinkStep) or calls_waiting:
                continue
            todo.extend(branch.target for branch in step.next)
        return False

    @cached_property
    def without_waiting(self) -> Mapping[At, tuple[At, ...]]:
        """Steps that do not wait -> the steps that follow in the same turn."""
        found: dict[At, tuple[At, ...]] = {}
        for (flow_id, step_id), step in self.steps.items():
            if not waits(step):
                found[flow_id, step_id] = tuple(self._following(flow_id, step))
        return found

    def _following(self, flow_id: str, step: Step) -> Iterator[At]:
        if isinstance(step, (LinkStep, CallStep)):
            target = self.project.flows.get(step.flow)
            if target is not None and target.steps:
                yield target.id, target.first
            if isinstance(step, LinkStep) or (target is not None and target.id not in self.silent_flows):
                return
        for branch in step.next:
            if (flow_id, branch.target) in self.steps:
                yield flow_id, branch.target
