"""Plan changes through the real engine, flows, actions and operator: above all, that nothing is ordered but what was agreed to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot, Turn
from bot.dialogue.commands import Command, SetSlot, StartFlow
from bot.language import load
from bot.testing.api import run
from bot.testing.runner import Settings
from integrations.bss.embedded import EmbeddedOperator

PROJECT = Path(__file__).parents[2]
SKILL = PROJECT / "flows" / "plan_change" / "tests.yml"
EMMA = "+12025550101"
LINE = "LIN-10001-1"


@dataclass
class Talk:
    """One verified customer, and a clock that tests move."""

    bot: Bot
    bss: EmbeddedOperator
    clock: list[datetime]

    async def verified_session(self) -> None:
        await self.bot.start_session("c", sender=EMMA)
        await self.bot.set_slots("c", {"identity_level": "verified"})

    async def say(self, *commands: Command) -> Turn:
        return await self.bot.turn("c", "...", commands=commands, sender=EMMA)

    async def slot(self, name: str) -> Any:
        return (await self.bot.state("c")).slots.get(name)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    clock = [datetime(2026, 5, 10, 15, tzinfo=UTC)]
    async with (
        EmbeddedOperator.open(now=lambda: clock[0], customers=0) as bss,
        Bot.open(PROJECT, bss=bss, clock=lambda: clock[0]) as bot,
    ):
        talk = Talk(bot, bss, clock)
        await talk.verified_session()
        yield talk


def said(turn: Turn) -> list[str]:
    return [reply.response for reply in turn.replies if reply.response]


async def test_the_order_is_made_once_and_costs_what_was_told(talk: Talk) -> None:
    await talk.say(StartFlow("plan_change"), SetSlot("new_plan", "5g unlimited"), SetSlot("plan_start", "now"))
    told = await talk.slot("quote_rest_of_month")
    ordered = await talk.say(SetSlot("plan_confirmed", True))
    assert "utter_plan_ordered" in said(ordered)
    (order,) = await talk.bss.orders("CUS-10001")
    assert (await talk.bss.line(LINE)).offering_id == "us-5g-unlimited"
    assert {"amount": str(order.due_now.amount), "currency": order.due_now.currency} == told
    assert any(order.id in reply.text for reply in ordered.replies)


async def test_nothing_is_ordered_before_the_yes_or_after_a_no(talk: Talk) -> None:
    await talk.say(StartFlow("plan_change"), SetSlot("new_plan", "5g start"), SetSlot("plan_confirmed", True))
    assert await talk.bss.orders("CUS-10001") == ()  # a yes that came before the question does not count
    await talk.say(SetSlot("plan_confirmed", False))
    assert await talk.bss.orders("CUS-10001") == ()


async def test_a_quote_that_ran_out_is_told_again(talk: Talk) -> None:
    talk.clock[0] = datetime(2026, 5, 11, 3, 55, tzinfo=UTC)  # five minutes to midnight in New York
    await talk.verified_session()
    await talk.say(StartFlow("plan_change"), SetSlot("new_plan", "5g max"), SetSlot("plan_start", "now"))
    before = await talk.slot("quote_rest_of_month")
    talk.clock[0] += timedelta(minutes=10)
    late = await talk.say(SetSlot("plan_confirmed", True))
    assert said(late) == ["utter_plan_outdated", "utter_plan_offer", "utter_plan_small_print", "utter_ask_plan_confirmed"]
    assert await talk.bss.orders("CUS-10001") == ()
    assert await talk.slot("quote_rest_of_month") != before
    await talk.say(SetSlot("plan_confirmed", True))
    assert len(await talk.bss.orders("CUS-10001")) == 1


async def test_an_obstacle_that_came_up_meanwhile_is_told_instead_of_ordering(talk: Talk) -> None:
    await talk.say(StartFlow("plan_change"), SetSlot("new_plan", "5g max"), SetSlot("plan_start", "now"))
    await talk.bss.order_plan_change(LINE, "us-5g-start", "somebody-else")  # for example in a shop
    late = await talk.say(SetSlot("plan_confirmed", True))
    assert said(late) == ["utter_plan_refused", "utter_ask_plan_instead"]
    assert await talk.slot("quote_refusal") == "order_open"
    assert len(await talk.bss.orders("CUS-10001")) == 1


async def test_a_later_start_of_a_dearer_plan_is_a_ticket_for_the_order_team(talk: Talk) -> None:
    await talk.say(StartFlow("plan_change"), SetSlot("new_plan", "5g max"), SetSlot("plan_start", "next_bill"))
    await talk.say(SetSlot("plan_confirmed", True))
    assert await talk.bss.orders("CUS-10001") == ()
    (ticket,) = await talk.bss.tickets("CUS-10001", open_only=True)
    assert ticket.related_id == LINE
    assert ticket.description == f"Plan change requested: {LINE} to us-5g-max from {await talk.slot('quote_next_bill')}."
    await talk.say(StartFlow("plan_change_undo"))
    await talk.say(SetSlot("undo_confirmed", True))
    assert await talk.bss.tickets("CUS-10001", open_only=True) == ()


async def test_a_change_is_undone_with_its_charges_and_not_after_a_week(talk: Talk) -> None:
    async def change_to(plan: str) -> None:
        await talk.say(StartFlow("plan_change"), SetSlot("new_plan", plan), SetSlot("plan_start", "now"))
        await talk.say(SetSlot("plan_confirmed", True))

    charges = await talk.bss.unbilled_charges("CUS-10001")
    await change_to("5g max")
    assert len(await talk.bss.unbilled_charges("CUS-10001")) == len(charges) + 1
    await talk.say(StartFlow("plan_change_undo"))
    await talk.say(SetSlot("undo_confirmed", True))
    assert (await talk.bss.line(LINE)).offering_id == "us-5g-plus"
    assert await talk.bss.unbilled_charges("CUS-10001") == charges

    await change_to("5g unlimited")
    talk.clock[0] += timedelta(days=8)
    await talk.verified_session()
    late = await talk.say(StartFlow("plan_change_undo"))
    assert await talk.slot("undo_result") == "too_late"
    assert "utter_ask_undo_confirmed" not in said(late)


async def test_a_digression_to_another_line_does_not_change_what_is_ordered(talk: Talk) -> None:
    olivia = "+12065550103"

    async def say(*commands: Command) -> Turn:
        return await talk.bot.turn("o", "...", commands=commands, sender=olivia)

    await talk.bot.start_session("o", sender=olivia)
    await talk.bot.set_slots("o", {"identity_level": "verified"})
    await say(StartFlow("plan_change"), SetSlot("which_line", "mark"), SetSlot("new_plan", "unlimited"), SetSlot("plan_start", "now"))
    await talk.bot.set_slots("o", {"chosen_line_id": "LIN-10003-1", "chosen_line_name": "Olivia (0103)"})  # left by something else
    asked = await say(StartFlow("data_left"))
    assert "utter_data_left" in said(asked)
    again = await say(SetSlot("continue_interrupted_flow_confirmation", True))
    assert "Mark (0104)" in again.replies[-1].text
    await say(SetSlot("plan_confirmed", True))
    (order,) = await talk.bss.orders("CUS-10003")
    assert order.line_id == "LIN-10003-2"


@pytest.mark.slow
@pytest.mark.parametrize("day", ["2026-01-31", "2026-12-31", "2028-02-29"])
async def test_the_annotated_scenarios_hold_on_awkward_days(day: str) -> None:
    await _play(datetime.fromisoformat(f"{day}T15:00:00+00:00"), Settings(understanding="commands"))


async def test_the_scenarios_hold() -> None:
    await _play(datetime(2026, 5, 10, 15, tzinfo=UTC), Settings())


async def _play(now: datetime, settings: Settings) -> None:
    @asynccontextmanager
    async def fresh() -> AsyncIterator[Bot]:
        """A bot and an operator for each case: orders of one would stand in the way of the next."""
        async with EmbeddedOperator.open(now=lambda: now, customers=0) as bss, Bot.open(project, bss=bss, clock=lambda: now) as bot:
            yield bot

    project = load(PROJECT).project  # read once
    report = await run([SKILL], fresh, settings, share="case")
    assert not report.problems
    assert [f"{outcome.case}: {outcome.reason}" for outcome in report.outcomes if outcome.status == "failed"] == []
    assert any(outcome.status == "passed" for outcome in report.outcomes)
