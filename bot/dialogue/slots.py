"""Slot values: reading them, fitting a value to its slot's type, judging it by the designer's rules. Pure functions."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.language import Project, Rejection, Slot

from .state import State

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})


class Unfit(ValueError):
    """A value that a slot of this type cannot hold."""


def values(state: State, project: Project) -> Mapping[str, Any]:
    """Every slot's value, None when empty. A view: cheap to make, however many slots there are."""
    return ChainMap(cast(dict[str, Any], state.slots), cast(dict[str, Any], project.initial_values))


def value(state: State, project: Project, name: str) -> Any:
    if name in state.slots:
        return state.slots[name]
    return project.initial_values.get(name)


def with_value(state: State, project: Project, name: str, new: Any) -> State:
    """The state with one slot set; a slot back at its initial value takes no room."""
    slots = dict(state.slots)
    if name in project.initial_values and _same(project.initial_values[name], new):
        slots.pop(name, None)
    else:
        slots[name] = new
    if name == "language" and isinstance(new, str) and new:
        return state.evolve(slots=slots, language=new)
    return state.evolve(slots=slots)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def fit(slot: Slot, raw: Any) -> Any:
    """The value as the slot holds it: booleans and numbers from text, categories in their declared spelling.

    Raises Unfit when the type cannot hold it.
    """
    if raw is None:
        return None
    match slot.type:
        case "bool":
            return _fit_bool(raw)
        case "float":
            return _fit_float(slot, raw)
        case "categorical":
            return _fit_category(slot, raw)
        case "text":
            return raw.strip() if isinstance(raw, str) else raw
        case _:
            return raw


def fit_or_keep(slot: Slot, raw: Any) -> Any:
    """The value as the slot holds it, or as it is when the type cannot hold it: who judges it later says so aloud."""
    try:
        return fit(slot, raw)
    except Unfit:
        return raw


def _fit_bool(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Unfit("neither yes nor no")


def _fit_float(slot: Slot, raw: Any) -> Any:
    if isinstance(raw, bool):
        raise Unfit("not a number")
    if isinstance(raw, (int, float)):
        number: int | float = raw
    else:
        try:
            number = float(str(raw).replace(",", "").strip())
        except ValueError:
            raise Unfit("not a number") from None
        if number.is_integer() and "." not in str(raw) and "e" not in str(raw).lower():
            number = int(number)
    if number != number or number in (float("inf"), float("-inf")):
        raise Unfit("not a number")
    if (slot.minimum is not None and number < slot.minimum) or (slot.maximum is not None and number > slot.maximum):
        raise Unfit("out of range")
    return number


def _fit_category(slot: Slot, raw: Any) -> str:
    text = str(raw).strip()
    for declared in slot.values:
        if declared == text:
            return declared
    for declared in slot.values:
        if declared.casefold() == text.casefold():
            return declared
    raise Unfit("not one of the values")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a candidate value: accepted as `value`, or refused, saying `utter`."""

    accepted: bool
    value: Any = None
    utter: str = ""


_TYPE_REFUSAL = {
    "bool": "utter_boolean_slot_rejection",
    "categorical": "utter_categorical_slot_rejection",
    "float": "utter_float_slot_rejection",
}


def judge(slot: Slot, raw: Any, rejections: tuple[Rejection, ...], state: State, project: Project, context: Mapping[str, Any]) -> Verdict:
    """Judges a value by its type, then the slot's own rules, then the given ones, in that order; the first objection counts."""
    try:
        candidate = fit(slot, raw)
    except Unfit:
        return Verdict(False, utter=_TYPE_REFUSAL.get(slot.type, ""))
    names = ChainMap({slot.name: candidate}, cast(dict[str, Any], values(state, project)))
    own = slot.validation.rejections if slot.validation else ()
    for rejection in (*own, *rejections):
        if rejection.condition.holds(names, context):
            return Verdict(False, utter=rejection.utter)
    return Verdict(True, candidate)


def breaks_own_rules(name: str, state: State, project: Project) -> bool:
    """Whether a slot with rules of its own holds a value that they, or its type, refuse."""
    slot, held = project.slots[name], value(state, project, name)
    return slot.validation is not None and held is not None and not judge(slot, held, (), state, project, {}).accepted
