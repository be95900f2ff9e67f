from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bot.testing.api import open_ready, run
from bot.testing.command import run_and_tell
from bot.testing.runner import Settings
from bot.testing.selection import SelectionError

from .fake import FakeBot, bot

TESTS = """\
test_cases:
- test_case: passes
  steps: [{user: /hi}, {utter: utter_hello}]
- test_case: fails with [markup] & <tags>
  steps:
  - user: /hi
  - utter: utter_bye
- test_case: needs a judge
  steps: [{user: /hi, assertions: [{generative_response_is_relevant: {}}]}]
"""
MORE = """\
test_cases:
- test_case: hears
  steps:
  - user: hello
    commands: [ChitChat()]
- test_case: typo
  steps: [{usr: hello}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yml").write_text(TESTS)
    (tmp_path / "b.yml").write_text(MORE)
    return tmp_path


def fake() -> FakeBot:
    return FakeBot(script={"/hi": [bot("utter_hello", "Hello \x01[red]you")]}, meanings={"hello": ["ChitChat()"]})


async def told(folder: Path, *paths: str, settings: Settings = Settings(), terminal: bool = False, **more: str) -> tuple[str, int]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, _environ={})
    status = await run_and_tell(
        [folder / path for path in paths] or [folder],
        fake().opener(),
        settings,
        console=console,
        **more,  # type: ignore[arg-type]
    )
    return out.getvalue(), status


async def test_plain_text_when_piped(folder: Path) -> None:
    text, status = await told(folder)
    assert status == 1
    assert text.splitlines()[-1] == "2 passed, 2 failed, 1 skipped"
    assert "\x1b" not in text
    assert f"FAILED {folder}/a.yml:4:3  fails with [markup] & <tags>" in text
    assert '  1. user: "/hi"  [line 6]' in text
    assert " FAIL  utter: utter_bye  [line 7]" in text
    assert 'said instead: utter_hello "Hello \x01[red]you"' in text
    assert "test-bad-step" in text
    assert f"skipped {folder}/a.yml:8:3  needs a judge: everything asserted needs a judging model" in text


async def test_a_terminal_gets_colours(folder: Path) -> None:
    text, _ = await told(folder, terminal=True)
    assert "\x1b[" in text
    assert "2 passed, 2 failed, 1 skipped" in text


async def test_score_table(folder: Path) -> None:
    text, status = await told(folder, settings=Settings(score=True), select="hears")
    assert status == 0
    assert "ChitChat" in text
    assert "messages understood: 1 of 1 (100.0%)" in text
    assert text.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


async def test_exit_status(folder: Path) -> None:
    assert await told(folder, select="passes") == ("1 passed, 0 failed, 0 skipped\n", 0)
    text, status = await told(folder, "a.yml", "gone.yml")
    assert status == 2
    assert "gone.yml:1:1 test-unreadable" in text
    text, status = await told(folder, select="nobody")
    assert status == 2
    assert "no test case fits 'nobody'" in text
    text, status = await told(folder, "a.yml::passes")
    assert (status, text) == (0, "1 passed, 0 failed, 0 skipped\n")
    text, status = await told(folder, "a.yml::nobody")
    assert status == 2
    with pytest.raises(SelectionError):
        await told(folder, select="(")


async def test_a_broken_file_does_not_stop_the_others(folder: Path) -> None:
    (folder / "c.yml").write_text("test_cases:\n- test_case: [\n")
    text, status = await told(folder, select="passes")
    assert status == 2
    assert "c.yml:3:1 yaml-syntax" in text
    assert text.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


async def test_junit(folder: Path) -> None:
    (folder / "c.yml").write_text("test_cases: nothing\n")
    path = folder / "out" / "junit.xml"
    bot = fake()
    await run_and_tell([folder], bot.opener(), junit=path, console=Console(file=io.StringIO()))
    root = ElementTree.parse(path).getroot()
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert [(suite.get("tests"), suite.get("failures")) for suite in root] == [("3", "1"), ("2", "1"), ("1", "0")]
    failed = root.find(".//testcase[@name='fails with [markup] & <tags>']")
    assert failed is not None
    assert failed.get("line") == "4"
    failure = failed.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "Hello \ufffd[red]you" in failure.text
    assert root.find(".//skipped") is not None
    error = root.find(".//error")
    assert error is not None
    assert error.get("type") == "test-bad-value"


@pytest.mark.parametrize(("share", "opened"), [("run", 1), ("file", 2), ("case", 5)])
async def test_how_long_a_bot_is_shared(folder: Path, share: str, opened: int) -> None:
    bot = fake()
    report = await run([folder], bot.opener(), share=share)  # type: ignore[arg-type]
    assert len(report.outcomes) == 5
    assert bot.texts().count("<open>") == bot.texts().count("<close>") == opened
    assert bot.texts()[0] == "<open>"
    assert bot.texts()[-1] == "<close>"


async def test_an_open_bot_stays_open_and_conversations_are_fresh(folder: Path) -> None:
    bot = fake()
    numbers = iter(range(100))
    report = await run([folder, folder / "a.yml"], lambda: open_ready(bot), ids=lambda: str(next(numbers)))
    assert "<close>" not in bot.texts()
    assert sorted(bot.states) == ["test-0", "test-1", "test-3"]
    assert [outcome.case for outcome in report.outcomes][:2] == ["passes", "fails with [markup] & <tags>"]


async def test_nothing_to_do(tmp_path: Path) -> None:
    bot = fake()
    report = await run([tmp_path], bot.opener())
    assert report.exit_status == 2
    assert bot.calls == []
