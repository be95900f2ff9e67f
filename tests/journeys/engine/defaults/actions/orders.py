from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher


class AskDeliveryCity(Action):
    def name(self) -> str:
        return "action_ask_delivery_city"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        buttons = [{"title": city, "payload": f"/SetSlots(delivery_city={city})"} for city in ("Rivertown", "Hillford")]
        dispatcher.utter_message(text="Which city?", buttons=buttons)
        return []


class ValidateStreet(Action):
    def name(self) -> str:
        return "validate_street"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        street = str(tracker.get_slot("street"))
        if street == "Nowhere Lane":
            dispatcher.utter_message(response="utter_no_such_street")
            return [SlotSet("street", None)]
        return [SlotSet("street", street.title())]


class Quote(Action):
    def name(self) -> str:
        return "action_quote"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        each = 60 if tracker.get_slot("sim_type") == "physical" else 5
        return [SlotSet("quote", each * tracker.get_slot("copies"))]


class PlaceOrder(Action):
    def name(self) -> str:
        return "action_place_order"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return [SlotSet("order_number", "A1")]
