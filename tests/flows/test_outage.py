"""Outages through the real engine and operator, and the places people name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import Bot
from bot.dialogue.commands import Command, SetSlot, StartFlow
from bot.language import load
from bot.testing.api import run
from bot.testing.runner import Settings
from flows.outage.places import most_urgent, outage_slots, place_name
from integrations.bss.embedded import EmbeddedOperator
from integrations.bss.models import LocalText, ProblemStatus, Service, ServiceProblem, TicketKind

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 10, 15, tzinfo=UTC)
SOPHIA = "+14155550109"  # lives in San Francisco, where PRB-1001 is


@pytest.fixture
async def bss() -> AsyncIterator[EmbeddedOperator]:
    async with EmbeddedOperator.open(now=lambda: NOW, customers=0) as opened:
        yield opened


@pytest.fixture
async def bot(bss: EmbeddedOperator) -> AsyncIterator[Bot]:
    async with Bot.open(PROJECT, bss=bss, clock=lambda: NOW) as opened:
        yield opened


async def say(bot: Bot, *commands: Command, sender: str = SOPHIA) -> list[str]:
    turn = await bot.turn(sender, "...", commands=commands, sender=sender)
    return [reply.response for reply in turn.replies if reply.response]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Chicago", "Chicago"),
        ("in Chicago", "Chicago"),
        ("I'm in the San Francisco area", "San Francisco"),
        ("near 94110 right now", "94110"),
        ("Seattle, please", "Seattle,"),
        ("해운대 쪽이에요", "해운대"),
        ("제주도에서요", "제주도"),
        ("강남구 지역", "강남구"),
        ("in", "in"),
    ],
)
def test_the_name_of_a_place_is_found_in_what_was_said(said: str, name: str) -> None:
    assert place_name(said) == name


def problem(identity: str, *services: Service, planned: bool = False, eta: datetime | None = None) -> ServiceProblem:
    cause = LocalText("A cable was cut", "케이블 절단")
    return ServiceProblem(identity, ("us-sf",), services, planned, cause, ProblemStatus.IN_PROGRESS, NOW - timedelta(hours=1), eta, None, 3)


def test_of_several_problems_an_outage_comes_before_planned_work_and_the_widest_first() -> None:
    work = problem("PRB-1", Service.VOICE, Service.SMS, Service.MOBILE_DATA, planned=True)
    calls, all_of_it = problem("PRB-2", Service.VOICE), problem("PRB-3", Service.VOICE, Service.SMS)
    assert most_urgent([work, calls, all_of_it]) == all_of_it
    assert most_urgent([work]) == work
    assert most_urgent([]) is None


async def test_an_expected_end_is_told_in_the_place_s_own_time(bss: EmbeddedOperator) -> None:
    area = next(area for area in await bss.areas() if area.id == "us-sf")
    cut = problem("PRB-1", Service.VOICE, eta=NOW + timedelta(hours=14))
    slots = outage_slots(cut, area, NOW, "en")
    assert (slots["outage_since"], slots["outage_eta_time"], slots["outage_eta_day"]) == ("7:00 AM", "10:00 PM", "2026-05-10")
    assert (slots["outage_eta_today"], slots["outage_overdue"]) == (True, False)
    assert outage_slots(replace(cut, expected_resolution=NOW + timedelta(hours=20)), area, NOW, "en")["outage_eta_today"] is False
    assert outage_slots(replace(cut, expected_resolution=NOW - timedelta(hours=1)), area, NOW, "en")["outage_overdue"] is True
    assert set(outage_slots(None, None, NOW, "en").values()) == {None}


async def test_a_yes_subscribes_once_and_a_no_never(bot: Bot, bss: EmbeddedOperator) -> None:
    await say(bot, StartFlow("outage_check"))
    await say(bot, SetSlot("notify_consent", False))
    assert await bss.problem_subscriptions("PRB-1001") == ()
    for _ in range(2):
        await say(bot, StartFlow("outage_notify"))
        await say(bot, SetSlot("notify_consent", True))
    assert [watcher.customer_id for watcher in await bss.problem_subscriptions("PRB-1001")] == ["CUS-10005"]


async def test_an_outage_solved_before_the_yes_is_good_news(bot: Bot, bss: EmbeddedOperator) -> None:
    await say(bot, StartFlow("outage_check"))
    await bss.resolve_problem("PRB-1001", "solved")
    assert "utter_notify_state" in await say(bot, SetSlot("notify_consent", True))
    state = await bot.state(SOPHIA)
    assert state.slots["watch_state"] == "solved"
    assert await bss.problem_subscriptions("PRB-1001") == ()


async def test_a_report_says_what_and_since_when_and_belongs_to_the_known_outage(bot: Bot, bss: EmbeddedOperator) -> None:
    await say(bot, StartFlow("outage_report"), SetSlot("report_service", "mobile_data"), SetSlot("report_confirmed", True))
    await say(bot, SetSlot("problem_since", "this morning"))
    assert await bss.tickets("CUS-10005", open_only=True) == ()  # the yes came before the question
    await say(bot, SetSlot("report_confirmed", True))
    (ticket,) = await bss.tickets("CUS-10005", open_only=True)
    assert (ticket.kind, ticket.related_id) == (TicketKind.NETWORK, "PRB-1001")
    assert ticket.description == "Not working: mobile data. Since: this morning."


async def test_a_place_abroad_is_found_too(bot: Bot) -> None:
    assert "utter_outage_known" in await say(bot, StartFlow("outage_check"), SetSlot("outage_place", "해운대"))


async def test_the_scenarios_hold() -> None:
    project = load(PROJECT).project  # read once

    @asynccontextmanager
    async def fresh() -> AsyncIterator[Bot]:
        """A bot and an operator for each case: a report in one would be seen in the next."""
        async with EmbeddedOperator.open(now=lambda: NOW, customers=0) as bss, Bot.open(project, bss=bss, clock=lambda: NOW) as bot:
            yield bot

    skills = ("lines", "data_usage", "outage")
    report = await run([PROJECT / "flows" / skill / "tests.yml" for skill in skills], fresh, Settings(), share="case")
    assert not report.problems
    assert [f"{outcome.case}: {outcome.reason}" for outcome in report.outcomes if outcome.status != "passed"] == []
    assert report.outcomes
