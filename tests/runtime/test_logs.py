from __future__ import annotations

import asyncio
import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.language.conditions import Condition, ConditionError
from bot.runtime.logs import Log, explain
from bot.runtime.observing import trace

NOW = datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
NUMBER = "+12025550101"
CONVERSATION = "c0123456789abcdef01234567"


class Lines(io.StringIO):
    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(lines: Lines) -> Log:
    return Log(lines, now=lambda: NOW)


def fail() -> None:
    """As a library that puts what it was given into its message."""
    try:
        json.loads(f'"{NUMBER}')
    except ValueError as error:
        raise ValueError(f"no answer to {NUMBER}: my name is Kim") from error


def raised() -> ValueError:
    with pytest.raises(ValueError, match="Kim") as caught:
        fail()
    return caught.value


def test_a_line_begins_with_the_same_four(log: Log, lines: Lines) -> None:
    with trace(CONVERSATION):
        log.write("warning", "send", outcome="retry", seconds=0.5)
    assert lines() == [
        {
            "time": "2026-03-04T05:06:07.891Z",
            "level": "warning",
            "event": "send",
            "conversation": CONVERSATION,
            "outcome": "retry",
            "seconds": 0.5,
        }
    ]
    assert list(lines()[0])[:4] == ["time", "level", "event", "conversation"]


def test_a_trace_ends_and_reaches_tasks_begun_within(log: Log, lines: Lines) -> None:
    async def turn() -> None:
        with trace(CONVERSATION):
            await asyncio.create_task(asyncio.to_thread(log.write, "info", "inside"))
        log.write("info", "outside")

    asyncio.run(turn())
    inside, outside = lines()
    assert inside["conversation"] == CONVERSATION
    assert "conversation" not in outside


def test_the_level(lines: Lines) -> None:
    log = Log(lines, level="warning")
    log.write("info", "quiet")
    log.write("error", "loud")
    assert [line["event"] for line in lines()] == ["loud"]
    with pytest.raises(KeyError):
        Log(lines, level="verbose")


def test_fields_are_masked(log: Log, lines: Lines) -> None:
    log.write("info", f"to {NUMBER}", conversation=NUMBER, to=[NUMBER], event="kim@example.com")
    assert lines()[0]["event"] == "to +<number>"
    assert "2025550101" not in lines.getvalue()
    assert "kim" not in lines.getvalue()


def test_an_exception_by_class_and_place_only(log: Log, lines: Lines) -> None:
    try:
        Condition.parse(f"slots.name = = '{NUMBER} Kim'")
    except ConditionError as error:
        log.write("error", "failed", error)
    (line,) = lines()
    assert line["error"] == "bot.language.conditions.ConditionError"
    assert line["at"].startswith("bot/language/conditions.py:")
    assert "Kim" not in lines.getvalue()
    assert "2025550101" not in lines.getvalue()


def test_the_causes_are_told_by_their_classes() -> None:
    told = explain(raised())
    assert told == {"error": "ValueError", "causes": ["json.decoder.JSONDecodeError"]}
    group = ExceptionGroup(NUMBER, [KeyError(NUMBER), OSError(NUMBER)])
    assert explain(group) == {"error": "ExceptionGroup", "causes": ["KeyError", "OSError"]}
    circle = ValueError()
    circle.__cause__ = circle
    assert len(explain(circle)["causes"]) == 5


def test_libraries_log_the_same_way(log: Log, lines: Lines) -> None:
    with log.standard():
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request from %s\nmore", NUMBER)
        logging.getLogger("some.library").error("failed", exc_info=raised())
        logging.getLogger("bot.anything").info("ours %s %s", "is one argument short")
        first, second, third = lines()
        assert first == {
            "time": "2026-03-04T05:06:07.891Z", "level": "warning", "event": "Invalid HTTP request from +<number>", "logger": "uvicorn.error"
        }  # fmt: skip
        assert (second["error"], second["level"]) == ("ValueError", "error")
        assert third["event"] == "ours %s %s"
        assert "Kim" not in lines.getvalue()


def test_libraries_that_tell_too_much_are_not_heard(log: Log, lines: Lines) -> None:
    with log.standard():
        logging.getLogger("httpx").info("HTTP Request: GET https://api.example/Messages?To=%2B12025550101")
        logging.getLogger("sqlalchemy.engine.Engine").info("[generated in 0.1s] ('hello, I am Kim',)")
        logging.getLogger("uvicorn.access").info('127.0.0.1 - "GET /?name=Kim"')
        logging.getLogger("uvicorn.access").critical('127.0.0.1 - "GET /?name=Kim"')
        logging.getLogger("anybody").info("hello")
        logging.getLogger("alembic.runtime.migration").info("Running upgrade 0001 -> 0002")
        assert [line["event"] for line in lines()] == ["Running upgrade 0001 -> 0002"]


def test_asyncio_prints_what_it_holds(log: Log, lines: Lines) -> None:
    with log.standard():

        async def forgets() -> None:
            async def fails() -> None:
                raise raised()

            task = asyncio.create_task(fails())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task

        asyncio.run(forgets())
        (line,) = lines()
        assert (line["event"], line["error"]) == ("Task exception was never retrieved", "ValueError")
        assert "Kim" not in lines.getvalue()


def test_standard_logging_is_given_back(log: Log) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("httpx").level)
    with log.standard():
        assert root.handlers != before[1]
    assert (root.level, list(root.handlers), logging.getLogger("httpx").level) == before


def test_a_terminal_gets_colours_and_no_more(log: Log) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    Log(terminal, now=lambda: NOW).write("error", "failed", raised(), outcome="retry\x1b[2J")
    (line,) = terminal.getvalue().splitlines()
    assert "\x1b[" in line
    assert "\x1b[2J" not in line
    for word in ("2026-03-04T05:06:07.891Z", "error", "failed", "ValueError", "retry"):
        assert word in line
    assert "Kim" not in line


def test_a_stream_nobody_reads_is_no_reason_to_stop(lines: Lines) -> None:
    log = Log(lines)
    lines.close()
    log.write("info", "unheard")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Log(narrow, colours=True).write("info", "요금")
