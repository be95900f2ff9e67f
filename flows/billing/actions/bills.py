"""Looking at bills: what is due, why it differs, what a charge is, what was paid. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.billing.charges import find_charges
from flows.common.values import day, line_prefixes, money, slot
from integrations.bss import Bss, BssError, Code, Money
from integrations.bss.models import (
    AppliedBillingRate,
    BillComparison,
    BillState,
    ChargeType,
    Customer,
    CustomerBill,
    PaymentRequestStatus,
    TicketKind,
)
from integrations.rasa import call

Events = list[dict[str, Any]]

REASONS_TOLD = 3
"""How many differences are explained one by one; what is left is summed up."""
CHARGES_OFFERED = 5
EVERY_MONTH = frozenset({ChargeType.PLAN, ChargeType.DISCOUNT, ChargeType.DEVICE_INSTALMENT, ChargeType.TAX})
CHARGES_EXPLAINED = 4
PAYMENTS_TOLD = 3


class ActionCheckBill(Action):  # type: ignore[misc]
    """The latest bill, and what is open in all."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_check_bill"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer = await self._bss.customer(slot(tracker, "customer_id"))
        bills = await issued_bills(self._bss, customer)
        return await bill_slots(self._bss, customer, bills, bills[0] if bills else None)


class ActionFindBillToPay(Action):  # type: ignore[misc]
    """The bill a payment is for: the oldest open one, disputed ones left aside. With nothing to pay, the latest."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_find_bill_to_pay"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer = await self._bss.customer(slot(tracker, "customer_id"))
        bills = await issued_bills(self._bss, customer)
        payable = [bill for bill in bills if is_payable(bill)]
        disputed = [bill for bill in bills if bill.state is BillState.DISPUTED]
        chosen = payable[-1] if payable else next(iter([*disputed, *bills]), None)
        return await bill_slots(self._bss, customer, bills, chosen)


async def issued_bills(bss: Bss, customer: Customer) -> list[CustomerBill]:
    """What the customer has been sent, newest first."""
    return [bill for bill in await bss.bills(customer.id) if bill.state is not BillState.DRAFT]


def is_payable(bill: CustomerBill) -> bool:
    return bill.open and bill.state is not BillState.DISPUTED


async def bill_slots(bss: Bss, customer: Customer, bills: list[CustomerBill], bill: CustomerBill | None) -> Events:
    """The slots about the bill being talked about, all of them, so that nothing of an earlier look remains."""
    payable = [one for one in bills if is_payable(one)]
    owed = Money.total((one.remaining_amount for one in payable), customer.currency)
    requests = await bss.payment_requests(customer.id) if bill and bill.state is BillState.AWAITING_PAYMENT else ()
    link = next((one.url for one in requests if bill and one.bill_id == bill.id and one.status is PaymentRequestStatus.SENT), None)
    promises = await bss.promises(customer.id) if bill and bill.open else ()
    promised = next((one.promised_date for one in promises if bill and one.bill_id == bill.id and one.status == "open"), None)
    return [
        SlotSet("bill_id", bill.id if bill else None),
        SlotSet("bill_state", bill.state.value if bill else "none"),
        SlotSet("bill_date", day(bill.bill_date) if bill else None),
        SlotSet("bill_due", day(bill.due_date) if bill else None),
        SlotSet("bill_total", money(bill.amount_due) if bill else None),
        SlotSet("bill_remaining", money(bill.remaining_amount) if bill else None),
        SlotSet("bill_promised_for", day(promised)),
        SlotSet("open_bills", len(payable)),
        SlotSet("total_owed", money(owed)),
        SlotSet("auto_pay", customer.auto_pay),
        SlotSet("payment_url", link),
    ]


class ActionCompareBills(Action):  # type: ignore[misc]
    """Compares the latest bill with the one before and explains the largest differences, a response each."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_compare_bills"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            comparison = await self._bss.compare_bills(slot(tracker, "bill_id"))
        except BssError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return [SlotSet("bill_change", "first"), SlotSet("previous_total", None), SlotSet("bill_difference", None)]
        difference = comparison.total_difference
        change = "up" if difference.amount > 0 else "down" if difference.amount < 0 else "same"
        return [
            SlotSet("bill_change", change),
            SlotSet("previous_total", money(comparison.previous.amount_due)),
            SlotSet("bill_difference", money(abs(difference))),
        ]


class ActionExplainDifferences(Action):  # type: ignore[misc]
    """Says why, largest first. `utter_reason_<reason>` words one reason; where a designer wrote none, a plain more or less."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_explain_differences"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        comparison = await self._bss.compare_bills(slot(tracker, "bill_id"))
        lines = line_prefixes(await self._bss.lines(comparison.bill.customer_id))
        language, responses = call(tracker).language, domain.get("responses") or {}
        for difference in comparison.differences[:REASONS_TOLD]:
            specific = f"utter_reason_{difference.reason.value}"
            plain = "utter_reason_more" if difference.difference.amount > 0 else "utter_reason_less"
            dispatcher.utter_message(
                response=specific if specific in responses else plain,
                line=lines.get(difference.line_id, ""),
                charge=difference.name.text(language),
                amount=money(abs(difference.difference)),
                before=money(abs(difference.before)),
                after=money(abs(difference.after)),
            )
        _sum_up_rest(dispatcher, comparison)
        return []


def _sum_up_rest(dispatcher: CollectingDispatcher, comparison: BillComparison) -> None:
    """What the reasons told do not add up to, so that the figures are complete."""
    rest = Money.total((one.difference for one in comparison.differences[REASONS_TOLD:]), comparison.total_difference.currency)
    if rest.amount:
        response = "utter_reason_rest_more" if rest.amount > 0 else "utter_reason_rest_less"
        dispatcher.utter_message(response=response, amount=money(abs(rest)))


class ActionAskBillCharge(Action):  # type: ignore[misc]
    """Asks which charge, offering some as buttons: what is not on every bill first, then the dearest."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_ask_bill_charge"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer_id, language = slot(tracker, "customer_id"), call(tracker).language
        lines = line_prefixes(await self._bss.lines(customer_id))
        rates = await self._bss.bill_lines(slot(tracker, "bill_id"))
        ordered = sorted(rates, key=lambda rate: (rate.type in EVERY_MONTH, -abs(rate.amount.amount)))
        buttons = [
            {"title": f"{lines.get(rate.line_id, '')}{rate.name.text(language)}", "payload": f"/SetSlots(bill_charge={rate.id})"}
            for rate in ordered[:CHARGES_OFFERED]
        ]
        dispatcher.utter_message(response="utter_which_charge", buttons=buttons)
        return []


class ActionExplainCharge(Action):  # type: ignore[misc]
    """Explains the charges the customer means. `utter_charge_<type>` words one kind of charge."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_explain_charge"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        lines = line_prefixes(await self._bss.lines(slot(tracker, "customer_id")))
        rates = await self._bss.bill_lines(slot(tracker, "bill_id"))
        found = find_charges(slot(tracker, "bill_charge"), rates, lines)
        for rate in found[:CHARGES_EXPLAINED]:
            self._explain(dispatcher, rate, lines, call(tracker).language)
        misses = 0 if found else int(tracker.get_slot("bill_charge_misses") or 0) + 1
        return [SlotSet("bill_charge_misses", misses)]

    def _explain(self, dispatcher: CollectingDispatcher, rate: AppliedBillingRate, lines: dict[str | None, str], language: str) -> None:
        quantity = rate.quantity
        dispatcher.utter_message(
            response=f"utter_charge_{rate.type.value}",
            line=lines.get(rate.line_id, ""),
            charge=rate.name.text(language),
            amount=money(abs(rate.amount)),
            quantity=None if quantity is None else str(quantity),
        )


class ActionListPayments(Action):  # type: ignore[misc]
    """The latest payments, for one response that lists them."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_list_payments"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        payments = await self._bss.payments(slot(tracker, "customer_id"), PAYMENTS_TOLD)
        told = [
            {"date": day(payment.paid_at.date()), "amount": money(payment.amount), "method": payment.method, "status": payment.status.value}
            for payment in payments
        ]
        return [SlotSet("payments", told)]


class ActionFindDispute(Action):  # type: ignore[misc]
    """The open ticket about the bill being talked about, if there is one."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_find_dispute"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        tickets = await self._bss.tickets(slot(tracker, "customer_id"), open_only=True)
        bill_id = tracker.get_slot("bill_id")
        about = (ticket.id for ticket in tickets if ticket.kind is TicketKind.BILLING and ticket.related_id == bill_id)
        return [SlotSet("dispute_ticket", next(about, None))]
