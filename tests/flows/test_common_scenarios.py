"""The conversations designers wrote beside these skills."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.testing import Settings, run
from tests.flows.common_talk import ROOT


@pytest.mark.parametrize("skill", ["common", "identity", "billing", "handover"])
async def test_scenarios_pass(skill: str) -> None:
    report = await run([ROOT / "flows" / skill / "tests.yml"], lambda: Bot.open(ROOT), Settings())
    assert [str(problem) for problem in report.problems] == []
    assert {outcome.case: outcome.reason for outcome in report.outcomes if outcome.status != "passed"} == {}
    assert report.outcomes
