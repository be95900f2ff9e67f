"""The one effect of the soak: an order at the operator's system, which counts."""

from __future__ import annotations

import os
from typing import Any

import httpx
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher


class ActionOrder(Action):
    """Passes its idempotency key on; says which process it runs in, so that the soak can kill it at the worst moment."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(timeout=10, trust_env=False, verify=False)

    def name(self) -> str:
        return "action_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Any]:
        metadata = tracker.latest_message["metadata"]
        order = {
            "key": metadata["idempotency_key"],
            "customer": (tracker.get_slot("session_started_metadata") or {}).get("sender", ""),
            "article": int(tracker.get_slot("article")),
            "process": os.getpid(),
        }
        answer = await self._http.post(os.environ["SOAK_OPERATOR_URL"] + "/orders", json=order)
        answer.raise_for_status()
        return [SlotSet("receipt", answer.json()["receipt"])]
