"""Reads what a test expects, plain steps and assertions, from YAML nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from bot.language.yamlfile import Node

from . import nodes
from .nodes import Wrong
from .scenarios import (
    ActionExecuted,
    Assertion,
    BotSays,
    ClarificationContains,
    Expectation,
    FlowEnded,
    FlowStarted,
    Judged,
    Operator,
    SlotNotSet,
    SlotSet,
    Uttered,
    Utters,
)

PLAIN = frozenset({"bot", "utter", "slot_was_set", "slot_was_not_set"})
_OPERATOR = frozenset({"operator", "flow_ids"})
_ENDED = frozenset({"flow_id", "flow_step_id"})
_UTTERED = frozenset({"utter_name", "text_matches", "buttons"})
_BUTTON = frozenset({"title", "payload"})
_SLOT = frozenset({"name", "value"})


def read_plain(key: str, node: Node) -> tuple[Expectation, ...]:
    """One plain step. `slot_was_set` may name several slots, so it may become several expectations."""
    place = node.place
    if key == "bot":
        return (BotSays(place, nodes.text(node, "bot")),)
    if key == "utter":
        return (Utters(place, nodes.name(node, "utter")),)
    kind: type[SlotSet] | type[SlotNotSet] = SlotSet if key == "slot_was_set" else SlotNotSet
    found: list[Expectation] = []
    for item in nodes.items(node, key) if node.items is not None else [node]:
        if item.entries is not None:
            found += [kind(entry.place, name, entry.value.data, bare=False) for name, entry in nodes.fields(item, key).items()]
        else:
            found.append(kind(item.place, nodes.name(item, key)))
    if not found:
        raise Wrong(place, "test-bad-value", f"{key} names no slot")
    return tuple(found)


def read_assertions(node: Node) -> tuple[Assertion, ...]:
    """The `assertions` of a user step. Raises Wrong for a kind nobody knows."""
    found: list[Assertion] = []
    for item in nodes.items(node, "assertions"):
        for kind, entry in nodes.fields(item, "an assertion").items():
            read = _KINDS.get(kind)
            if read is None:
                names = frozenset(_KINDS)
                raise Wrong(entry.place, "test-unknown-assertion", f"there is no assertion {kind!r}", nodes.known(names))
            found += read(entry.value)
    return tuple(found)


def _flows(node: Node, what: str) -> tuple[tuple[str, ...], Operator]:
    """Flow ids in any documented form: one, a list, or a mapping with an operator."""
    operator: Operator = "all"
    if node.entries is not None:
        fields = nodes.fields(node, what, _OPERATOR)
        if "flow_ids" not in fields:
            raise Wrong(node.place, "test-bad-value", f"{what} lacks flow_ids")
        if "operator" in fields:
            written = nodes.text(fields["operator"].value, "operator").lower()
            if written not in ("all", "any"):
                raise Wrong(fields["operator"].value.place, "test-bad-value", "operator must be all or any")
            operator = "any" if written == "any" else "all"
        node = fields["flow_ids"].value
    items = nodes.items(node, what) if node.items is not None else [node]
    names = tuple(nodes.name(item, what) for item in items)
    if not names:
        raise Wrong(node.place, "test-bad-value", f"{what} names no flow")
    return names, operator


def _flow_started(node: Node) -> list[Assertion]:
    flows, operator = _flows(node, "flow_started")
    return [FlowStarted(node.place, flows, operator)]


def _clarification(node: Node) -> list[Assertion]:
    names, operator = _flows(node, "pattern_clarification_contains")
    return [ClarificationContains(node.place, names, operator)]


def _flow_ended(how: Literal["completed", "cancelled"]) -> Callable[[Node], list[Assertion]]:
    def read(node: Node) -> list[Assertion]:
        what = f"flow_{how}"
        if node.entries is None:
            return [FlowEnded(node.place, how, nodes.name(node, what))]
        fields = nodes.fields(node, what, _ENDED)
        if "flow_id" not in fields:
            raise Wrong(node.place, "test-bad-value", f"{what} lacks flow_id")
        step = nodes.name(fields["flow_step_id"].value, "flow_step_id") if "flow_step_id" in fields else ""
        return [FlowEnded(node.place, how, nodes.name(fields["flow_id"].value, "flow_id"), step)]

    return read


def _action_executed(node: Node) -> list[Assertion]:
    return [ActionExecuted(node.place, nodes.name(node, "action_executed"))]


def _slots(kind: type[SlotSet] | type[SlotNotSet], what: str) -> Callable[[Node], list[Assertion]]:
    def read(node: Node) -> list[Assertion]:
        found: list[Assertion] = []
        for item in nodes.items(node, what) if node.items is not None else [node]:
            if item.entries is None:
                found.append(kind(item.place, nodes.name(item, what)))
                continue
            fields = nodes.fields(item, what, _SLOT)
            if "name" not in fields:
                raise Wrong(item.place, "test-bad-value", f"{what} lacks the name of the slot")
            name = nodes.name(fields["name"].value, "name")
            if "value" in fields:
                found.append(kind(item.place, name, fields["value"].value.data, bare=False))
            else:
                found.append(kind(item.place, name))
        if not found:
            raise Wrong(node.place, "test-bad-value", f"{what} names no slot")
        return found

    return read


def _uttered(wanted: bool) -> Callable[[Node], list[Assertion]]:
    what = "bot_uttered" if wanted else "bot_did_not_utter"

    def read(node: Node) -> list[Assertion]:
        fields = nodes.fields(node, what, _UTTERED)
        if not fields:
            hint = "give utter_name, text_matches or buttons"
            raise Wrong(node.place, "test-bad-value", f"{what} says nothing", hint)
        response = nodes.name(fields["utter_name"].value, "utter_name") if "utter_name" in fields else ""
        pattern = None
        if "text_matches" in fields:
            written = fields["text_matches"].value
            try:
                pattern = re.compile(nodes.text(written, "text_matches"))
            except re.error as error:
                message = f"text_matches is no regular expression: {error}"
                raise Wrong(written.place, "test-bad-value", message, "put \\ before . ? * + ( ) [ ] $") from error
        buttons: tuple[Mapping[str, str], ...] = ()
        if "buttons" in fields:
            buttons = tuple(
                {name: nodes.text(entry.value, name) for name, entry in nodes.fields(item, "a button", _BUTTON).items()}
                for item in nodes.items(fields["buttons"].value, "buttons")
            )
        return [Uttered(node.place, wanted, response, pattern, buttons)]

    return read


def _judged(kind: str) -> Callable[[Node], list[Assertion]]:
    def read(node: Node) -> list[Assertion]:
        if not node.is_null and node.entries is None:
            raise Wrong(node.place, "test-bad-value", f"{kind} must be a mapping (threshold, utter_name, ...)")
        return [Judged(node.place, kind)]

    return read


_KINDS: Mapping[str, Callable[[Node], list[Assertion]]] = {
    "flow_started": _flow_started,
    "flow_completed": _flow_ended("completed"),
    "flow_cancelled": _flow_ended("cancelled"),
    "action_executed": _action_executed,
    "slot_was_set": _slots(SlotSet, "slot_was_set"),
    "slot_was_not_set": _slots(SlotNotSet, "slot_was_not_set"),
    "bot_uttered": _uttered(True),
    "bot_did_not_utter": _uttered(False),
    "pattern_clarification_contains": _clarification,
    "generative_response_is_relevant": _judged("generative_response_is_relevant"),
    "generative_response_is_grounded": _judged("generative_response_is_grounded"),
}
