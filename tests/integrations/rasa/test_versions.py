"""Guessing the version a project was written for."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.rasa.versions import documented_version


@pytest.mark.parametrize(
    ("file", "text", "compat"),
    [
        ("requirements.txt", "requests\nrasa-pro==3.10.2\n", "3.11"),
        ("requirements.txt", "rasa-pro~=3.12\n", "3.11"),
        ("requirements.txt", "rasa_pro>=3.14.1,<4", "3.14"),
        ("pyproject.toml", 'dependencies = ["rasa-pro>=3.16"]\n', "3.16"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nrasa-pro = "^3.13.0"\n', "3.11"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nrasa-pro = {version = "3.15.0", source = "x"}\n', "3.14"),
        ("poetry.lock", '[[package]]\nname = "rasa-pro"\nversion = "3.17.1"\n', "3.16"),
        ("Dockerfile", "FROM example/rasa-pro:3.11.0\n", "3.11"),
        (".env", "RASA_PRO_VERSION=3.14.0\n", "3.14"),
        ("e2e_tests/a.yml", "- utter: utter_flow_continue_interrupted\n", "3.11"),
        ("data/patterns.yml", "- action: action_continue_interrupted_flow\n", "3.14"),
    ],
)
def test_what_tells_the_version(tmp_path: Path, file: str, text: str, compat: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    guess = documented_version(tmp_path)
    assert guess is not None
    assert guess.compat == compat
    assert guess.place.file == file


def test_dependencies_outweigh_words_and_silence_is_none(tmp_path: Path) -> None:
    assert documented_version(tmp_path) is None
    (tmp_path / "domain.yml").write_text("responses: {utter_flow_continue_interrupted: []}")
    (tmp_path / "requirements.txt").write_text("rasa-pro==3.16.0")
    guess = documented_version(tmp_path)
    assert guess is not None
    assert (guess.compat, str(guess.place)) == ("3.16", "requirements.txt:1:1")


def test_other_packages_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("rasa-sdk==3.14.0\nrasa==3.6.20\n")
    assert documented_version(tmp_path) is None
