"""Changing a plan: which one is meant, what it costs this line, the order."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import day, slot
from flows.lines.values import local_day, market_of
from flows.plan_change.offers import main_obstacle, next_bill_day, plan_option, quote, terms_of
from flows.plan_change.requests import request_text
from integrations.bss import Bss, BssError, Code
from integrations.bss.models import Customer, TicketKind
from integrations.rasa import call

Events = list[dict[str, Any]]


async def timezone_of(bss: Bss, customer: Customer) -> str:
    """The time zone a customer lives in (IANA)."""
    return next((area.timezone for area in await bss.areas(customer.market) if area.id == customer.area_id), "UTC")


class FindPlan(Action):  # type: ignore[misc]
    """The plan the customer named: `plan_match` is one, several or none; `plan_options` are those to choose from."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_find_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        language = call(tracker).language
        market = market_of(tracker.get_slot("market"), language)
        sold = await self.bss.offerings(market)
        said = slot(tracker, "new_plan")
        found = tuple(plan for plan in sold if plan.id == said) or await self.bss.find_offerings_by_name(said, market)
        match = "one" if len(found) == 1 else "several" if found else "none"
        return [
            SlotSet("plan_match", match),
            SlotSet("new_plan_id", found[0].id if match == "one" else None),
            SlotSet("plan_options", [plan_option(plan, language) for plan in found or sold]),
        ]


class AskNewPlan(Action):  # type: ignore[misc]
    """Asks for the plan with a button for each that the line may have (or that the customer may have meant)."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_ask_new_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        options = tracker.get_slot("plan_options")
        if tracker.get_slot("plan_match") != "several" or not options:
            options = await self._possible(tracker)
        buttons = [{"title": option["name"], "payload": f"/SetSlots(new_plan={option['id']})"} for option in options]
        dispatcher.utter_message(response="utter_which_plan", buttons=buttons)
        return [SlotSet("plan_options", options)]

    async def _possible(self, tracker: Tracker) -> list[dict[str, Any]]:
        """What is sold, less the present plan and those the phone cannot use; other obstacles are told with the quote."""
        line = await self.bss.line(slot(tracker, "chosen_line_id"))
        current = await self.bss.offering(line.offering_id)
        possible = []
        for plan in await self.bss.offerings(current.market):
            reasons = {reason.value for reason in (await self.bss.eligibility(line.id, plan.id)).reasons}
            if not reasons & {"already_on_plan", "device_not_5g"}:
                possible.append(plan_option(plan, call(tracker).language))
        return possible


class QuotePlan(Action):  # type: ignore[misc]
    """What the change would cost and when it would start, or why it is not possible: the `quote_...` slots."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_quote_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        line = await self.bss.line(slot(tracker, "chosen_line_id"))
        plan = await self.bss.offering(slot(tracker, "new_plan_id"))
        terms = await self.bss.eligibility(line.id, plan.id)
        next_bill = next_bill_day(await self.bss.data_usage(line.id))
        values = quote(terms, line, plan, next_bill, call(tracker).language)
        return [SlotSet(name, value) for name, value in values.items()]


class OrderPlan(Action):  # type: ignore[misc]
    """Orders what was quoted, and nothing else: other terms than those the customer agreed to are quoted again first.

    `order_result` is ordered, requested (a start the operator's system cannot plan is handed to its order team as a
    ticket), outdated (quote again) or refused (`quote_refusal` says why).
    """

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_order_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        agreed = tracker.get_slot("quote")
        terms = await self.bss.eligibility(agreed["line_id"], agreed["plan_id"])
        if not terms.eligible:
            return _result("refused", quote_possible=False, quote_refusal=main_obstacle(terms))
        if terms_of(terms) != agreed["terms"]:
            return _result("outdated")
        if agreed["starts_at_once"] and tracker.get_slot("plan_start") == "next_bill":
            return await self._request(tracker, agreed)
        return await self._order(tracker, agreed)

    async def _order(self, tracker: Tracker, agreed: dict[str, Any]) -> Events:
        try:
            order = await self.bss.order_plan_change(agreed["line_id"], agreed["plan_id"], call(tracker).key)
        except BssError as error:
            if error.code is not Code.NOT_ELIGIBLE:
                raise
            return _result("refused", quote_possible=False, quote_refusal=next(iter(error.reasons), "other"))
        customer = await self.bss.customer(order.customer_id)
        until = local_day(order.undo_until, await timezone_of(self.bss, customer))
        return _result("ordered", order_id=order.id, order_undo_until=until, order_start=day(order.effective_date))

    async def _request(self, tracker: Tracker, agreed: dict[str, Any]) -> list[dict[str, Any]]:
        """A dearer plan starts the day it is ordered; a later day is a request that the order team carries out."""
        start = slot(tracker, "quote_next_bill")
        ticket = await self.bss.create_ticket(
            slot(tracker, "customer_id"),
            TicketKind.ORDER,
            request_text(agreed["line_id"], agreed["plan_id"], start),
            call(tracker).key,
            related_id=agreed["line_id"],
        )
        return _result("requested", order_id=ticket.id, order_start=start, order_undo_until=start)


def _result(result: str, **values: Any) -> list[dict[str, Any]]:
    return [SlotSet("order_result", result), *(SlotSet(name, value) for name, value in values.items())]
