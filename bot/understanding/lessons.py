"""What the classifier learns from: the examples of a project's flows, and, weighing less, their names and descriptions."""

from __future__ import annotations

from dataclasses import dataclass

from bot.language import Flow, Project

from .annotations import plain

_NAME_WEIGHT = 0.7
_DESCRIPTION_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text that means a flow. `weight` 1 is an example; `example` is False for names and descriptions."""

    text: str
    flow: str
    weight: float = 1.0
    example: bool = True


def startable(project: Project) -> dict[str, Flow]:
    """The flows a message may start: no patterns, nothing that is only called or linked."""
    return {flow.id: flow for flow in project.user_flows.values() if flow.guard is not False}


def lessons(project: Project) -> tuple[Lesson, ...]:
    """Everything to learn from, in the project's order."""
    found: list[Lesson] = []
    for flow in startable(project).values():
        for texts in flow.examples.values():
            found += [Lesson(plain(text), flow.id) for text in texts if text.strip()]
        named = dict.fromkeys([flow.readable_name, *flow.names.values(), flow.id.replace("_", " ").replace("-", " ")])
        found += [Lesson(name, flow.id, _NAME_WEIGHT, example=False) for name in named if name.strip()]
        if flow.description.strip():
            found.append(Lesson(flow.description, flow.id, _DESCRIPTION_WEIGHT, example=False))
    return tuple(found)
