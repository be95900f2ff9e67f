"""`switchboard test`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from bot.app import Bot, LocalOnDemand, ProjectBroken
from bot.language import Problem
from bot.testing.command import run_and_tell
from bot.testing.discovery import is_project
from bot.testing.runner import Settings, Understanding
from integrations.rasa.names import RESPONSE_ALIASES

from .failures import UsageError
from .projects import find_project, load_project

_CUSTOMERS = 0
"""The personas only: that is whom tests name. The demo and the chat have all 300."""


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
    folder = project or _project_of(paths)
    settings = Settings(understanding=cast("Understanding | None", understanding), strict=strict, score=score, aliases=RESPONSE_ALIASES)
    where = [str(path.resolve()) if path.exists() else str(path) for path in paths] or [str(folder.resolve())]
    opener = _opener(folder.resolve(), compat)
    return asyncio.run(run_and_tell(where, opener, settings, select=keyword, share="case", junit=junit))


def _opener(folder: Path, compat: str | None) -> Callable[[], AbstractAsyncContextManager[Any]]:
    """Opens a bot for each case: the project and its trained understanding are shared, the operator's systems are fresh every time."""
    loaded = load_project(folder, compat)
    if loaded.errors:
        raise ProjectBroken(loaded.errors)
    understander = LocalOnDemand(_now)
    told: set[Problem] = set()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Bot]:
        async with AsyncExitStack() as stack:
            bss = None
            if loaded.project.settings.get("operator") == "embedded":
                from integrations.bss.embedded import EmbeddedOperator

                bss = await stack.enter_async_context(EmbeddedOperator.open(customers=_CUSTOMERS))
            bot = await stack.enter_async_context(Bot.open(loaded.project, bss=bss, understander=understander, lenient=True))
            for problem in bot.problems:
                if problem not in told:
                    told.add(problem)
                    sys.stderr.write(f"{problem}\n")
            yield bot

    return opened


def _now() -> datetime:
    return datetime.now(UTC)


def _project_of(paths: list[Path]) -> Path:
    """The project that test paths belong to: the nearest folder upwards that looks like one, else the current one or the reference bot."""
    for path in paths:
        start = Path(str(path).split("::")[0]).resolve()
        found = next((folder for folder in (start, *start.parents) if is_project(folder)), None)
        if found is not None:
            return found
    return find_project(paths[0] if paths and paths[0].is_dir() else None)
