"""What there is to draw: nodes and edges with words on them, made from a flow or from a whole project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..spec import (
    END,
    ActionStep,
    Branch,
    CallStep,
    CollectStep,
    Flow,
    HandoffStep,
    LinkStep,
    NoopStep,
    Project,
    SetSlotsStep,
    Step,
)

Kind = Literal["start", "end", "collect", "say", "action", "set_slots", "noop", "link", "call", "handoff", "flow", "pattern", "missing"]
_PLACEHOLDER_FORMAT = re.compile(r"(?<!\{)\{([A-Za-z_][\w.]*):\w+\}")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Node:
    """One box. `label` is the short word above (`ask amount`), `text` what it is about, `id` unique in its chart."""

    id: str
    kind: Kind
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow; `dashed` ones leave the flow (a link, a call)."""

    source: str
    target: str
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture before it is drawn. The first node is where it starts, if it starts anywhere."""

    title: str
    description: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def flow_chart(flow: Flow, project: Project | None = None, language: str = "", *, targets: bool = False) -> Chart:
    """The chart of one flow. Texts are in `language` (the project's own when empty); without a project, names stand for texts.

    With `targets`, flows that are linked to or called become nodes of their own, else the step's box names them.
    """
    language = language or (project.language if project else "")
    ids = _Ids({step.id for step in flow.steps})
    start = Node(ids.new("start"), "start", "", flow.named(language))
    nodes = [start, *(_step_node(step, project, language) for step in flow.by_id.values())]
    edges = [Edge(start.id, flow.first)] if flow.first in flow.by_id else []
    ends: dict[str, str] = {}
    for step in flow.by_id.values():
        for target, label in _ways(step):
            if target not in flow.by_id:
                if (known := ends.get(f"{step.id} {target}")) is None:
                    known = ends[f"{step.id} {target}"] = ids.new("end")
                    nodes.append(Node(known, "end", "", "End") if target == END else Node(known, "missing", "", target))
                target = known
            edges.append(Edge(step.id, target, label))
        if targets and isinstance(step, (LinkStep, CallStep)):
            nodes.append(Node(ids.new("flow"), "flow", "", _flow_name(step.flow, project, language)))
            edges.append(Edge(step.id, nodes[-1].id, "" if isinstance(step, LinkStep) else "calls", dashed=True))
    if not flow.steps:
        nodes.append(Node(ids.new("end"), "end", "", "End"))
        edges.append(Edge(start.id, nodes[-1].id))
    return Chart(flow.named(language), flow.description, tuple(nodes), tuple(edges))


def project_chart(project: Project, language: str = "") -> Chart:
    """The flows of a project and how they link and call each other. Patterns appear when a flow links to them."""
    language = language or project.language
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    for flow in project.user_flows.values():
        nodes[flow.id] = _overview_node(flow.id, project, language)
    for flow in project.user_flows.values():
        for step in flow.steps:
            if isinstance(step, (LinkStep, CallStep)):
                nodes.setdefault(step.flow, _overview_node(step.flow, project, language))
                edges[Edge(flow.id, step.flow, "" if isinstance(step, LinkStep) else "calls", isinstance(step, LinkStep))] = None
    count = len(project.user_flows)
    return Chart("Flows", f"{count} flows and how they link and call each other", tuple(nodes.values()), tuple(edges))


def _overview_node(id: str, project: Project, language: str) -> Node:
    flow = project.flows.get(id)
    if flow is None:
        return Node(id, "missing", "missing", id)
    asked = len(project.slots_asked_by(id))
    about = [f"{len(flow.steps)} step{'s' if len(flow.steps) != 1 else ''}"]
    if asked:
        about.append(f"asks {asked}")
    if flow.requires:
        about.append(flow.requires)
    return Node(id, "pattern" if flow.is_pattern else "flow", " · ".join(about), flow.named(language))


def _ways(step: Step) -> Iterator[tuple[str, str]]:
    """Targets of a step with the words on their arrows; several ways to one target become one arrow."""
    merged: dict[str, list[str]] = {}
    several = any(branch.condition is not None for branch in step.next)
    for branch in step.next:
        merged.setdefault(branch.target, []).append(_condition(branch) if several else "")
    for target, labels in merged.items():
        yield target, " or ".join(dict.fromkeys(label for label in labels if label))


def _condition(branch: Branch) -> str:
    if branch.condition is None:
        return "else"
    return _shown(branch.condition.text.replace("slots.", "").replace("context.", ""), 80)


def _step_node(step: Step, project: Project | None, language: str) -> Node:
    match step:
        case CollectStep():
            return Node(step.id, "collect", f"ask {step.slot}", _said(step.utter, project, language) or step.description or step.slot)
        case ActionStep(action=action) if action.startswith("utter_"):
            return Node(step.id, "say", "say", _said(action, project, language) or action)
        case ActionStep(action=action):
            return Node(step.id, "action", "action", action)
        case SetSlotsStep(assignments=assignments):
            written = ", ".join(f"{name} = {_value(value)}" for name, value in assignments)
            return Node(step.id, "set_slots", "set", _shown(written, 90))
        case LinkStep():
            return Node(step.id, "link", "go to", _flow_name(step.flow, project, language))
        case CallStep():
            return Node(step.id, "call", "call", _flow_name(step.flow, project, language))
        case HandoffStep():
            return Node(step.id, "handoff", f"hand over · {step.skill}", step.reason or "a person takes over")
        case NoopStep():
            return Node(step.id, "noop", "", step.description or "?")
        case _:
            return Node(step.id, "noop", step.kind, step.id)


def _said(name: str, project: Project | None, language: str) -> str:
    """A snippet of the first wording of a response, its placeholders without formats."""
    response = project.responses.get(name) if project else None
    for variation in response.variations if response else ():
        text = variation.texts.get(language, "").strip() or variation.text.strip()
        if text:
            return _shown(_PLACEHOLDER_FORMAT.sub(r"{\1}", text), 90)
    return ""


def _flow_name(id: str, project: Project | None, language: str) -> str:
    flow = project.flows.get(id) if project else None
    return flow.named(language) if flow else id


def _value(value: Any) -> str:
    return {None: "empty", True: "yes", False: "no"}.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)


def _shown(text: str, most: int) -> str:
    flat = _BLANKS.sub(" ", text).strip()
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


class _Ids:
    """Makes ids that no step has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def new(self, wanted: str) -> str:
        id, number = f"@{wanted}", 2
        while id in self._taken:
            id, number = f"@{wanted}{number}", number + 1
        self._taken.add(id)
        return id
