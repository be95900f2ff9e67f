"""Slots a message fills without being asked: "switch me to 5G Plus from 3 May" starts a flow and answers two of its questions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from bot.dialogue.commands import SetSlot
from bot.language import CollectStep, Project, Slot

from .answers import Asked, chosen_value
from .contexts import unknown_value
from .entities import FREE_KINDS, KINDS, Found, find, find_all

_SURE_KINDS = frozenset(FREE_KINDS)


def asked_slots(flow_id: str, project: Project) -> Iterator[Slot]:
    """The slots a flow (with those it calls) asks for and a message may fill, in the order they are asked."""
    seen: set[str] = set()
    for called in _with_called(flow_id, project):
        for step in project.flows[called].steps:
            if isinstance(step, CollectStep) and step.slot not in seen and step.slot in project.slots:
                seen.add(step.slot)
                slot = project.slots[step.slot]
                if not slot.controlled and not step.ask_before_filling:
                    yield slot


def _with_called(flow_id: str, project: Project) -> Iterator[str]:
    seen: set[str] = set()
    todo = [flow_id]
    while todo:
        current = todo.pop(0)
        if current in seen or current not in project.flows:
            continue
        seen.add(current)
        yield current
        todo.extend(project.flows[current].called)


def fill(
    text: str, flow_id: str, project: Project, asked_of: Callable[[Slot], Asked], *, without: Collection[str] = ()
) -> tuple[SetSlot, ...]:
    """What the message says about a flow's slots, one value a slot, one slot a value, only what is sure to be meant."""
    slots = [slot for slot in asked_slots(flow_id, project) if slot.name not in without and slot.type != "bool"]
    if not slots:
        return ()
    values: dict[str, Any] = {}
    taken: list[Found] = []
    for slot in slots:
        asked = asked_of(slot)
        if asked.known.entries and (one := chosen_value(text, asked.known)) is not None and _free(one, taken):
            values[slot.name] = one.value
            taken.append(one)
    for slot in slots:
        if slot.name in values or slot.type != "text" or slot.entity in KINDS:
            continue
        if (one := unknown_value(text, slot.name, asked_of(slot).contexts)) is not None and _free(one, taken):
            values[slot.name] = one.value
            taken.append(one)
    where = asked_of(slots[0]).where
    everywhere = [(kind, one) for kind, one in find_all(text, where) if _free(one, taken)]
    for slot in slots:
        if slot.name in values or slot.entity not in _SURE_KINDS:
            continue
        hit = next((pair for pair in everywhere if pair[0] == slot.entity), None)
        if hit is not None:
            values[slot.name] = hit[1].value
            taken.append(hit[1])
            everywhere.remove(hit)
    values |= _only_number(text, [slot for slot in slots if slot.name not in values], everywhere, taken, asked_of)
    return tuple(SetSlot(slot.name, values[slot.name]) for slot in slots if slot.name in values)


def _only_number(
    text: str, slots: list[Slot], everywhere: list[tuple[str, Found]], taken: list[Found], asked_of: Callable[[Slot], Asked]
) -> dict[str, Any]:
    """The only number in the message, for the only slot that takes a plain one."""
    plain = [slot for slot in slots if slot.type == "float" and slot.entity in ("", "number")]
    if len(plain) != 1:
        return {}
    if money := [one for kind, one in everywhere if kind == "money"]:
        return {plain[0].name: money[0].value} if len(money) == 1 and not plain[0].entity else {}
    others = taken + [one for _, one in everywhere]
    numbers = [one for one in find("number", text, asked_of(plain[0]).where) if _free(one, others)]
    return {plain[0].name: numbers[0].value} if len(numbers) == 1 else {}


def _free(one: Found, taken: list[Found]) -> bool:
    return all(one.end <= other.start or one.start >= other.end for other in taken)
