"""Anything at all: random sequences of commands never crash, never loop, never leave a state that does not load."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversations import MemoryEffects
from bot.dialogue.actions import ActionFailed
from bot.dialogue.commands import (
    CancelFlow,
    CannotHandle,
    ChitChat,
    Clarify,
    Command,
    CommandSyntaxError,
    HumanHandoff,
    RepeatLastBotMessages,
    SearchAndReply,
    SetSlot,
    SkipQuestion,
    StartFlow,
    Trigger,
    parse,
    parse_payload,
)
from bot.language import Project

from .conftest import bank_actions, merged_project
from .projects import BRANCHES, CALLS, CONFIRMED_CORRECTION, TRANSFER
from .talk import Talk


def _projects() -> dict[str, Project]:
    folder = Path(tempfile.mkdtemp())
    calls = CALLS.replace("balance:", "balance_two:").replace("utter_balance", "utter_balance_two")
    branches = BRANCHES.replace("confirm", "sure")
    return {
        compat: merged_project(folder / compat, (TRANSFER, calls, branches, CONFIRMED_CORRECTION), compat)
        for compat in ("3.11", "3.14", "3.16")
    }


PROJECTS = _projects()
FLOWS = [*PROJECTS["3.11"].flows, "no_such_flow"]
SLOTS = [*PROJECTS["3.11"].slots, "continue_conversation", "no_such_slot"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 500),
    st.sampled_from(["good", "Joe", "none", "true", "transfer money", "1234", ""]),
    st.text(max_size=8),
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(StartFlow, st.sampled_from(FLOWS)),
    st.builds(SetSlot, st.sampled_from(SLOTS), VALUES, st.sampled_from(["message", "payload"])),
    st.sampled_from([CancelFlow(), SkipQuestion(), ChitChat(), SearchAndReply(), HumanHandoff(), RepeatLastBotMessages(), CannotHandle()]),
    st.builds(Clarify, st.lists(st.sampled_from(FLOWS), max_size=5).map(tuple)),
    st.builds(Trigger, st.sampled_from([name for name in FLOWS if name.startswith("pattern_")]), st.just({})),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    compat=st.sampled_from(["3.11", "3.14", "3.16"]),
    turns=st.lists(st.lists(COMMANDS, max_size=4), min_size=1, max_size=12),
    failing=st.sets(st.integers(0, 20), max_size=3),
    handoff=st.booleans(),
)
def test_no_sequence_of_commands_breaks_the_engine(compat: str, turns: list[list[Command]], failing: set[int], handoff: bool) -> None:
    asyncio.run(_play(compat, turns, failing, handoff))


async def _play(compat: str, turns: list[list[Command]], failing: set[int], handoff: bool) -> None:
    actions = bank_actions()
    honest = actions.functions["check_funds"]

    def check_funds(call: Any) -> Any:
        if len(actions.calls) in failing:
            raise ActionFailed("failed", call.action, "told to")
        return honest(call)

    actions.functions["check_funds"] = check_funds
    talk = Talk(PROJECTS[compat], actions, handoff=handoff, effects=MemoryEffects())
    for commands in turns:
        await talk.say(*commands)  # Talk itself checks that the state survives JSON
        assert not {"runaway_turn"} & set(talk.problems()), talk.problems()
        assert len(talk.state.stack) < 60
        ids = [frame.id for frame in talk.state.stack]
        assert len(ids) == len(set(ids))
        clarified = any(event["event"] == "flow_completed" and event["flow"] == "pattern_clarification" for event in talk.events)
        if talk.state.stack and talk.state.owner == "bot" and not clarified:
            top = talk.state.stack[-1]
            assert top.asked or top.done, f"the turn ended while {top.flow}/{top.step} neither asks nor listens"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(turns=st.lists(st.lists(COMMANDS, max_size=3), min_size=1, max_size=8))
def test_a_replay_is_the_same_conversation(turns: list[list[Command]]) -> None:
    """Same messages, same words and states: nothing random, no clock, no hidden memory."""

    async def transcript() -> list[Any]:
        talk = Talk(PROJECTS["3.16"], bank_actions())
        return [(await talk.say(*commands), talk.state.to_json()) for commands in turns]

    assert asyncio.run(transcript()) == asyncio.run(transcript())


@given(st.text())
def test_reading_commands_raises_nothing_but_its_own_error(text: str) -> None:
    with contextlib.suppress(CommandSyntaxError):
        parse(text)
    parse_payload(text)


@given(st.sampled_from(["StartFlow(a)", "SetSlot(a, b)", "CancelFlow()", "Clarify(a, b)", "SkipQuestion()", "HumanHandoff()"]))
def test_written_commands_read_back(text: str) -> None:
    assert str(parse(text)) == text


def test_the_compact_spelling_is_read_as_well() -> None:
    assert parse("start flow transfer_money") == StartFlow("transfer_money")
    assert parse("set slot amount 50 dollars") == SetSlot("amount", "50 dollars")
    assert parse("disambiguate flows a b") == Clarify(("a", "b"))
    assert parse("hand over") == HumanHandoff()
    assert parse_payload('/SetSlots(a=1, b="x, y", c=)') == (
        SetSlot("a", "1", "payload"),
        SetSlot("b", "x, y", "payload"),
        SetSlot("c", "", "payload"),
    )
