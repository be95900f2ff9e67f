"""Which version of the documented dialect a project was written for, when it does not say: told by its dependencies or its own words.

Documented defaults differ between versions (what happens to an interrupted flow, how a conversation ends), so a project runs as its
authors saw it only when the version is known. A guess is always told, with the place it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.language import Compat, Place

_DEPENDENCIES = (
    "pyproject.toml",
    "requirements*.txt",
    "requirements/*.txt",
    "uv.lock",
    "poetry.lock",
    "Dockerfile",
    "docker-compose.yml",
    ".env*",
)
_PINNED = re.compile(r"rasa[-_ ]pro(?:[-_]version)?\W{0,12}(?:version\W{1,6})?(?P<major>3)\.(?P<minor>\d+)", re.IGNORECASE)
_WORDS: tuple[tuple[str, Compat], ...] = (
    ("action_continue_interrupted_flow", "3.14"),
    ("continue_interrupted_flow_confirmation", "3.14"),
    ("utter_flow_continue_interrupted", "3.11"),
)
_YAML = ("*.yml", "*.yaml")
_SKIPPED = frozenset({".git", ".venv", "venv", "node_modules", "models", "__pycache__"})
_LARGEST = 2_000_000


@dataclass(frozen=True, slots=True)
class Guess:
    """The version a project seems to be written for, and what says so."""

    compat: Compat
    place: Place
    evidence: str


def documented_version(root: Path) -> Guess | None:
    """Looks at pinned dependencies first, then at names that only some versions know; None when nothing tells."""
    for path, text in _texts(root, _DEPENDENCIES, deep=False):
        if match := _PINNED.search(text):
            return Guess(_known(int(match["minor"])), _place(root, path, text, match.start()), " ".join(match[0].split()))
    found: dict[Compat, Guess] = {}
    for path, text in _texts(root, _YAML, deep=True):
        for word, compat in _WORDS:
            if compat not in found and (at := text.find(word)) >= 0:
                found[compat] = Guess(compat, _place(root, path, text, at), word)
    return found.get("3.14") or found.get("3.11")


def _known(minor: int) -> Compat:
    """The newest version we know that is not newer than the one named."""
    return "3.16" if minor >= 16 else "3.14" if minor >= 14 else "3.11"


def _texts(root: Path, patterns: Iterable[str], *, deep: bool) -> Iterator[tuple[Path, str]]:
    for pattern in patterns:
        for path in sorted(root.rglob(pattern) if deep else root.glob(pattern)):
            inside = path.relative_to(root).parts
            if path.is_file() and not _SKIPPED & set(inside) and path.stat().st_size <= _LARGEST:
                yield path, path.read_text(encoding="utf-8", errors="replace")


def _place(root: Path, path: Path, text: str, at: int) -> Place:
    line = text.count("\n", 0, at) + 1
    return Place(path.relative_to(root).as_posix(), line, at - text.rfind("\n", 0, at))
