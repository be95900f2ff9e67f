"""Whole conversations across skills: the annotated ones in this folder, and data/demo.yml in free text with real one-time codes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.app import Bot, Turn
from bot.language import load
from bot.testing.api import run
from bot.testing.runner import Settings
from integrations.bss.embedded import EmbeddedOperator

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
DEMO: list[dict[str, Any]] = YAML(typ="safe", pure=True).load((PROJECT / "data" / "demo.yml").read_text(encoding="utf-8"))["conversations"]


async def test_the_annotated_journeys_hold() -> None:
    project = load(PROJECT).project  # read once

    @asynccontextmanager
    async def fresh() -> AsyncIterator[Bot]:
        async with EmbeddedOperator.open(now=lambda: NOW, customers=0) as bss, Bot.open(project, bss=bss, clock=lambda: NOW) as bot:
            yield bot

    report = await run([Path(__file__).parent], fresh, Settings(understanding="commands"), share="case")
    assert not report.problems
    assert [f"{outcome.case}: {outcome.reason}" for outcome in report.outcomes if outcome.status != "passed"] == []
    assert len(report.outcomes) >= 4


def test_there_is_a_demo_in_each_language() -> None:
    assert {conversation["language"] for conversation in DEMO} == set(load(PROJECT).project.languages)


@pytest.mark.parametrize("conversation", DEMO, ids=lambda conversation: conversation["language"])
async def test_the_demo_tells_its_story(conversation: dict[str, Any]) -> None:
    """Every line is understood, the change is made once and for the corrected plan, and a person takes over."""
    sender = conversation["sender"]
    async with EmbeddedOperator.open(now=lambda: NOW, customers=0) as bss, Bot.open(PROJECT, bss=bss, clock=lambda: NOW) as bot:
        turns: list[Turn] = []
        for line in conversation["lines"]:
            text = line if isinstance(line, str) else (await bss.sent_codes())[sender]
            turns.append(await bot.turn("demo", text, sender=sender, language=conversation["language"]))
        events = [event for turn in turns for event in turn.events]
        started = [event["flow"] for event in events if event["event"] == "flow_started"]
        assert {"bill_explain", "plan_change", "pattern_identity", "pattern_correction"} <= set(started)
        assert {"data_left", "outage_check"} & set(started)
        assert not {"pattern_cannot_handle", "pattern_clarification", "pattern_internal_error"} & set(started)
        assert [event for event in events if event["event"] in ("problem", "ignored")] == []
        assert len([event for event in events if event["event"] == "handoff"]) == 1

        customer = await bss.find_customer_by_number(sender)
        assert customer is not None
        made = [order.to_offering_id for order in await bss.orders(customer.id)]
        asked = [ticket.description for ticket in await bss.tickets(customer.id) if "Plan change requested" in ticket.description]
        if conversation["language"] == "en":
            assert (made, asked) == (["us-5g-unlimited"], [])
        else:  # asked to start with the next bill
            assert made == []
            assert [words.split()[5] for words in asked] == ["kr-5g-plus"]
