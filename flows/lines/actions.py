"""Finds the line a customer means. Thin: what a line is called and which one is meant is decided in `lines`."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import slot
from integrations.bss import Bss

from .lines import in_use, line_title, meant

Events = list[dict[str, Any]]


class ChooseLine(Action):  # type: ignore[misc]
    """Sets `line_match` (one, several, none) and, when it is one, `chosen_line_id` and `chosen_line_name`."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_choose_line"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        lines = in_use(await self.bss.lines(slot(tracker, "customer_id")))
        if not lines:
            # Nothing a question could mend: the dialogue apologises and offers a person.
            raise LookupError("the customer has no line in use")
        said = tracker.get_slot("which_line")
        if len(lines) == 1:
            found = lines  # whatever was said, there is only this one
        elif said:
            found = meant(str(said), lines, tracker.get_slot("line_id"))
        else:
            found = lines
        match = "one" if len(found) == 1 else "several" if found else "none"
        chosen = found[0] if match == "one" else None
        return [
            SlotSet("line_match", match),
            SlotSet("line_options", [{"id": line.id, "title": line_title(line)} for line in found or lines]),
            SlotSet("chosen_line_id", chosen.id if chosen else None),
            SlotSet("chosen_line_name", line_title(chosen) if chosen else None),
        ]


class AskWhichLine(Action):  # type: ignore[misc]
    """Asks for the line with a button for each: the wording is in `utter_which_line`, the choices are the customer's own."""

    def name(self) -> str:
        return "action_ask_which_line"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        options = tracker.get_slot("line_options") or []
        buttons = [{"title": option["title"], "payload": f"/SetSlots(which_line={option['id']})"} for option in options]
        dispatcher.utter_message(response="utter_which_line", buttons=buttons)
        return []
