"""The values a project's slots are known to take, in the customer's words: declared values, button titles, annotated examples, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.dialogue.commands import SetSlot, parse_payload
from bot.language import Project, Slot

from .annotations import annotated
from .entities import KINDS
from .gazetteer import Gazetteer


def vocabulary(project: Project) -> Mapping[str, Gazetteer]:
    """A gazetteer for each slot that has known values. Slots of the same entity share what was learned from examples.

    `understanding.values` in the settings adds more: `{<slot or entity>: {<value>: [<spoken form>, ...]}}`.
    """
    learned = list(_taught(project)) + list(_configured(project))
    found: dict[str, Gazetteer] = {}
    for slot in project.slots.values():
        if slot.type not in ("categorical", "text", "any") or slot.entity in KINDS:
            continue
        own = [*_declared(slot), *_buttons(slot, project)]
        shared = [(spoken, value) for name, spoken, value in learned if name in (slot.name, slot.entity) or _kin(name, slot, project)]
        entries = [(spoken, kept) for spoken, value in [*own, *shared] if (kept := _fitted(slot, value)) is not None]
        if entries:
            found[slot.name] = Gazetteer.of(entries)
    return found


def _declared(slot: Slot) -> Iterator[tuple[str, Any]]:
    for value in slot.values:
        yield value, value
        yield value.replace("_", " ").replace("-", " "), value


def _buttons(slot: Slot, project: Project) -> Iterator[tuple[str, Any]]:
    for response in project.responses.values():
        for variation in response.variations:
            for button in variation.buttons:
                for command in parse_payload(button.payload) or ():
                    if isinstance(command, SetSlot) and command.name == slot.name and isinstance(command.value, str):
                        yield button.title, command.value
                        for title in button.titles.values():
                            yield title, command.value


def _taught(project: Project) -> Iterator[tuple[str, str, Any]]:
    for flow in project.user_flows.values():
        for texts in flow.examples.values():
            for text in texts:
                for one in annotated(text):
                    yield one.slot, one.words, one.value
                    yield one.slot, one.value, one.value


def _configured(project: Project) -> Iterator[tuple[str, str, Any]]:
    section = project.settings.get("understanding")
    values = section.get("values") if isinstance(section, Mapping) else None
    for name, entries in values.items() if isinstance(values, Mapping) else ():
        for value, spoken in entries.items() if isinstance(entries, Mapping) else ():
            yield str(name), str(value), value
            for form in spoken if isinstance(spoken, list | tuple) else (spoken,):
                yield str(name), str(form), value


def _kin(name: str, slot: Slot, project: Project) -> bool:
    other = project.slots.get(name)
    return bool(slot.entity) and other is not None and other.entity == slot.entity


def _fitted(slot: Slot, value: Any) -> Any | None:
    """The value in its declared spelling; None when the slot cannot hold it."""
    if slot.type != "categorical":
        return value
    return next((declared for declared in slot.values if declared.lower() == str(value).lower()), None)
