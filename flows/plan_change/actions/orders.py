"""Orders that were made: how the latest stands, and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import slot
from flows.lines.lines import line_title
from flows.lines.values import local_day
from flows.plan_change.requests import Request, requests
from integrations.bss import Bss, BssError, Code
from integrations.bss.models import OrderState, ProductOrder, TicketStatus
from integrations.rasa import call

from .change import timezone_of

Events = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """A plan change, ordered or requested: what both have in common."""

    id: str
    line_id: str
    plan_id: str
    state: str
    made: datetime
    start: str
    undo_until: datetime | None
    """None: as long as it is open."""


def _ordered(order: ProductOrder) -> Change:
    start = order.effective_date.isoformat()
    return Change(order.id, order.line_id, order.to_offering_id, order.state.value, order.ordered, start, order.undo_until)


def _requested(request: Request) -> Change:
    state = "requested" if request.open else "cancelled" if request.ticket.status is TicketStatus.CANCELLED else "completed"
    return Change(request.ticket.id, request.line_id, request.plan_id, state, request.ticket.created, request.start, None)


async def changes(bss: Bss, customer_id: str) -> list[Change]:
    """Every plan change of a customer, newest first."""
    found = [_ordered(order) for order in await bss.orders(customer_id)]
    found += [_requested(request) for request in requests(await bss.tickets(customer_id))]
    return sorted(found, key=lambda change: change.made, reverse=True)


def undoable(change: Change, now: datetime) -> bool:
    if change.state in (OrderState.CANCELLED, OrderState.FAILED):
        return False
    return change.state == "requested" if change.undo_until is None else now <= change.undo_until


async def _slots(bss: Bss, change: Change, customer_id: str, language: str) -> dict[str, Any]:
    customer, line, plan = await bss.customer(customer_id), await bss.line(change.line_id), await bss.offering(change.plan_id)
    zone = await timezone_of(bss, customer)
    return {
        "order_id": change.id,
        "order_state": change.state,
        "order_line": line_title(line),
        "order_plan": plan.name.text(language),
        "order_start": change.start,
        "order_undo_until": local_day(change.undo_until, zone) if change.undo_until else change.start,
    }


class ShowOrder(Action):  # type: ignore[misc]
    """How the latest plan change stands: `order_state`, or none."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_show_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer_id, now = slot(tracker, "customer_id"), call(tracker)
        found = await changes(self.bss, customer_id)
        if not found:
            return [SlotSet("order_state", "none"), SlotSet("order_can_be_undone", False)]
        values = await _slots(self.bss, found[0], customer_id, now.language)
        values["order_can_be_undone"] = undoable(found[0], now.now)
        return [SlotSet(name, value) for name, value in values.items()]


class FindUndoable(Action):  # type: ignore[misc]
    """The latest change that can still be undone, if there is one."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_find_undoable"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer_id, now = slot(tracker, "customer_id"), call(tracker)
        found = await changes(self.bss, customer_id)
        change = next((change for change in found if undoable(change, now.now)), None)
        if change is None:
            # Tell the two apart: nothing was changed, or it is too late.
            late = any(change.state != OrderState.CANCELLED for change in found)
            return [SlotSet("undo_result", "too_late" if late else "nothing"), SlotSet("order_id", None)]
        values = await _slots(self.bss, change, customer_id, now.language)
        return [SlotSet("undo_result", None), *(SlotSet(name, value) for name, value in values.items())]


class UndoChange(Action):  # type: ignore[misc]
    """Undoes it. `undo_result` is undone, too_late, or line_changed (there was another change since)."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_undo_change"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        key, order_id = call(tracker).key, slot(tracker, "order_id")
        try:
            if tracker.get_slot("order_state") == "requested":
                await self.bss.update_ticket(order_id, key, note="The customer withdrew the request.", status=TicketStatus.CANCELLED)
            else:
                await self.bss.cancel_order(order_id, key)
        except BssError as error:
            if error.code is Code.ALREADY_DONE:
                return [SlotSet("undo_result", "undone")]  # so it is as the customer wants it
            if error.code is not Code.NOT_ELIGIBLE:
                raise
            return [SlotSet("undo_result", "line_changed" if "line_changed" in error.reasons else "too_late")]
        return [SlotSet("undo_result", "undone")]
