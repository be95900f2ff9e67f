"""Runs test files from end to end: find, read, choose, play, report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Literal, Protocol
from uuid import uuid4

from bot.language import Place, Problem

from .discovery import Found, find
from .reader import read_file
from .results import Outcome, Report
from .runner import Settings, play
from .scenarios import Case
from .selection import selection
from .session import Session

ReadyBot = Callable[[], AbstractAsyncContextManager[Session]]
"""Opens a bot to test."""

Share = Literal["run", "file", "case"]


class Listener(Protocol):
    """Is told of a run as it goes on."""

    def started(self, cases: int) -> None: ...
    def played(self, outcome: Outcome) -> None: ...


async def run(
    paths: Iterable[str | Path],
    open_bot: ReadyBot,
    settings: Settings = Settings(),
    *,
    select: str = "",
    share: Share = "run",
    listener: Listener | None = None,
    ids: Callable[[], str] = lambda: uuid4().hex,
    timer: Callable[[], float] = perf_counter,
) -> Report:
    """Plays the cases found in `paths` (files, folders, `FILE::CASE`), one after another, each in a conversation of its own.

    `select` is an expression as of `-k`. `share` says how long one bot is kept: for the whole run, a file, or a case; the shorter,
    the less can one case disturb another through the systems behind the bot. `ids` makes names of conversations.
    Raises SelectionError for an unreadable `select`; a bot that cannot be opened raises what it raises.
    """
    began = timer()
    chosen = selection(select)
    files, problems = find(paths)
    cases, more = _read(files)
    if cases and not (cases := [case for case in cases if chosen(case.id)]):
        more.append(Problem(Place("-k"), "error", "test-nothing-chosen", f"no test case fits {select!r}"))
    if listener is not None:
        listener.started(len(cases))
    outcomes: list[Outcome] = []
    async with _Bots(open_bot, share) as bots:
        for case in cases:
            bot = await bots.bot_for(case)
            outcome = await play(case, bot, settings, conversation=f"test-{ids()}", timer=timer)
            outcomes.append(outcome)
            if listener is not None:
                listener.played(outcome)
    return Report(tuple(outcomes), (*problems, *more), timer() - began)


@asynccontextmanager
async def open_ready(bot: Session) -> AsyncIterator[Session]:
    """Hands out a bot that is open already, and leaves it open: `run(paths, lambda: open_ready(bot))`."""
    yield bot


def _read(files: Sequence[Found]) -> tuple[list[Case], list[Problem]]:
    cases: dict[Place, Case] = {}
    problems: dict[Problem, None] = {}
    for file in files:
        read = read_file(file.path)
        problems.update(dict.fromkeys(read.problems))
        wanted = [case for case in read.cases if file.case in ("", case.name)]
        if file.case and not wanted:
            message = f"there is no test case {file.case!r} in this file"
            problems[Problem(Place(str(file.path)), "error", "test-unknown-case", message)] = None
        cases.update({case.place: case for case in wanted})
    return list(cases.values()), list(problems)


class _Bots:
    """Opens bots and keeps each as long as it is shared."""

    def __init__(self, open_bot: ReadyBot, share: Share) -> None:
        self._open = open_bot
        self._share = share
        self._stack = AsyncExitStack()
        self._bot: Session | None = None
        self._file = ""

    async def __aenter__(self) -> _Bots:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def bot_for(self, case: Case) -> Session:
        stale = self._share == "case" or (self._share == "file" and self._file != case.place.file)
        if self._bot is None or stale:
            await self._stack.aclose()
            self._bot = await self._stack.enter_async_context(self._open())
            self._file = case.place.file
        return self._bot
