"""YAML 1.2 with positions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.language import Place, read_yaml
from bot.language.yamlfile import MAX_DEPTH, parse_yaml


def data(text: str) -> Any:
    node, problems = parse_yaml(text, "f.yml")
    assert problems == []
    return node.data if node else None


CORE = """\
- yes
- No
- on
- OFF
- y
- true
- True
- FALSE
- ~
- null
- NULL
-
- 12
- -3
- +4
- 0o17
- 0x1F
- 010
- 1_000
- 1:30
- 1.
- .5
- -1.5e3
- 12e03
- .inf
- -.INF
- 2024-01-01
- "12"
- 'true'
- '~'
- !!str 12
- "010-0000-1234"
- 010-0000-1234
- 1.2.3
- -
- .
"""


def test_scalars_follow_the_core_schema() -> None:
    assert data(CORE) == [
        "yes", "No", "on", "OFF", "y", True, True, False, None, None, None, None, 12, -3, 4, 15, 31, 10, "1_000", "1:30",
        1.0, 0.5, -1500.0, 12000.0, math.inf, -math.inf, "2024-01-01", "12", "true", "~", "12", "010-0000-1234", "010-0000-1234", "1.2.3",
        [None], ".",
    ]  # fmt: skip


def test_scalars_agree_with_another_parser_of_yaml_1_2() -> None:
    text = CORE.replace("- 1_000\n", "").replace("- 2024-01-01\n", "").replace("- +4\n", "").replace("- 1:30\n", "")
    assert data(text) == YAML(typ="safe", pure=True).load(text)


def test_not_a_number() -> None:
    assert math.isnan(data("- .nan")[0])


def test_keys_are_texts() -> None:
    assert data("{true: 1, 2: b, no: c, ~: d, 1.0: e}") == {"true": 1, "2": "b", "no": "c", "~": "d", "1.0": "e"}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_nothing(text: str) -> None:
    assert parse_yaml(text, "f.yml") == (None, [])


def test_positions(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "f.yml"
    path.parent.mkdir()
    path.write_bytes("﻿flows:\r\n  요금: {if: a, then: b}\r\n  list:\r\n    - one\r\n    - two: 2\r\n".encode())
    value, positions = read_yaml(path, tmp_path)
    assert value == {"flows": {"요금": {"if": "a", "then": "b"}, "list": ["one", {"two": 2}]}}
    assert positions.problems == ()
    file = "deep/f.yml"
    assert positions.place(()) == Place(file, 1, 1)
    assert positions.place(("flows", "요금")) == Place(file, 2, 3)
    assert positions.place(("flows", "요금", "then")) == Place(file, 2, 15)
    assert positions.value(("flows", "요금", "then")) == Place(file, 2, 21)
    assert positions.place(("flows", "list", 0)) == Place(file, 4, 7)
    assert positions.place(("flows", "list", -1, "two")) == Place(file, 5, 7)
    assert positions.place(("flows", "list", 7)) == Place(file, 3, 3), "the nearest part outside"
    assert positions.place(("nothing", "here")) == Place(file, 1, 1)


def test_reading_a_broken_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_text("a:\n\t- b\n")
    value, positions = read_yaml(path, tmp_path)
    assert value is None
    (problem,) = positions.problems
    assert (problem.code, problem.place) == ("yaml-syntax", Place("f.yml", 2, 1))
    assert problem.hint == "indent with spaces, not with tabs"
    assert positions.place(("a",)) == Place("f.yml")


def test_a_missing_file_is_the_callers_affair(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_yaml(tmp_path / "f.yml", tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("a: b: c\n", 1, 5, "quotes"),
        ("a: [1, 2\n", 2, 1, "indentation"),
        ("a: 'x\n", 2, 1, "indentation"),
        ("a: @b\n", 1, 4, "begins with @"),
        ("a: 1\n b: 2\n", 2, 3, "quotes"),
        ("a: *nowhere\n", 1, 4, ""),
        ("a: 1\n---\nb: 2\n", 2, 1, "file of its own"),
        ("a: \x00\n", 1, 4, ""),
        ("%YAML 1.2\n---\n}\n", 3, 1, ""),
    ],
)
def test_syntax_errors_have_a_place(text: str, line: int, column: int, hint: str) -> None:
    _, problems = parse_yaml(text, "f.yml")
    assert [(problem.code, problem.place.line, problem.place.column) for problem in problems] == [("yaml-syntax", line, column)]
    assert hint in problems[0].hint


def test_duplicate_keys_are_reported_and_the_first_counts() -> None:
    node, problems = parse_yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", "f.yml")
    assert node is not None
    assert node.data == {"a": 1, "b": {"c": 1}}
    assert [(problem.code, problem.place.line, problem.place.column) for problem in problems] == [
        ("yaml-duplicate-key", 4, 3),
        ("yaml-duplicate-key", 5, 1),
    ]
    assert "line 3" in problems[0].message


def test_anchors_aliases_and_merge_keys() -> None:
    text = "base: &base {a: 1, b: 2}\nsame: *base\nover:\n  <<: *base\n  b: 3\nunder:\n  b: 4\n  <<: *base\n"
    assert data(text) == {"base": {"a": 1, "b": 2}, "same": {"a": 1, "b": 2}, "over": {"a": 1, "b": 3}, "under": {"a": 1, "b": 4}}


def test_a_file_that_would_fill_the_memory_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    node, problems = parse_yaml("\n".join(lines), "f.yml")
    assert node is None
    assert [problem.code for problem in problems] == ["yaml-syntax"]
    assert "too large" in problems[0].message


def test_an_alias_of_what_surrounds_it_is_refused() -> None:
    _, problems = parse_yaml("a: &a\n  b: *a\n", "f.yml")
    assert [(problem.code, problem.place.line) for problem in problems] == [("yaml-syntax", 2)]


def test_very_deep_files_are_refused() -> None:
    assert data("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    for depth in (MAX_DEPTH + 1, 5000):
        node, problems = parse_yaml("[" * depth, "f.yml")
        assert node is None
        assert "deep" in problems[0].message


def test_long_digits_stay_text() -> None:
    digits = "9" * 5000
    assert data(f"- {digits}") == [digits]
