from __future__ import annotations

from pathlib import Path

from bot.testing.discovery import find, find_in

CASES = "test_cases:\n- test_case: a\n  steps:\n  - user: hi\n"


def write(root: Path, *names: str, text: str = CASES) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_in(root)]


def test_our_layout(tmp_path: Path) -> None:
    write(tmp_path, "switchboard.yml", text="language: en\n")
    write(tmp_path, "flows/bills/tests.yml", "flows/bills/tests/deep/more.yml", "tests/a.yaml", "elsewhere/no.yml")
    write(tmp_path, "flows/bills/flows.yml", "tests/conftest.yml", text="flows: {}\nllm_judge: {}\n")
    assert names(tmp_path) == ["tests/a.yaml", "flows/bills/tests.yml", "flows/bills/tests/deep/more.yml"]


def test_documented_layout(tmp_path: Path) -> None:
    write(tmp_path, "config.yml", "domain.yml", text="language: en\n")
    write(tmp_path, "e2e_tests/x/y.yml", "dialogue_understanding_tests/z.yml", "data/flows_and_tests.yml")
    assert names(tmp_path) == ["e2e_tests/x/y.yml", "dialogue_understanding_tests/z.yml", "data/flows_and_tests.yml"]


def test_a_project_inside_is_another_projects_business(tmp_path: Path) -> None:
    write(tmp_path, "switchboard.yml", "tests/projects/small/switchboard.yml", text="language: en\n")
    write(tmp_path, "tests/projects/small/tests/a.yml", "tests/own.yml", "tests/.hidden/b.yml", "tests/node_modules/c.yml")
    assert names(tmp_path) == ["tests/own.yml"]
    assert names(tmp_path / "tests/projects/small") == ["tests/a.yml"]


def test_any_folder(tmp_path: Path) -> None:
    write(tmp_path, "b.yml", "a/c.yml")
    write(tmp_path, "d.yml", text="# test_cases: none\nother: 1\n")
    assert names(tmp_path) == ["b.yml", "a/c.yml"]


def test_paths_given_by_hand(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", "empty/readme.yml", text="x: 1\n")
    found, problems = find(
        [f"{tmp_path}/a.yml::pays a bill", tmp_path / "a.yml", tmp_path / "a.yml", tmp_path / "no.yml", tmp_path / "empty"]
    )
    assert [(file.path.name, file.case) for file in found] == [("a.yml", "pays a bill"), ("a.yml", "")]
    assert [problem.code for problem in problems] == ["test-unreadable", "test-no-cases"]
    assert problems[0].place.file.endswith("no.yml")
