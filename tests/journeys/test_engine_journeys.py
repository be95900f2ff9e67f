"""Long, awkward conversations in projects of the documented layout, their commands replayed: corrections, digressions, cancellations."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import Bot
from bot.language import Compat
from bot.testing import Settings, run

ENGINE = Path(__file__).parent / "engine"


@pytest.mark.parametrize(
    ("project", "tests", "compat", "cases"),
    [
        ("defaults", ("any", "v3_11"), "3.11", 62),
        ("defaults", ("any", "v3_14"), "3.14", 60),
        ("defaults", ("any", "v3_14", "v3_16"), "3.16", 65),
        ("overrides", ("",), "3.11", 22),
        ("overrides", ("",), "3.16", 22),
        ("asking", ("",), "3.14", 6),
    ],
)
async def test_journeys(project: str, tests: tuple[str, ...], compat: Compat, cases: int) -> None:
    folder = ENGINE / project
    paths = [folder / "dialogue_understanding_tests" / name if name else folder for name in tests]
    report = await run(paths, lambda: Bot.open(folder, compat=compat), Settings(understanding="commands"))
    assert [f"{outcome.case}: {outcome.reason}" for outcome in report.outcomes if outcome.status != "passed"] == []
    assert report.problems == ()
    assert len(report.outcomes) == cases
