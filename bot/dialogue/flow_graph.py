"""Spec -> LangGraph: one compiled `StateGraph` per flow version, one node per step, designers' branches as the edges that a node may take.

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
from langgraph.types import Command

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


def _node(step: Step, known: frozenset[str]) -> Callable[[FlowState, Runtime[Surroundings]], Awaitable[FlowState | Command[str]]]:
    """Runs a step and says where to go on. A node that names its successor costs less than a conditional edge, and draws the same."""

    async def run(state: FlowState, runtime: Runtime[Surroundings]) -> FlowState | Command[str]:
        progress, around = state["progress"], runtime.context
        try:
            progress = await run_step(step, progress, around)
        except (ActionFailed, RunawayTurn) as failure:
            progress = recover(failure, progress.with_frame(step=step.id), around)
        except Exception as error:  # a defect of ours must not lose the turn either
            defect = ActionFailed("failed", step.id, f"{type(error).__name__} in the engine")
            progress = recover(defect, progress.with_frame(step=step.id), around)
        if progress.stop is not None or isinstance(step, LinkStep):
            return {"progress": progress}
        target = next_target(step.next, progress, around)
        return Command(update={"progress": progress}, goto=target) if target in known else {"progress": progress}

    return run


def compile_flow(flow: Flow) -> Any:
    """Compiles one flow. Node names are step ids, so what designers drew is what runs, streams and draws."""
    graph: StateGraph[FlowState, Surroundings, FlowState, FlowState] = StateGraph(FlowState, context_schema=Surroundings)
    known = frozenset(step.id for step in flow.steps)
    for step in flow.steps:
        targets = tuple(branch.target for branch in step.next if branch.target in known)
        graph.add_node(step.id, _node(step, known), metadata={"kind": step.kind}, destinations=targets)  # type: ignore[call-overload]

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
