"""`switchboard broadcast` as typed, on a database of its own with the simulated account, and the page about it as written."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli.broadcasting import broadcast
from bot.cli.failures import UsageError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "bot" / "docs" / "broadcasts.md").read_text(encoding="utf-8")
BUSINESS = "+12025550100"
TEXTS = ("--text", "en=Hello {name}", "--text", "ko={name}님 안녕하세요")


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", f"sqlite:///{tmp_path}/switchboard.db")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("TWILIO_ACCOUNT_SID", "SMPP_HOST"):
        monkeypatch.delenv(name, raising=False)
    lines = ["number,language,name", "+12025550101,en,Sam", "+821000000001,ko,지민", "12,en,Short"]
    (tmp_path / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(broadcast, list(arguments))


def said(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def as_json(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(*arguments, "--json").splitlines()[-1])
    return found


def start(*more: str) -> tuple[str, ...]:
    return ("start", "customers.csv", "--from", BUSINESS, *TEXTS, *more)


def test_the_page_runs_as_written(desk: Path) -> None:
    (table,) = re.findall(r"^```csv\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (desk / "customers.csv").write_text(table, encoding="utf-8")
    commands = [
        line.split("  #")[0].strip()
        for body in re.findall(r"^```(?:console|sh)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        for line in body.splitlines()
    ]
    assert len(commands) >= 6
    for command in commands:
        name, group, *arguments = shlex.split(command)
        assert (name, group) == ("switchboard", "broadcast")
        said(*arguments)
    assert as_json("status", "work-0305")["counts"]["waiting"] == 4


def test_every_option_of_the_page_is_there() -> None:
    offered = said("start", "--help")
    for option in set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--watch", "--json", "--file"}:
        assert option in offered, option


def test_a_check_lists_wrong_lines_and_stores_nothing() -> None:
    result = call(*start("--check"))
    assert result.exit_code == 1
    assert "line 4 has no telephone number that exists" in result.output
    assert "1 of 3 lines are wrong" in result.output
    assert "2 messages to 2 customers, 2 segments" in result.output
    assert said("list") == "no broadcasts\n"
    checked = call(*start("--check", "--json"))
    assert json.loads(checked.output)["bad"] == [{"line": 4, "reason": "bad_number"}]


def test_from_start_to_stop_and_on() -> None:
    assert "2" in said(*start("--name", "work", "--rate", "5"))
    status = as_json("status", "work")
    assert (status["status"], status["counts"]["waiting"], status["skipped"], status["rate"]) == ("running", 2, {"bad_number": 1}, 5.0)
    shown = said("status", "work")
    assert re.search(r"waiting +│ 2", shown)
    assert re.search(r"skipped: bad number +│ 1", shown)
    assert as_json("stop", "work") == {"id": "work", "taken_back": 2}
    assert as_json("status", "work")["status"] == "stopped"
    assert "stopped" in said("list")
    assert as_json("resume", "work")["counts"]["waiting"] == 2
    assert as_json("list")["id"] == "work"


def test_watching_ends_with_the_broadcast() -> None:
    (Path.cwd() / "customers.csv").write_text("number,language,name,agreed\n+12025550101,en,Sam,no\n")
    status = as_json(*start("--purpose", "marketing", "--watch"))
    assert (status["status"], status["skipped"]) == ("done", {"not_agreed": 1})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("start", "customers.csv", "--from", BUSINESS), "give either a response, or texts, or templates"),
        (("start", "customers.csv", "--from", BUSINESS, "--text", "Hello"), "--text is language=..."),
        (start("--at", "tomorrow"), "2026-03-05T09:00"),
        (start("--purpose", "spam"), "spam"),
        (start("--channel", "pigeon"), "unknown_channel"),
        (start("--name", "NO"), "bad_name"),
        (start("--most-bad", "0"), "line 4"),
        (start("--region", "ZZ"), "bad_region"),
        (("status", "nothing"), "unknown_broadcast"),
        (("stop", "nothing"), "unknown_broadcast"),
        (("resume", "nothing"), "unknown_broadcast"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], told: str) -> None:
    result = call(*arguments)
    assert isinstance(result.exception, UsageError), result.exception
    assert told in str(result.exception)


def test_a_file_that_is_not_there() -> None:
    result = call("start", "none.csv", "--from", BUSINESS, *TEXTS)
    assert isinstance(result.exception, FileNotFoundError)
    assert result.exception.filename is not None


def test_a_time_is_of_the_projects_zone() -> None:
    said(*start("--name", "later", "--at", "2031-03-05T12:00"))
    assert as_json("status", "later")["ends"].startswith("2031-03-05T23:00"), "noon in New York; in Seoul it is night, until eight"
    said(*start("--name", "zoned", "--at", "2031-03-05T12:00+09:00"))
    assert as_json("status", "zoned")["ends"].startswith("2031-03-05T13:00"), "noon in Seoul; New York is asleep until eight"
