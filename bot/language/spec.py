"""The typed, immutable form of what designers write: flows, slots, responses, actions, a project.

Field names follow the YAML dialect described in `bot/docs/language.md`; what we add is marked "ours".
Nothing here reads files or decides anything: `loader` builds these values, `check` judges them, `compile` runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from .conditions import Condition

END = "END"
"""The target that ends a flow."""

PATTERN_PREFIX = "pattern_"
"""Flows whose id begins so are conversation repair patterns; a project overrides one by using its id."""

Compat = Literal["3.11", "3.14", "3.16"]
Severity = Literal["error", "warning", "info"]
SlotType = Literal["text", "bool", "categorical", "float", "any", "list"]
Requires = Literal["known", "verified"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was written. `line` and `column` count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("<built in>")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a project: where, how bad, a stable code, what, and what to do."""

    place: Place
    severity: Severity
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.code} {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Branch:
    """One way onwards from a step: taken when `condition` holds (None: always). `target` is a step id or END."""

    target: str
    condition: Condition | None = None
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value of a slot is refused when `condition` holds; `utter` says why."""

    condition: Condition
    utter: str
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has. `next` is tried in order; the loader fills it in, so it is never empty except after `link`."""

    id: str
    next: tuple[Branch, ...] = ()
    place: Place = NOWHERE
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`action`, `collect`, `set_slots`, `link`, `call`, `noop` or `handoff`."""
        return _KINDS[type(self)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(Step):
    """Runs a custom action, a built-in `action_*`, or says a response `utter_*`. Never waits.

    In patterns the name may hold `{{context.x}}`.
    """

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectStep(Step):
    """Asks for a slot and waits until it is filled. `utter` is the response that asks, `action_ask_<slot>` if there is one."""

    slot: str
    utter: str
    ask_before_filling: bool = False
    reset_after_flow_ends: bool = True
    rejections: tuple[Rejection, ...] = ()
    force_slot_filling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSlotsStep(Step):
    """Sets slots to written values; None empties."""

    assignments: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStep(Step):
    """Ends this flow and starts another."""

    flow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep(Step):
    """Runs another flow as a part of this one, then goes on."""

    flow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoopStep(Step):
    """Does nothing but branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffStep(Step):
    """Ours: hands the conversation to a person, with why, which skill is needed and how urgent it is (1 = now, 5 = can wait)."""

    reason: str
    skill: str = "general"
    priority: int = 3


_KINDS: Mapping[type[Step], str] = {
    ActionStep: "action",
    CollectStep: "collect",
    SetSlotsStep: "set_slots",
    LinkStep: "link",
    CallStep: "call",
    NoopStep: "noop",
    HandoffStep: "handoff",
}


@dataclass(frozen=True)
class Flow:
    """One flow. `version` is the hash of its content: two flows with equal content have equal versions.

    `guard` is the documented `if` (a condition, or False: can only be reached by link and call).
    `requires` (ours) says how sure we must be of who the customer is before the first step runs.
    `examples` (ours): what customers say to start it, by language.
    """

    id: str
    description: str
    steps: tuple[Step, ...]
    version: str
    name: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    guard: Condition | Literal[False] | None = None
    persisted_slots: tuple[str, ...] = ()
    run_pattern_completed: bool = True
    always_include_in_prompt: bool = False
    requires: Requires | None = None
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: Place = NOWHERE

    @property
    def is_pattern(self) -> bool:
        return self.id.startswith(PATTERN_PREFIX)

    @property
    def readable_name(self) -> str:
        """The human label: `name`, else the id with spaces."""
        return self.name or self.id.replace("_", " ").replace("-", " ")

    def named(self, language: str) -> str:
        """The human label in a language, falling back to the project's own."""
        return self.names.get(language) or self.readable_name

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.steps}

    @property
    def first(self) -> str:
        """Id of the step a fresh start runs first."""
        return self.steps[0].id if self.steps else END

    @cached_property
    def collects(self) -> Mapping[str, CollectStep]:
        """The first collect step of each slot this flow asks for."""
        found: dict[str, CollectStep] = {}
        for step in self.steps:
            if isinstance(step, CollectStep):
                found.setdefault(step.slot, step)
        return found

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Ids of the flows this one calls."""
        return tuple(dict.fromkeys(step.flow for step in self.steps if isinstance(step, CallStep)))


@dataclass(frozen=True, slots=True)
class Validation:
    """Domain-level rules of a slot; hold wherever it is set."""

    rejections: tuple[Rejection, ...]
    refill_utter: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One piece of memory. `controlled` slots are set by actions, buttons and set_slots only, never by a model.

    `entity` (ours) names the extractor that reads values for it (`phone`, `date`, `money`, `number`, ...); empty: by type.
    """

    name: str
    type: SlotType = "text"
    initial_value: Any = None
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    controlled: bool = False
    validation: Validation | None = None
    entity: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered. `payload` is what comes back: `/SetSlots(a=b)`, or plain text."""

    title: str
    payload: str
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variation:
    """One wording of a response. `texts` holds translations by language; `text` is in the project's own language.

    `condition` must hold, `channel` must match, when given. `verbatim` (ours): never reworded by a model.
    """

    text: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    image: str = ""
    attachment: Any = None
    custom: Any = None
    channel: str = ""
    condition: Condition | None = None
    id: str = ""
    template: Literal["", "jinja"] = ""
    rephrase: bool = False
    verbatim: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Response:
    """What the bot may say under one name: one or more wordings."""

    name: str
    variations: tuple[Variation, ...]
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """A custom action as declared in the domain. Actions are effects unless `read_only` (ours).

    `idempotent` (ours): it hands its idempotency key to a system that knows such keys, so it may be called again after a crash.
    """

    name: str
    read_only: bool = False
    idempotent: bool = False
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """`expiry_minutes` of silence start a new session (0: never); slots carry over unless told otherwise."""

    expiry_minutes: float = 60
    carry_over_slots: bool = True


@dataclass(frozen=True)
class Project:
    """Everything a bot is made of, patterns included. `flows` holds the project's flows and the built-in patterns, merged."""

    root: Path
    flows: Mapping[str, Flow]
    slots: Mapping[str, Slot]
    responses: Mapping[str, Response]
    actions: Mapping[str, ActionSpec]
    language: str = "en"
    additional_languages: tuple[str, ...] = ()
    compat: Compat = "3.16"
    session: SessionSettings = SessionSettings()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The parsed `switchboard.yml`, for parts that have settings of their own (`actions:`, `understanding:`, ...)."""
    domain: Mapping[str, Any] = field(default_factory=dict)
    """The merged domain as plain JSON, as custom actions receive it."""

    @property
    def languages(self) -> tuple[str, ...]:
        return (self.language, *self.additional_languages)

    @cached_property
    def initial_values(self) -> Mapping[str, Any]:
        """Every slot's value before anything is known; None when it starts empty."""
        return {slot.name: slot.initial_value for slot in self.slots.values()}

    @cached_property
    def user_flows(self) -> Mapping[str, Flow]:
        """The flows a customer can be in, without patterns."""
        return {flow.id: flow for flow in self.flows.values() if not flow.is_pattern}

    def slots_asked_by(self, flow_id: str) -> frozenset[str]:
        """Every slot a flow and the flows it calls ask for."""
        asked: set[str] = set()
        seen: set[str] = set()
        todo = [flow_id]
        while todo:
            flow = self.flows.get(current := todo.pop())
            if flow is None or current in seen:
                continue
            seen.add(current)
            asked.update(flow.collects)
            todo.extend(flow.called)
        return frozenset(asked)
