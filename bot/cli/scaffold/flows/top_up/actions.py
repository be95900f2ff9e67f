"""What the flow does on other systems. Replace the bodies by calls of your own."""

from decimal import Decimal
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

PRICE_PER_GB = Decimal("2.00")


class PriceTopUp(Action):
    def name(self) -> str:
        return "action_price_top_up"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        price = PRICE_PER_GB * Decimal(str(tracker.get_slot("top_up_gb")))
        return [SlotSet("top_up_price", {"amount": f"{price:.2f}", "currency": "USD"})]


class TopUp(Action):
    def name(self) -> str:
        return "action_top_up"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        # Pass the idempotency key on: tracker.latest_message["metadata"]["idempotency_key"]
        return []
