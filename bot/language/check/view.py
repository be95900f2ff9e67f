"""What the checks look at: a project, the settings of the check, and what every check would otherwise work out for itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

from ..builtins import BUILTIN_ACTIONS, BUILTIN_FILE_PREFIX, BUILTIN_SLOTS, CONTEXT_NAMES
from ..conditions import Condition
from ..spec import (
    ActionStep,
    CallStep,
    CollectStep,
    Flow,
    LinkStep,
    Place,
    Project,
    Response,
    Slot,
    Step,
    Variation,
)

_ANNOTATION = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


class Where(NamedTuple):
    """A condition and where it stands. `what` says it in words, for messages; `judged` is the slot a rejection judges, else ""."""

    condition: Condition
    place: Place
    what: str
    judged: str = ""


@dataclass(frozen=True)
class View:
    """`knows_action` says whether an action is implemented, `mentions` whether the code of actions holds a name (None: nobody can say).

    `max_segments` is the longest text message wanted.
    """

    project: Project
    knows_action: Callable[[str], bool] | None = None
    max_segments: int = 3
    mentions: Callable[[str], bool] | None = None

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        """The project's own flows, patterns it overrides included."""
        return tuple(flow for flow in self.project.flows.values() if is_own(flow.place))

    @cached_property
    def user_flows(self) -> tuple[Flow, ...]:
        return tuple(flow for flow in self.flows if not flow.is_pattern)

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        """The project's own responses."""
        return tuple(response for response in self.project.responses.values() if is_own(response.place))

    @cached_property
    def slots(self) -> Mapping[str, Slot]:
        """Every slot that may be named, built-in ones included."""
        return {**BUILTIN_SLOTS, **self.project.slots}

    def steps(self, kind: type[Step] = Step) -> Iterator[tuple[Flow, Step]]:
        """The steps of the project's own flows."""
        return ((flow, step) for flow in self.flows for step in flow.steps if isinstance(step, kind))

    def variations(self) -> Iterator[tuple[Response, Variation]]:
        """The wordings of the project's own responses."""
        return ((response, variation) for response in self.responses for variation in response.variations)

    @cached_property
    def conditions(self) -> tuple[Where, ...]:
        """Every condition the project's own files hold."""
        return tuple(_conditions(self.flows, [slot for slot in self.project.slots.values() if is_own(slot.place)], self.responses))

    @cached_property
    def all_conditions(self) -> tuple[Where, ...]:
        """Every condition, those of built-in patterns included."""
        return tuple(_conditions(self.project.flows.values(), self.project.slots.values(), self.project.responses.values()))

    @cached_property
    def said(self) -> Mapping[str, tuple[tuple[Place, str], ...]]:
        """Responses that flows and slots name: by whom. Built-in flows count as well."""
        found: dict[str, list[tuple[Place, str]]] = {}
        for name, place, what in _named_responses(self.project):
            found.setdefault(name, []).append((place, what))
        return {name: tuple(users) for name, users in found.items()}

    @cached_property
    def context_names(self) -> frozenset[str]:
        """What `context.` may hold: the documented names, and what the built-in patterns read."""
        built_in = {
            ref.path.split(".")[0]
            for where in self.all_conditions
            if not is_own(where.place)
            for ref in where.condition.refs()
            if ref.namespace == "context"
        }
        return CONTEXT_NAMES | built_in

    def in_code(self, name: str) -> bool:
        """Whether the code of actions is known to hold a name."""
        return self.mentions is not None and self.mentions(name)

    @cached_property
    def called(self) -> frozenset[str]:
        """Ids of flows that some flow calls."""
        return frozenset(step.flow for flow in self.project.flows.values() for step in flow.steps if isinstance(step, CallStep))

    @cached_property
    def linked(self) -> frozenset[str]:
        """Ids of flows that some flow links to."""
        return frozenset(step.flow for flow in self.project.flows.values() for step in flow.steps if isinstance(step, LinkStep))


def is_own(place: Place) -> bool:
    """Whether something was written by the project, not by the framework."""
    return not place.file.startswith(BUILTIN_FILE_PREFIX)


def is_utter(action: str) -> bool:
    return action.startswith("utter_")


def is_template(name: str) -> bool:
    """Whether a name is filled in when the step runs."""
    return "{{" in name or "{%" in name


def is_custom(action: str) -> bool:
    """Whether an action step runs code of the project."""
    return not is_utter(action) and action not in BUILTIN_ACTIONS and not is_template(action)


def marked(example: str) -> Iterator[tuple[str, str | None]]:
    """The slots an example marks, `[words](slot)` or `[words](slot=value)`: slot, and the value when one is written."""
    for match in _ANNOTATION.finditer(example):
        slot, written, value = match[2].partition("=" if "=" in match[2] else ":")
        yield slot.strip(), value.strip() if written else None


def plain(example: str) -> str:
    """An example without its annotations."""
    return _ANNOTATION.sub(r"\1", example)


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the closest known name, or says something else."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else otherwise


def _conditions(flows: Iterable[Flow], slots: Iterable[Slot], responses: Iterable[Response]) -> Iterator[Where]:
    for flow in flows:
        if isinstance(flow.guard, Condition):
            yield Where(flow.guard, flow.place, f"the start condition of flow `{flow.id}`")
        for step in flow.steps:
            what = f"step `{step.id}` of flow `{flow.id}`"
            for branch in step.next:
                if branch.condition is not None:
                    yield Where(branch.condition, branch.place, f"a branch of {what}")
            for rejection in step.rejections if isinstance(step, CollectStep) else ():
                yield Where(
                    rejection.condition, rejection.place, f"a rejection of {what}", step.slot if isinstance(step, CollectStep) else ""
                )
    for slot in slots:
        for rejection in slot.validation.rejections if slot.validation else ():
            yield Where(rejection.condition, rejection.place, f"a rejection of slot `{slot.name}`", slot.name)
    for response in responses:
        for variation in response.variations:
            if variation.condition is not None:
                yield Where(variation.condition, variation.place, f"a variation of `{response.name}`")


def _named_responses(project: Project) -> Iterator[tuple[str, Place, str]]:
    for flow in project.flows.values():
        for step in flow.steps:
            what = f"step `{step.id}` of flow `{flow.id}`"
            if isinstance(step, ActionStep) and is_utter(step.action) and not is_template(step.action):
                yield step.action, step.place, what
            elif isinstance(step, CollectStep):
                yield step.utter, step.place, what
                for rejection in step.rejections:
                    yield rejection.utter, rejection.place, f"a rejection of {what}"
    for slot in project.slots.values():
        if slot.validation:
            for rejection in slot.validation.rejections:
                yield rejection.utter, rejection.place, f"a rejection of slot `{slot.name}`"
            if slot.validation.refill_utter:
                yield slot.validation.refill_utter, slot.place, f"`refill_utter` of slot `{slot.name}`"
