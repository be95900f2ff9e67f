"""Finding the project that a command is about."""

from __future__ import annotations

from pathlib import Path

from bot.language import Compat, Loaded

from .failures import UsageError

_MARKS = ("switchboard.yml", "flows", "domain.yml", "domain", "config.yml")


def reference_project() -> Path:
    """The reference bot: inside an installed package, else in the checkout this file belongs to."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "starter"
    return inside if (inside / "flows").is_dir() else package.parent


def find_project(given: Path | None) -> Path:
    """The folder given, else the current one if it holds a project, else the reference bot."""
    if given is not None:
        return given
    here = Path.cwd()
    return here if any((here / mark).exists() for mark in _MARKS) else reference_project()


def compat_of(text: str | None) -> Compat | None:
    """Raises UsageError for a version we do not know."""
    match text:
        case None | "3.11" | "3.14" | "3.16":
            return text
        case _:
            raise UsageError(f"--compat {text}: choose 3.11, 3.14 or 3.16")


def load_project(given: Path | None, compat: str | None = None) -> Loaded:
    """Loads as the bot does. Raises ProjectNotFound."""
    from bot.app import load_project as load_as_the_bot_does

    return load_as_the_bot_does(find_project(given), compat_of(compat))
