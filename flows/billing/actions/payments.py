"""What changes something about bills: payment links, promises, disputes. Every one comes after an explicit yes in its flow.

`result` slots tell a flow what became of it, where the customer can do something about it; any other failure is the framework's to handle.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import day, slot, today
from integrations.bss import Bss, BssError, Code, Market
from integrations.bss.models import TicketKind
from integrations.rasa import call

Events = list[dict[str, Any]]

PROMISE_DAYS: Final = 14
"""The furthest day we offer; the operator refuses any later one."""


class ActionSendPaymentRequest(Action):  # type: ignore[misc]
    """Texts a link to the operator's payment page: card numbers never pass through a conversation."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_send_payment_request"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer_id, bill_id = slot(tracker, "customer_id"), slot(tracker, "bill_id")
        try:
            request = await self._bss.send_payment_request(customer_id, bill_id, call(tracker).key)
        except BssError as error:
            results = {Code.ALREADY_DONE: "nothing_owed", Code.CONFLICT: "another_is_out", Code.NOT_ELIGIBLE: "not_possible"}
            if error.code not in results:
                raise
            return [SlotSet("payment_result", results[error.code])]
        return [SlotSet("payment_result", "sent"), SlotSet("payment_url", request.url)]


class ActionPromiseDays(Action):  # type: ignore[misc]
    """The first and the last day that may be promised, as the flow's rejections compare them."""

    def name(self) -> str:
        return "action_promise_days"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        now = today(Market(slot(tracker, "market")), call(tracker).now)
        return [
            SlotSet("promise_first_day", day(now + timedelta(days=1))),
            SlotSet("promise_last_day", day(now + timedelta(days=PROMISE_DAYS))),
        ]


class ActionPromiseToPay(Action):  # type: ignore[misc]
    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_promise_to_pay"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            promised = date.fromisoformat(slot(tracker, "promise_date"))
            await self._bss.promise_to_pay(slot(tracker, "bill_id"), promised, call(tracker).key)
        except ValueError:  # looks like a date and is none: February 30
            return [SlotSet("promise_result", "bad_day")]
        except BssError as error:
            if error.code is Code.NOT_ELIGIBLE and "recent_extension" in error.reasons:
                return [SlotSet("promise_result", "too_soon")]
            results = {Code.INVALID: "bad_day", Code.ALREADY_DONE: "nothing_owed", Code.NOT_ELIGIBLE: "not_possible"}
            if error.code not in results:
                raise
            return [SlotSet("promise_result", results[error.code])]
        return [SlotSet("promise_result", "agreed")]


class ActionOpenDispute(Action):  # type: ignore[misc]
    """A ticket for the billing team, in the customer's own words."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_open_dispute"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        ticket = await self._bss.create_ticket(
            slot(tracker, "customer_id"),
            TicketKind.BILLING,
            slot(tracker, "dispute_reason"),
            call(tracker).key,
            related_id=slot(tracker, "bill_id"),
        )
        return [SlotSet("dispute_ticket", ticket.id)]


class ActionHoldBill(Action):  # type: ignore[misc]
    """Marks an unpaid bill as disputed, so that it does not become overdue meanwhile. A step of its own: an effect each."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_hold_bill"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            await self._bss.dispute_bill(slot(tracker, "bill_id"), slot(tracker, "dispute_reason"), call(tracker).key)
        except BssError as error:
            if error.code is Code.ALREADY_DONE:
                return [SlotSet("dispute_held", True)]
            if error.code is not Code.NOT_ELIGIBLE:  # paid: there is nothing to hold, the ticket is enough
                raise
            return [SlotSet("dispute_held", False)]
        return [SlotSet("dispute_held", True)]
