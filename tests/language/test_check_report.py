"""How problems are shown, and what the exit status says."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from bot.language import Place, Problem
from bot.language.report import as_json, at_least, exit_status, lines, merged, show, summary

ERROR = Problem(Place("flows/a.yml", 3, 5), "error", "unknown-slot", "no slot `x`", "did you mean `y`?")
WARNING = Problem(Place("flows/a.yml", 9), "warning", "unreachable-step", "nothing leads to `z`")
INFO = Problem(Place("flows/b.yml"), "info", "unused-slot", "a\n  name over\ntwo lines [red]")


def test_lines_are_what_editors_read() -> None:
    assert lines([ERROR, WARNING, INFO]) == [
        "flows/a.yml:3:5 error unknown-slot no slot `x` (did you mean `y`?)",
        "flows/a.yml:9:1 warning unreachable-step nothing leads to `z`",
        "flows/b.yml:1:1 info unused-slot a name over two lines [red]",
        "1 error, 1 warning, 1 info",
    ]


def test_a_pipe_gets_plain_unwrapped_lines() -> None:
    out = StringIO()
    long = Problem(Place("f.yml"), "error", "x", "word " * 60)
    show([long, INFO], Console(file=out, width=40))
    assert out.getvalue().splitlines() == lines([long, INFO])


def test_a_terminal_gets_colours() -> None:
    out = StringIO()
    show([ERROR], Console(file=out, force_terminal=True, color_system="standard"))
    assert "\x1b[" in out.getvalue()


@pytest.mark.parametrize(
    ("problems", "strict", "status"),
    [([], False, 0), ([INFO], True, 0), ([WARNING], False, 0), ([WARNING], True, 1), ([WARNING, ERROR], False, 1)],
)
def test_exit_status(problems: list[Problem], strict: bool, status: int) -> None:
    assert exit_status(problems, strict) == status


def test_summary() -> None:
    assert summary([]) == "no problems"
    assert summary([ERROR, ERROR, WARNING]) == "2 errors, 1 warning"


def test_json_holds_everything() -> None:
    said = json.loads(as_json([ERROR, INFO]))
    assert said["counts"] == {"error": 1, "warning": 0, "info": 1}
    assert said["problems"][0] == {
        "file": "flows/a.yml",
        "line": 3,
        "column": 5,
        "severity": "error",
        "code": "unknown-slot",
        "message": "no slot `x`",
        "hint": "did you mean `y`?",
    }


def test_only_the_worse_ones() -> None:
    assert at_least([ERROR, WARNING, INFO], "warning") == (ERROR, WARNING)


def test_what_the_loader_said_is_not_said_again() -> None:
    again = Problem(ERROR.place, "error", "unknown-slot", "other words")
    second = Problem(WARNING.place, "warning", "unreachable-step", "a second one of the same group")
    assert merged([ERROR], [again, WARNING, second]) == (ERROR, second, WARNING)
