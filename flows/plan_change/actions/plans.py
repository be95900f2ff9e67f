"""Questions about plans: the present one, two compared, a better one. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import day, money, slot
from flows.lines.values import cost, gigabytes, market_of
from flows.plan_change.offers import average_gb, best_advice, plan_option, running_discounts
from integrations.bss import Bss, Money, recommend_offerings
from integrations.bss.models import ProductOffering
from integrations.rasa import call

Events = list[dict[str, Any]]

CYCLES = 3
"""Whole billing months looked at for a recommendation."""


class ShowPlan(Action):  # type: ignore[misc]
    """What the chosen line has: plan, price, data, discounts, contract, and a change that is on its way."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_show_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        now = call(tracker)
        line = await self.bss.line(slot(tracker, "chosen_line_id"))
        plan = await self.bss.offering(line.offering_id)
        today = now.now.date()
        saved = [discount.amount for discount in running_discounts(line, today)]
        coming = [order for order in await self.bss.orders(line.customer_id) if order.line_id == line.id and order.state == "acknowledged"]
        next_plan = await self.bss.offering(coming[0].to_offering_id) if coming else None
        values = {
            "plan_name": plan.name.text(now.language),
            "plan_about": plan.description.text(now.language),
            "plan_price": money(plan.price),
            "plan_discounts": cost(Money.total(saved, plan.price.currency)),
            "plan_contract_end": day(line.contract_end) if line.contract_end and line.contract_end >= today else None,
            "plan_next_name": next_plan.name.text(now.language) if next_plan else None,
            "plan_next_start": day(coming[0].effective_date) if coming else None,
        }
        return [SlotSet(name, value) for name, value in values.items()]


class ComparePlans(Action):  # type: ignore[misc]
    """Two plans side by side. The second is the one the customer has, unless another was named."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_compare_plans"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        language = call(tracker).language
        market = market_of(tracker.get_slot("market"), language)
        sold = await self.bss.offerings(market)
        values: dict[str, Any] = {
            "compare_result": "done",
            "compare_unclear": None,
            "compare_first": None,
            "compare_second": None,
            "plan_options": [plan_option(offering, language) for offering in sold],
        }
        plans: list[ProductOffering] = []
        for asked in ("compare_plan", "compare_with"):
            said = tracker.get_slot(asked)
            if not said:
                continue
            found = await self.bss.find_offerings_by_name(str(said), market)
            if len(found) != 1:
                # The flow asks for this one again; the other stays as it was said.
                values |= {"compare_result": f"{asked}_unclear", "compare_unclear": str(said)}
                return [SlotSet(name, value) for name, value in values.items()]
            plans.append(found[0])
        if len(plans) == 1 and (line_id := tracker.get_slot("line_id")):
            line = await self.bss.line(line_id)
            plans.insert(0, await self.bss.offering(line.offering_id))
        if len(plans) == 1:
            values["compare_result"] = "compare_with_missing"
        elif plans[0].id == plans[1].id:
            values |= {"compare_result": "same", "compare_first": plan_option(plans[0], language)}
        else:
            for shown, plan in zip(("compare_first", "compare_second"), plans, strict=True):
                values[shown] = {**plan_option(plan, language), "about": plan.description.text(language)}
        return [SlotSet(name, value) for name, value in values.items()]


class RecommendPlan(Action):  # type: ignore[misc]
    """The plan that would have suited the last whole billing months best, if it is another one than the present."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_recommend_plan"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        now = call(tracker)
        line = await self.bss.line(slot(tracker, "chosen_line_id"))
        current = await self.bss.offering(line.offering_id)
        cycles = (await self.bss.usage(line.id, CYCLES + 1))[1:]  # the first is still running
        # Only what the line could really have: a plan its phone cannot use is no advice.
        usable = [
            offering
            for offering in await self.bss.offerings(current.market)
            if "device_not_5g" not in (await self.bss.eligibility(line.id, offering.id)).reasons
        ]
        best = best_advice(recommend_offerings(line, cycles, current, usable, limit=len(usable)), line, current, cycles, now.now.date())
        values = {
            "plan_name": current.name.text(now.language),
            "advice": best.reason if best else "stay" if cycles else "no_usage",
            "advice_usage": gigabytes(average_gb(cycles)),
            "advice_plan_id": best.offering.id if best else None,
            "advice_plan": best.offering.name.text(now.language) if best else None,
            "advice_data": gigabytes(best.offering.data_gb) if best else None,
            "advice_difference": cost(abs(best.saving)) if best else None,
        }
        return [SlotSet(name, value) for name, value in values.items()]


class TakeAdvice(Action):  # type: ignore[misc]
    """Makes the recommended plan the wanted one, as if the customer had named it."""

    def name(self) -> str:
        return "action_take_advice"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SlotSet("new_plan", slot(tracker, "advice_plan_id"))]
