"""The start of a session: who is writing, as far as their number tells."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from integrations.bss import Bss, BssError
from integrations.bss.models import Customer, Line

Events = list[dict[str, Any]]


class ActionSessionStart(Action):  # type: ignore[misc]
    """Finds the customer by the number they write from and fills the common slots.

    Every slot is set anew, so nothing of an earlier session survives: above all not `identity_level`. An unknown number, or a
    billing system that does not answer, leaves a stranger; flows that need more then ask (see `pattern_identity`).
    """

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_session_start"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        metadata = tracker.get_slot("session_started_metadata") or {}
        number = metadata.get("sender")
        customer, line = await self._who(number)
        level, how = ("known", "number") if customer else ("unknown", None)
        events = [SlotSet("customer_number", number), SlotSet("identity_how", how), *customer_slots(customer, line, level=level)]
        language = metadata.get("language") or (customer.language.value if customer else None)
        return [*events, SlotSet("language", language)] if language else events

    async def _who(self, number: str | None) -> tuple[Customer | None, Line | None]:
        if not number:
            return None, None
        try:
            customer = await self._bss.find_customer_by_number(number)
            if customer is None:
                return None, None
            return customer, await default_line(self._bss, customer, number)
        except BssError:  # a session must begin even when nobody can be looked up
            return None, None


async def default_line(bss: Bss, customer: Customer, number: str | None) -> Line | None:
    """The line a customer most likely means: the one they write from, else their only one, else none."""
    line = await bss.find_line_by_number(number) if number else None
    if line is not None and line.customer_id == customer.id:
        return line
    lines = [line for line in await bss.lines(customer.id) if line.status != "closed"]
    return lines[0] if len(lines) == 1 else None


def customer_slots(customer: Customer | None, line: Line | None, *, level: str) -> Events:
    """The common slots about a customer; all empty for a stranger."""
    return [
        SlotSet("identity_level", level),
        SlotSet("customer_id", customer.id if customer else None),
        SlotSet("customer_name", customer.name if customer else None),
        SlotSet("market", customer.market.value if customer else None),
        SlotSet("line_id", line.id if line else None),
        SlotSet("line_number", line.msisdn if line else None),
    ]
