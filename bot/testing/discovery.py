"""Finds test files: where projects are documented to keep them, or wherever a folder given by hand holds some."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.language import Place, Problem

_FOLDERS = ("tests", "e2e_tests", "dialogue_understanding_tests", "data")
_SKIPPED = frozenset({"node_modules", "__pycache__", "dist", "build"})
_HAS_CASES = re.compile(rb"^(\xef\xbb\xbf)?[\"']?test_cases[\"']?\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A file to run; of its cases only `case`, when given."""

    path: Path
    case: str = ""


def find(paths: Iterable[str | Path]) -> tuple[tuple[Found, ...], tuple[Problem, ...]]:
    """Test files for paths: files, folders, or `FILE::CASE NAME`. Without duplicates, in order; a path without tests is a problem."""
    found: dict[Found, None] = {}
    problems: list[Problem] = []
    for given in paths:
        path, case = _split(given)
        if path.is_dir():
            files = find_in(path)
            if not files:
                hint = "files with test_cases: belong in tests/, e2e_tests/ or flows/<skill>/tests.yml"
                problems.append(Problem(Place(str(path)), "error", "test-no-cases", "there are no test files here", hint))
            found.update(dict.fromkeys(Found(file) for file in files))
        elif path.exists():
            found[Found(path, case)] = None
        else:
            problems.append(Problem(Place(str(path)), "error", "test-unreadable", "there is no such file or folder"))
    return tuple(found), tuple(problems)


def find_in(folder: Path) -> Sequence[Path]:
    """Test files of a folder: of a project those in the documented places, of any other folder all of them."""
    if not is_project(folder):
        return [path for path in _yaml_below(folder) if _has_cases(path)]
    candidates: list[Path] = []
    for name in _FOLDERS:
        candidates += _yaml_below(folder / name)
    for skill in sorted((folder / "flows").glob("*/")):
        candidates += [skill / f"tests{ending}" for ending in (".yml", ".yaml")]
        candidates += _yaml_below(skill / "tests")
    return [path for path in dict.fromkeys(candidates) if path.is_file() and _has_cases(path)]


def is_project(folder: Path) -> bool:
    """Whether a folder is the root of a bot project, ours or one in the documented layout."""
    if (folder / "switchboard.yml").is_file():
        return True
    return (folder / "config.yml").is_file() and ((folder / "domain.yml").is_file() or (folder / "domain").is_dir())


def _split(given: str | Path) -> tuple[Path, str]:
    text = str(given)
    name, separator, case = text.partition("::")
    if separator and not Path(text).exists():
        return Path(name), case.strip()
    return Path(text), ""


def _yaml_below(folder: Path) -> Iterator[Path]:
    """YAML files below a folder, sorted; other projects, hidden and generated folders inside it are left out."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and name[0] != "." and not is_project(here / name))
        yield from (here / name for name in sorted(files) if name.endswith((".yml", ".yaml")))


def _has_cases(path: Path) -> bool:
    try:
        return _HAS_CASES.search(path.read_bytes()) is not None
    except OSError:
        return True
