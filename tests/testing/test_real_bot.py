"""The runner against a real bot: a small project with its own tests, then the same with mistakes put in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot
from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult
from bot.dialogue.commands import CannotHandle, StartFlow, Trigger, parse_payload
from bot.dialogue.state import State
from bot.dialogue.understander import Message, Understanding
from bot.language import Project
from bot.testing import Report, Settings, run

CORNER = Path(__file__).parent / "projects" / "corner"


class Prices:
    """The real `action_price`, which no test here wants to run."""

    names = frozenset({"action_price"})

    async def run(self, call: ActionCall) -> ActionResult:
        raise ActionFailed("failed", call.action, "the till is closed")


async def by_words(message: Message, state: State, project: Project) -> Understanding:
    if (payload := parse_payload(message.text)) is not None:
        return Understanding(payload)
    if message.text == "/session_start":
        return Understanding((Trigger("pattern_session_start", {}),))
    if "left" in message.text:
        return Understanding((StartFlow("see_data"),))
    return Understanding((CannotHandle(),))


def corner() -> Callable[[], AbstractAsyncContextManager[Bot]]:
    return lambda: Bot.open(CORNER, actions=Prices(), understander=by_words)


async def play(*paths: Path, **settings: Any) -> Report:
    return await run(paths or [CORNER], corner(), Settings(**settings))


def failures(report: Report) -> list[str]:
    return [f"{outcome.case}: {outcome.reason}" for outcome in report.outcomes if outcome.status == "failed"]


async def test_the_projects_own_tests_pass() -> None:
    report = await play()
    assert failures(report) == []
    assert report.summary == "5 passed, 0 failed, 0 skipped"
    assert report.exit_status == 0


async def test_replayed_only() -> None:
    report = await play(understanding="commands")
    assert report.summary == "4 passed, 0 failed, 1 skipped"


async def test_score() -> None:
    """Nine messages are annotated and no payload; the understander knows the three with `left`, among them two whole cases."""
    report = await play(score=True)
    assert (report.score.messages, report.score.right) == (9, 3)
    assert report.score.kinds["StartFlow"].right == 3
    assert (report.score.cases, report.score.right_cases) == (4, 2)


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("bot: Done, 5 GB added.", "bot: Done, 6 GB added.", 'said instead: utter_bought "Done, 5 GB added."'),
        ("utter: utter_too_much", "utter: utter_enough", "said instead: utter_too_much"),
        ("slot_was_not_set: [gigabytes]", "slot_was_set: [gigabytes]", "slot_was_set: gigabytes: it was set to 500"),
        ("[{name: price, value: 9}]", "[{name: price, value: 8}]", "slot_was_set: price = 8: it was set to 9"),
        ("- left: 40", "- left: 41", 'said instead: utter_left "You have 41 GB left."'),
        ("utter: utter_hello", "utter: utter_hi", "said instead: utter_hello"),
        ("text_matches: 9 dollars", "text_matches: 10 dollars", "said instead: utter_ask_agreed"),
        ("flow_step_id: tell", "flow_step_id: say", "completed: "),
        ("[buy data, see_data]", "[buy data, sell_data]", "offered: buy data, buy_data, see data, see_data"),
        ("- left: 40", "- right: 40", "there is no slot 'right'"),
        ("  action_price:\n", "  greets first::action_price:\n", "ran: utter_internal_error"),
    ],
)
async def test_a_mistake_is_found(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    text = (CORNER / "flows/shop/tests.yml").read_text()
    assert text.count(right) == 1
    (tmp_path / "tests.yml").write_text(text.replace(right, wrong))
    report = await play(tmp_path)
    assert report.exit_status == 1
    assert any(reason in failure for failure in failures(report)), failures(report)
