"""Slots: declarations, written values, and every place that names one."""

from __future__ import annotations

from collections.abc import Iterator

from ..builtins import BUILTIN_SLOTS
from ..spec import CollectStep, Problem, SetSlotsStep
from .payloads import is_set_slots, pairs_of
from .values import misfit, value_hint
from .view import View, did_you_mean, is_own, marked
from .wording import placeholders, template_slots


def declarations(view: View) -> Iterator[Problem]:
    for slot in view.project.slots.values():
        if not is_own(slot.place):
            continue
        if slot.type == "categorical" and not slot.values:
            hint = "list them under `values:`"
            yield Problem(slot.place, "error", "slot-without-values", f"categorical slot `{slot.name}` has no values", hint)
        folded = [value.casefold() for value in slot.values]
        for value in dict.fromkeys(value for value in folded if folded.count(value) > 1):
            message = f"slot `{slot.name}` has the value `{value}` more than once"
            yield Problem(slot.place, "warning", "duplicate-value", message, "upper and lower case do not count")
        if slot.minimum is not None and slot.maximum is not None and slot.minimum > slot.maximum:
            message = f"`min_value` {slot.minimum:g} of slot `{slot.name}` is above `max_value` {slot.maximum:g}"
            yield Problem(slot.place, "error", "bad-range", message, "swap them")
        elif wrong := misfit(slot, slot.initial_value):
            message = f"`initial_value` of slot `{slot.name}`: {wrong}"
            yield Problem(slot.place, "error", "initial-wrong-type", message, "change the value or the type")


def collected(view: View) -> Iterator[Problem]:
    for flow, step in view.steps(CollectStep):
        assert isinstance(step, CollectStep)
        slot = view.slots.get(step.slot)
        if slot is None:
            message = f"step `{step.id}` of flow `{flow.id}` asks for slot `{step.slot}`, and there is no such slot"
            yield Problem(step.place, "error", "unknown-slot", message, _unknown_hint(view, step.slot))
        elif slot.type == "list":
            message = f"step `{step.id}` of flow `{flow.id}` asks for `{slot.name}`, and a list cannot be filled by a question"
            yield Problem(step.place, "error", "list-collected", message, "ask for one value, and let an action keep the list")


def assigned(view: View) -> Iterator[Problem]:
    for flow, step in view.steps(SetSlotsStep):
        assert isinstance(step, SetSlotsStep)
        for name, value in step.assignments:
            slot = view.slots.get(name)
            if slot is None:
                message = f"step `{step.id}` of flow `{flow.id}` sets slot `{name}`, and there is no such slot"
                yield Problem(step.place, "error", "unknown-slot", message, _unknown_hint(view, name))
            elif slot.type == "list" and value is not None:
                message = f"step `{step.id}` of flow `{flow.id}` sets list slot `{name}`"
                yield Problem(step.place, "error", "list-collected", message, "only an action can fill a list")
            elif wrong := misfit(slot, value):
                message = f"step `{step.id}` of flow `{flow.id}` sets `{name}`: {wrong}"
                yield Problem(step.place, "error", "value-wrong-type", message, value_hint(slot, value))


def persisted(view: View) -> Iterator[Problem]:
    for flow in view.flows:
        for name in flow.persisted_slots:
            if name not in view.slots:
                message = f"`persisted_slots` of flow `{flow.id}` names slot `{name}`, and there is no such slot"
                yield Problem(flow.place, "error", "unknown-slot", message, _unknown_hint(view, name))


def in_conditions(view: View) -> Iterator[Problem]:
    for where in view.conditions:
        for ref in where.condition.refs():
            name = ref.path.split(".")[0]
            if ref.namespace == "slots" and name not in view.slots:
                message = f"{where.what} reads slot `{name}`, and there is no such slot: {where.condition.text}"
                yield Problem(where.place, "error", "unknown-slot", message, _unknown_hint(view, name))


def unused(view: View) -> Iterator[Problem]:
    used = _used(view)
    for slot in view.project.slots.values():
        if is_own(slot.place) and slot.name not in used and slot.name not in BUILTIN_SLOTS and not view.in_code(slot.name):
            hint = "remove it, unless an action or another system uses it"
            yield Problem(slot.place, "info", "unused-slot", f"no flow, condition or text uses slot `{slot.name}`", hint)


def _unknown_hint(view: View, name: str) -> str:
    return did_you_mean(name, view.slots, "add it under `slots:` in the domain")


def _used(view: View) -> frozenset[str]:
    found: set[str] = set()
    for flow in view.project.flows.values():
        found.update(flow.persisted_slots)
        found.update(slot for texts in flow.examples.values() for text in texts for slot, _ in marked(text))
        for step in flow.steps:
            if isinstance(step, CollectStep):
                found.add(step.slot)
            elif isinstance(step, SetSlotsStep):
                found.update(name for name, _ in step.assignments)
    for where in view.all_conditions:
        found.update(ref.path.split(".")[0] for ref in where.condition.refs() if ref.namespace == "slots")
        if where.condition.expression is None:
            found.update(name for name in view.project.slots if name in where.condition.text)
    for response in view.project.responses.values():
        for variation in response.variations:
            for text in (variation.text, *variation.texts.values()):
                found.update(template_slots(text) if variation.template else (name for name, _ in placeholders(text)))
            for button in variation.buttons:
                if is_set_slots(button.payload):
                    found.update(name for name, _ in pairs_of(button.payload) or ())
            found.update(name for name in view.project.slots if variation.custom and name in str(variation.custom))
    return frozenset(found)
