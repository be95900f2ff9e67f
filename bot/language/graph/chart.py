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
    Project,
    SetSlotsStep,
    Step,
)
from .words import Words, words_in

Kind = Literal["start", "end", "collect", "say", "action", "set_slots", "noop", "link", "call", "handoff", "flow", "pattern", "missing"]
_FORMAT = re.compile(r"(?<!\{)\{([A-Za-z_][\w.]*):\w+\}")
_TAG = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_OUTPUT = re.compile(r"\{\{-?\s*(?:slots\.|context\.)?([\w.]*).*?\}\}", re.DOTALL)
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
    draft = _Draft(project, language or (project.language if project else ""), {step.id for step in flow.steps})
    start = draft.add("start", draft.words.start)
    for step in flow.by_id.values():
        draft.nodes.append(_step_node(step, draft))
    draft.edges.append(Edge(start, flow.first if flow.first in flow.by_id else draft.add("end", draft.words.end)))
    for step in flow.by_id.values():
        outside: dict[str, str] = {}
        for target, label in _ways(step, draft.words):
            if target not in flow.by_id and target not in outside:
                outside[target] = draft.add("end", draft.words.end) if target == END else draft.add("missing", target)
            draft.edges.append(Edge(step.id, outside.get(target, target), label))
        if targets and isinstance(step, (LinkStep, CallStep)):
            dashed = isinstance(step, LinkStep)
            draft.edges.append(Edge(step.id, draft.add("flow", draft.flow_name(step.flow)), "" if dashed else draft.words.calls, dashed))
    return Chart(flow.named(draft.language), flow.description, tuple(draft.nodes), tuple(draft.edges))


def project_chart(project: Project, language: str = "") -> Chart:
    """The flows of a project and how they link and call each other. Patterns appear when a flow links to them."""
    draft = _Draft(project, language or project.language, set())
    nodes = {flow.id: _overview_node(flow.id, project, draft) for flow in project.user_flows.values()}
    edges: dict[Edge, None] = {}
    for flow in project.user_flows.values():
        for step in flow.steps:
            if isinstance(step, (LinkStep, CallStep)):
                nodes.setdefault(step.flow, _overview_node(step.flow, project, draft))
                edges[Edge(flow.id, step.flow, dashed=isinstance(step, LinkStep))] = None
    description = draft.words.overview.format(len(project.user_flows))
    return Chart(draft.words.flows, description, tuple(nodes.values()), tuple(edges))


class _Draft:
    """A chart being made: collects nodes and edges, gives out ids no step has, knows the language."""

    def __init__(self, project: Project | None, language: str, taken: set[str]) -> None:
        self.project, self.language = project, language
        self.words = words_in(language)
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._taken = taken

    def add(self, kind: Kind, text: str) -> str:
        """Adds a node that is no step; returns its id."""
        id, number = f"@{kind}", 2
        while id in self._taken:
            id, number = f"@{kind}{number}", number + 1
        self._taken.add(id)
        self.nodes.append(Node(id, kind, "", text))
        return id

    def flow_name(self, id: str) -> str:
        flow = self.project.flows.get(id) if self.project else None
        return flow.named(self.language) if flow else id

    def said(self, name: str) -> str:
        """A snippet of the first wording of a response, its placeholders without formats."""
        response = self.project.responses.get(name) if self.project else None
        for variation in response.variations if response else ():
            text = variation.texts.get(self.language, "").strip() or variation.text.strip()
            if text:
                return _shown(_bare(text) if variation.template else _FORMAT.sub(r"{\1}", text), 90)
        return ""


def _overview_node(id: str, project: Project, draft: _Draft) -> Node:
    flow = project.flows.get(id)
    if flow is None:
        return Node(id, "missing", draft.words.missing, id)
    asked = len(project.slots_asked_by(id))
    about = [draft.words.steps.format(len(flow.steps))]
    if asked:
        about.append(draft.words.asks.format(asked))
    if flow.requires:
        about.append(flow.requires)
    return Node(id, "pattern" if flow.is_pattern else "flow", " · ".join(about), flow.named(draft.language))


def _ways(step: Step, words: Words) -> Iterator[tuple[str, str]]:
    """Targets of a step with the words on their arrows; several ways to one target become one arrow."""
    merged: dict[str, list[str]] = {}
    several = any(branch.condition is not None for branch in step.next)
    for branch in step.next:
        merged.setdefault(branch.target, []).append(_condition(branch, words) if several else "")
    for target, labels in merged.items():
        yield target, words.either.join(dict.fromkeys(label for label in labels if label))


def _condition(branch: Branch, words: Words) -> str:
    if branch.condition is None:
        return words.otherwise
    return _shown(branch.condition.text.replace("slots.", "").replace("context.", ""), 80)


def _step_node(step: Step, draft: _Draft) -> Node:
    words = draft.words
    match step:
        case CollectStep():
            return Node(step.id, "collect", words.ask.format(step.slot), draft.said(step.utter) or step.description or step.slot)
        case ActionStep(action=action) if action.startswith("utter_"):
            return Node(step.id, "say", words.say, draft.said(action) or action)
        case ActionStep(action=action):
            return Node(step.id, "action", words.action, action)
        case SetSlotsStep(assignments=assignments):
            written = ", ".join(f"{name} = {_value(value, words)}" for name, value in assignments)
            return Node(step.id, "set_slots", words.set, _shown(written, 90))
        case LinkStep():
            return Node(step.id, "link", words.go_to, draft.flow_name(step.flow))
        case CallStep():
            return Node(step.id, "call", words.call, draft.flow_name(step.flow))
        case HandoffStep():
            return Node(step.id, "handoff", words.hand_over.format(step.skill), step.reason or words.a_person)
        case _:
            return Node(step.id, "noop", "", step.description or "?")


def _value(value: Any, words: Words) -> str:
    if value is None:
        return words.empty
    if isinstance(value, bool):
        return words.yes if value else words.no
    return str(value)


def _bare(template: str) -> str:
    """A Jinja text without its logic: the names it shows stand in braces."""
    return _OUTPUT.sub(lambda match: f"{{{match[1]}}}", _TAG.sub(" ", template))


def _shown(text: str, most: int) -> str:
    flat = _BLANKS.sub(" ", text).strip()
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"
