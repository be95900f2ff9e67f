"""Spec -> LangGraph: one compiled `StateGraph` per flow version, one node per step, designers' branches as conditional edges.

START has one conditional edge, to the step the frame stands at. There is no checkpointer and no `interrupt()`: position is data.
Graphs are compiled when first needed and kept in an LRU by (flow, version).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypedDict

from langgraph.graph import END as GRAPH_END
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from bot.language import END, Branch, Flow, LinkStep, Step

from . import slots
from .actions import ActionFailed
from .progress import Progress, Surroundings
from .recovery import recover
from .steps import RunawayTurn, run_step


class FlowState(TypedDict):
    progress: Progress


def next_target(branches: tuple[Branch, ...], progress: Progress, around: Surroundings) -> str:
    """The first branch whose condition holds; END when none does."""
    top = progress.state.top
    context = top.context if top else {}
    values = None
    for branch in branches:
        if branch.condition is None:
            return branch.target
        if values is None:
            values = slots.values(progress.state, around.project)
        if branch.condition.holds(values, context):
            return branch.target
    return END


def _node(step: Step) -> Callable[[FlowState, Runtime[Surroundings]], Awaitable[FlowState]]:
    async def run(state: FlowState, runtime: Runtime[Surroundings]) -> FlowState:
        progress = state["progress"]
        try:
            return {"progress": await run_step(step, progress, runtime.context)}
        except (ActionFailed, RunawayTurn) as failure:
            return {"progress": recover(failure, progress.with_frame(step=step.id), runtime.context)}
        except Exception as error:  # a defect of ours must not lose the turn either
            defect = ActionFailed("failed", step.id, f"{type(error).__name__} in the engine")
            return {"progress": recover(defect, progress.with_frame(step=step.id), runtime.context)}

    return run


def _router(step: Step, known: frozenset[str]) -> Callable[[FlowState, Runtime[Surroundings]], Awaitable[str]]:
    async def route(state: FlowState, runtime: Runtime[Surroundings]) -> str:
        progress = state["progress"]
        if progress.stop is not None or isinstance(step, LinkStep):
            return GRAPH_END
        target = next_target(step.next, progress, runtime.context)
        return target if target in known else GRAPH_END

    return route


def compile_flow(flow: Flow) -> Any:
    """Compiles one flow. Node names are step ids, so what designers drew is what runs, streams and draws."""
    graph: StateGraph[FlowState, Surroundings, FlowState, FlowState] = StateGraph(FlowState, context_schema=Surroundings)
    known = frozenset(step.id for step in flow.steps)
    for step in flow.steps:
        graph.add_node(step.id, _node(step), metadata={"kind": step.kind})  # type: ignore[call-overload]
        targets: dict[Hashable, str] = {branch.target: branch.target for branch in step.next if branch.target in known}
        targets[GRAPH_END] = GRAPH_END
        graph.add_conditional_edges(step.id, _router(step, known), targets)

    async def enter(state: FlowState) -> str:
        top = state["progress"].state.top
        step = (top.step if top else "") or flow.first
        return step if step in known else GRAPH_END

    entries: dict[Hashable, str] = {step: step for step in known}
    entries[GRAPH_END] = GRAPH_END
    graph.add_conditional_edges(START, enter, entries)
    return graph.compile(name=flow.id)


class Graphs:
    """Compiled flows, least recently used out first. Call it with a flow."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._compiled: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __call__(self, flow: Flow) -> Any:
        key = (flow.id, flow.version)
        graph = self._compiled.get(key)
        if graph is None:
            graph = self._compiled[key] = compile_flow(flow)
            if len(self._compiled) > self._size:
                self._compiled.popitem(last=False)
        else:
            self._compiled.move_to_end(key)
        return graph
