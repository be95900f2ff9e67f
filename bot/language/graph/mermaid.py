"""Mermaid text of a chart, as Markdown renderers draw it (https://mermaid.js.org/syntax/flowchart.html). Written by us, kind by kind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..spec import Flow, Project
from .chart import Chart, Kind, Node, flow_chart, project_chart
from .palette import PALETTE

_SHAPES: dict[Kind, tuple[str, str]] = {
    "start": ("([", "])"),
    "end": ("((", "))"),
    "collect": ("[/", "/]"),
    "say": ("(", ")"),
    "action": ("[[", "]]"),
    "set_slots": ("[", "]"),
    "noop": ("{", "}"),
    "link": (">", "]"),
    "call": ("[[", "]]"),
    "handoff": ("{{", "}}"),
    "flow": ("([", "])"),
    "pattern": ("{{", "}}"),
    "missing": ("[", "]"),
}
_RESERVED = frozenset({"end", "graph", "subgraph", "flowchart", "style", "class", "classdef", "click", "linkstyle", "default", "direction"})
_PLAIN_ID = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


def mermaid(flow: Flow, project: Project | None = None, language: str = "") -> str:
    """One flow as Mermaid text, with the designer's own step ids. Texts are in `language`, the project's own when empty."""
    return to_mermaid(flow_chart(flow, project, language, targets=True))


def mermaid_overview(project: Project, language: str = "") -> str:
    """The flows of a project and how they link and call each other, as Mermaid text."""
    return to_mermaid(project_chart(project, language), direction="LR")


def to_mermaid(chart: Chart, direction: str = "TD") -> str:
    ids = _safe_ids(chart.nodes)
    lines = ["---", f"title: {_quoted_yaml(chart.title)}", "---", f"flowchart {direction}"]
    for node in chart.nodes:
        opening, closing = _SHAPES[node.kind]
        words = [_escaped(part) for part in (f"{node.label}:" if node.label and node.text else node.label, node.text) if part]
        lines.append(f'    {ids[node.id]}{opening}"{"<br/>".join(words)}"{closing}')
    for edge in chart.edges:
        arrow = "-.->" if edge.dashed else "-->"
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"    {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    for kind in dict.fromkeys(node.kind for node in chart.nodes):
        colours = PALETTE[kind]
        lines.append(f"    classDef {kind}_ fill:{colours.fill},stroke:{colours.line},color:{colours.ink}")
        lines.append(f"    class {','.join(ids[node.id] for node in chart.nodes if node.kind == kind)} {kind}_")
    return "\n".join(lines) + "\n"


def _safe_ids(nodes: Iterable[Node]) -> dict[str, str]:
    """Node ids as Mermaid reads them: the step's own where possible."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for node in nodes:
        plain = (
            node.id if _PLAIN_ID.match(node.id) and node.id.lower() not in _RESERVED else "s_" + re.sub(r"\W", "_", node.id, flags=re.ASCII)
        )
        id, number = plain, 2
        while id in taken:
            id, number = f"{plain}_{number}", number + 1
        taken.add(id)
        found[node.id] = id
    return found


def _escaped(text: str) -> str:
    """Text inside double quotes: Mermaid reads entities, and nothing else in it."""
    flat = " ".join(text.split())
    for sign, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        flat = flat.replace(sign, entity)
    return flat


def _quoted_yaml(text: str) -> str:
    flat = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{flat}"'
