"""Billing against the embedded operator: what really happens to bills."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from integrations.bss.embedded import EmbeddedOperator
from integrations.bss.models import BillState
from tests.flows.common_talk import Talk, talking

EMMA, DANIEL = "+12025550101", "+12025550102"


async def _pay_everything(bss: EmbeddedOperator, customer_id: str) -> None:
    for bill in await bss.bills(customer_id):
        if bill.open:
            last4 = (await bss.customer(customer_id)).payment_methods[0].last4
            await bss.pay_bill(bill.id, last4, f"pay-{bill.id}")


async def test_a_link_is_sent_once_and_the_bill_waits_for_the_payment() -> None:
    async with talking(DANIEL) as talk:
        assert await talk.say("pay", "StartFlow(bill_pay)") == ["utter_ask_pay_confirmed"]
        assert await talk.bss.payment_requests("CUS-10002") == ()
        assert await talk.say("yes", "SetSlot(pay_confirmed, true)") == [
            "utter_payment_link_sent",
            "utter_payment_more_open",
            "utter_can_do_something_else",
        ]
        (request,) = await talk.bss.payment_requests("CUS-10002")
        bills = await talk.bss.bills("CUS-10002")
        oldest = [bill for bill in bills if bill.open][-1]
        assert request.bill_id == oldest.id
        assert oldest.state is BillState.AWAITING_PAYMENT
        assert any(request.url in said for said in talk.said)
        assert (await talk.say("pay", "StartFlow(bill_pay)"))[0] == "utter_payment_link_again"


async def test_once_it_is_paid_nothing_is_due() -> None:
    async with talking(EMMA) as talk:
        await _pay_everything(talk.bss, "CUS-10001")
        assert (await talk.say("pay", "StartFlow(bill_pay)"))[0] == "utter_nothing_due"
        await talk.say("later", "StartFlow(promise_to_pay)")
        await talk.say("due?", "StartFlow(bill_status)")
        assert any("is paid" in said for said in talk.said)


async def test_a_bill_paid_while_we_talked_is_not_asked_for_again() -> None:
    async with talking(EMMA) as talk:
        await talk.say("pay", "StartFlow(bill_pay)")
        await _pay_everything(talk.bss, "CUS-10001")
        assert (await talk.say("yes", "SetSlot(pay_confirmed, true)"))[0] == "utter_nothing_due"


async def test_a_link_that_is_out_for_another_bill_leads_to_a_person() -> None:
    async with talking(DANIEL) as talk:
        await talk.say("pay", "StartFlow(bill_pay)")
        newest = (await talk.bss.bills("CUS-10002"))[0]
        await talk.bss.send_payment_request("CUS-10002", newest.id, "elsewhere")
        assert await talk.say("yes", "SetSlot(pay_confirmed, true)") == ["utter_payment_needs_person", "utter_human_handoff"]


async def test_an_operator_that_is_down_is_told_and_nothing_is_sent() -> None:
    async with talking(EMMA) as talk:
        await talk.say("pay", "StartFlow(bill_pay)")
        talk.bss.faults.fail("send_payment_request")
        turn = await talk.bot.turn("talk", "/SetSlots(pay_confirmed=true)", sender=EMMA, language="en")
        assert turn.replies[0].response == "utter_internal_error"
        assert await talk.bss.payment_requests("CUS-10001") == ()


async def _promise(talk: Talk, days: int) -> list[str]:
    day = date(2026, 11, 23) + timedelta(days=days)
    await talk.say("later", "StartFlow(promise_to_pay)")
    return await talk.say(f"{day}", f"SetSlot(promise_date, {day})")


@pytest.mark.parametrize(
    ("days", "answer"),
    [
        (0, ["utter_promise_date_past", "utter_ask_promise_date"]),
        (1, ["utter_ask_promise_confirmed"]),
        (14, ["utter_ask_promise_confirmed"]),
        (15, ["utter_promise_date_too_far", "utter_ask_promise_date"]),
    ],
)
async def test_days_that_can_be_promised(days: int, answer: list[str]) -> None:
    async with talking(EMMA) as talk:
        assert await _promise(talk, days) == answer
        assert await talk.bss.promises("CUS-10001") == ()


async def test_a_promise_after_a_yes_and_no_second_one_soon() -> None:
    async with talking(DANIEL) as talk:
        await _promise(talk, 5)
        assert (await talk.say("yes", "SetSlot(promise_confirmed, true)"))[0] == "utter_promise_agreed"
        (promise,) = await talk.bss.promises("CUS-10002")
        assert promise.promised_date == date(2026, 11, 28)
        assert (await talk.say("later", "StartFlow(promise_to_pay)"))[0] == "utter_promise_known"
        await talk.bss.pay_bill(promise.bill_id, "5100", "paid")
        await _promise(talk, 3)
        assert await talk.say("yes", "SetSlot(promise_confirmed, true)") == ["utter_ask_person_about_more_time"]
        assert await talk.say("yes", "SetSlot(bill_wants_person, true)") == ["utter_human_handoff"]
        assert len(await talk.bss.promises("CUS-10002")) == 1


async def test_a_day_corrected_before_the_yes_is_the_one_promised() -> None:
    async with talking(EMMA) as talk:
        await _promise(talk, 5)
        assert await talk.say("no, the 30th", "SetSlot(promise_date, 2026-11-30)") == [
            "utter_corrected_previous_input",
            "utter_ask_promise_confirmed",
        ]
        await talk.say("yes", "SetSlot(promise_confirmed, true)")
        (promise,) = await talk.bss.promises("CUS-10001")
        assert promise.promised_date == date(2026, 11, 30)


async def test_a_dispute_is_one_ticket_and_holds_the_bill() -> None:
    async with talking(EMMA) as talk:
        await talk.say("wrong", "StartFlow(bill_dispute)")
        await talk.say("no roaming", "SetSlot(dispute_reason, I never went abroad)")
        assert await talk.bss.tickets("CUS-10001") == ()
        assert (await talk.say("yes", "SetSlot(dispute_confirmed, true)"))[0] == "utter_dispute_opened_held"
        (ticket,) = await talk.bss.tickets("CUS-10001")
        bill = (await talk.bss.bills("CUS-10001"))[0]
        assert (ticket.description, ticket.related_id) == ("I never went abroad", bill.id)
        assert bill.state is BillState.DISPUTED
        assert (await talk.say("wrong", "StartFlow(bill_dispute)"))[0] == "utter_dispute_known"
        assert (await talk.say("pay", "StartFlow(bill_pay)"))[0] == "utter_bill_disputed"


async def test_a_paid_bill_can_be_disputed_too() -> None:
    async with talking(EMMA) as talk:
        await _pay_everything(talk.bss, "CUS-10001")
        await talk.say("wrong", "StartFlow(bill_dispute)")
        await talk.say("twice", "SetSlot(dispute_reason, charged twice)")
        assert (await talk.say("yes", "SetSlot(dispute_confirmed, true)"))[0] == "utter_dispute_opened"
        assert (await talk.bss.bills("CUS-10001"))[0].state is BillState.PAID


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_every_bill_and_every_charge_can_be_explained(language: str) -> None:
    """Whatever the operator's customers have on their bills is put in words, complete and in their language."""
    async with talking(EMMA, language) as talk:
        customers = [f"CUS-{number}" for number in (*range(10001, 10010), *range(10101, 10109), *range(20001, 20021))]
        for customer_id in customers:
            talk.sender = (await talk.bss.customer(customer_id)).contact_number
            talk.conversation = customer_id
            turn = await talk.turn("why", "StartFlow(bill_explain)")
            change = turn.state.slots["bill_change"]
            reasons = [reply for reply in turn.replies if reply.response.startswith("utter_reason_")]
            assert bool(reasons) is (change in ("up", "down"))
            await talk.turn("/SetSlots(bill_next_wish=details)")
            for rate in await talk.bss.bill_lines(turn.state.slots["bill_id"]):
                explained = await talk.turn("that", f"SetSlot(bill_charge, {rate.id})")
                assert explained.replies[0].response == f"utter_charge_{rate.type.value}"
                await talk.turn("/SetSlots(bill_charge_next_wish=another)")
        assert len(talk.said) > 300
        assert not [said for said in talk.said if re.search(r"[{}]|None|null", said) or "  " in said]
        if language == "ko":
            assert not [said for said in talk.said if said and not re.search("[가-힣]", said)]


async def test_reasons_add_up_to_the_difference() -> None:
    """What is told one by one and the rest make the whole difference, for everybody."""
    async with talking(EMMA) as talk:
        for customer_id in (f"CUS-{number}" for number in (10001, 10002, 10003, 10101, 10103, *range(20001, 20044))):
            talk.sender = (await talk.bss.customer(customer_id)).contact_number
            talk.conversation = customer_id
            turn = await talk.turn("why", "StartFlow(bill_explain)")
            if turn.state.slots["bill_change"] not in ("up", "down"):
                continue
            comparison = await talk.bss.compare_bills(turn.state.slots["bill_id"])
            told = [reply for reply in turn.replies if reply.response.startswith("utter_reason_")]
            rest = sum(difference.difference.amount for difference in comparison.differences[3:])
            assert len(told) == min(len(comparison.differences), 3) + bool(rest)
