"""Outages: looking one up, subscribing to its end, reporting one."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import slot
from flows.lines.values import market_of
from integrations.bss import Bss, BssError, Code
from integrations.bss.models import Area, Market, ServiceProblem, TicketKind
from integrations.rasa import call

from .places import most_urgent, outage_slots, place_name

Events = list[dict[str, Any]]


async def areas_named(bss: Bss, said: str, first: Market) -> tuple[Area, ...]:
    """Areas by a name or postal code, in the customer's own country first: people travel and ask for others."""
    for market in (first, *(market for market in Market if market is not first)):
        if found := await bss.find_areas(place_name(said), market):
            return found
    return ()


async def area_of(bss: Bss, area_id: str) -> Area | None:
    return next((area for area in await bss.areas() if area.id == area_id), None)


class FindPlace(Action):  # type: ignore[misc]
    """The area a customer named: `place_match` is one, several or none, `place_options` are those to choose from."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_find_place"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        language, said = call(tracker).language, slot(tracker, "outage_place")
        market = market_of(tracker.get_slot("market"), language)
        by_id = await area_of(self.bss, said)  # from a button
        found = (by_id,) if by_id else await areas_named(self.bss, said, market)
        return [
            SlotSet("place_match", "one" if len(found) == 1 else "several" if found else "none"),
            SlotSet("place_id", found[0].id if len(found) == 1 else None),
            SlotSet("place_options", [{"id": area.id, "name": area.name.text(language)} for area in found]),
        ]


class AskPlace(Action):  # type: ignore[misc]
    """Asks for the place, with a button for each when the answer fitted several."""

    def name(self) -> str:
        return "action_ask_outage_place"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        options = (tracker.get_slot("place_options") or []) if tracker.get_slot("place_match") == "several" else []
        buttons = [{"title": option["name"], "payload": f"/SetSlots(outage_place={option['id']})"} for option in options]
        dispatcher.utter_message(response="utter_which_place", buttons=buttons)
        return []


class CheckOutage(Action):  # type: ignore[misc]
    """The outage in the named place, or where the customer lives: `outage_id` is empty when none is known."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_check_outage"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        now = call(tracker)
        area_id = tracker.get_slot("place_id") if tracker.get_slot("outage_place") else None
        if area_id is None:
            area_id = (await self.bss.customer(slot(tracker, "customer_id"))).area_id
        problem = most_urgent(await self.bss.service_problems(area_id=area_id))
        values = outage_slots(problem, await area_of(self.bss, area_id), now.now, now.language)
        return [SlotSet(name, value) for name, value in values.items()]


class FindOutageToWatch(Action):  # type: ignore[misc]
    """The outage just talked about while it lasts, else the one where the customer lives. `watch_state`: open, watching or none."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_find_outage_to_watch"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        now, customer_id = call(tracker), slot(tracker, "customer_id")
        customer = await self.bss.customer(customer_id)
        problem = await self._talked_about(tracker.get_slot("outage_id"))
        if problem is None:
            problem = most_urgent(await self.bss.service_problems(area_id=customer.area_id))
        area_id = customer.area_id if problem is None or customer.area_id in problem.area_ids else problem.area_ids[0]
        values = outage_slots(problem, await area_of(self.bss, area_id), now.now, now.language)
        watching = problem is not None and any(
            watcher.customer_id == customer_id for watcher in await self.bss.problem_subscriptions(problem.id)
        )
        values["watch_state"] = "none" if problem is None else "watching" if watching else "open"
        values["watch_number_ending"] = customer.contact_number[-2:]
        return [SlotSet(name, value) for name, value in values.items()]

    async def _talked_about(self, outage_id: str | None) -> ServiceProblem | None:
        if outage_id is None:
            return None
        problem = await self.bss.service_problem(outage_id)
        return problem if problem.current else None


class WatchOutage(Action):  # type: ignore[misc]
    """Subscribes the customer. `watch_state` becomes watching, or none when it was solved in the meantime."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_watch_outage"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        outage_id = slot(tracker, "outage_id")
        try:
            await self.bss.subscribe_to_problem(outage_id, slot(tracker, "customer_id"), call(tracker).key)
        except BssError as error:
            if error.code is not Code.ALREADY_DONE:
                raise
            problem = await self.bss.service_problem(outage_id)
            return [SlotSet("watch_state", "watching" if problem.current else "solved")]
        return [SlotSet("watch_state", "watching")]


class ReportOutage(Action):  # type: ignore[misc]
    """Makes a ticket about the chosen line; the operator's system ties it to a known outage there (`report_outage_known`)."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_report_outage"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        # For the network team, so in their words and not the customer's language; what was said about the time stays as it was said.
        service, since = slot(tracker, "report_service"), slot(tracker, "problem_since")
        text = f"Not working: {service.replace('_', ' ')}. Since: {since}."
        ticket = await self.bss.report_problem(slot(tracker, "chosen_line_id"), TicketKind.NETWORK, text, call(tracker).key)
        known = ticket.related_id is not None and ticket.related_id != tracker.get_slot("chosen_line_id")
        return [SlotSet("report_id", ticket.id), SlotSet("report_outage_known", known)]
