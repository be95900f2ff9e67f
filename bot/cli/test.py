"""`switchboard test`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

from bot.testing.command import run_and_tell
from bot.testing.runner import Settings, Understanding

from .failures import UsageError
from .projects import compat_of, find_project


def run(
    paths: list[Path],
    project: Path | None,
    understanding: str | None,
    score: bool,
    strict: bool,
    keyword: str,
    junit: Path | None,
    compat: str | None,
) -> int:
    """Runs the cases found in the paths against the project they belong to. Returns the exit status."""
    if understanding not in (None, "commands", "local"):
        raise UsageError(f"--understanding {understanding}: choose commands or local")
    from bot.app import Bot
    from integrations.rasa.names import RESPONSE_ALIASES

    folder = project or _project_of(paths)
    settings = Settings(
        understanding=cast("Understanding | None", understanding), strict=strict, score=score, aliases=RESPONSE_ALIASES
    )
    version = compat_of(compat)

    def open_bot() -> AbstractAsyncContextManager[Any]:
        return Bot.open(folder, compat=version)

    where = [str(path.resolve()) if path.exists() else str(path) for path in paths] or [str(folder.resolve())]
    return asyncio.run(run_and_tell(where, open_bot, settings, select=keyword, share="case", junit=junit))


def _project_of(paths: list[Path]) -> Path:
    """The project that test paths belong to: the nearest folder upwards that looks like one, else the current one or the reference bot."""
    for path in paths:
        start = Path(str(path).split("::")[0]).resolve()
        for folder in (start, *start.parents):
            if any((folder / mark).exists() for mark in ("switchboard.yml", "domain.yml", "domain", "config.yml")):
                return folder
    return find_project(paths[0] if paths and paths[0].is_dir() else None)
