"""Where a handset is shown and typed into: a terminal whose input line stays whole while messages come in, or plain lines in a pipe."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from bot.channels.simulator import Handset, Shown, plain, spans

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

_COLOURS = {"": "", "dim": "#888888", "yours": "ansigreen", "theirs": "ansicyan", "bad": "ansired"}


class Screen(Protocol):
    """`live`: somebody watches and types; otherwise it is a script."""

    live: bool

    def open(self) -> AbstractContextManager[None]: ...

    async def line(self) -> str | None:
        """The next line; None at the end."""
        ...

    def message(self, handset: Handset, message: Shown) -> None: ...

    def note(self, text: str, *, bad: bool = False) -> None:
        """A word of the telephone itself."""
        ...


class PlainScreen:
    """Lines in, lines out; what the telephone itself has to say is indented."""

    live = False

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._reading = False

    def open(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def line(self) -> str | None:
        if not self._reading:
            self._reading = True
            # In a thread, for a file cannot be waited for; one that may be left behind when the process ends.
            Thread(target=_read, args=(asyncio.get_running_loop(), self._lines.put_nowait), daemon=True).start()
        return await self._lines.get()

    def message(self, handset: Handset, message: Shown) -> None:
        self._write(plain(handset, message))

    def note(self, text: str, *, bad: bool = False) -> None:
        self._write("\n".join(f"  {line}" for line in text.splitlines()))

    def _write(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _read(loop: asyncio.AbstractEventLoop, put: Callable[[str | None], None]) -> None:
    """Reads standard input without Python's buffer: a thread that waits inside of that would not let the process end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest, ended = "", False
    with suppress(RuntimeError):  # the loop is closed: nobody listens any more
        while not ended:
            try:
                octets = os.read(0, 65536)
            except OSError:
                octets = b""
            ended = not octets
            *lines, rest = (rest + decoder.decode(octets, final=ended)).split("\n")
            for line in [*lines, *([rest] if ended and rest else [])]:
                loop.call_soon_threadsafe(put, line.rstrip("\r"))
        loop.call_soon_threadsafe(put, None)


class TerminalScreen:
    """`status` is what stands below the line that is typed. Raises ImportError without prompt_toolkit."""

    live = True

    def __init__(self, status: Callable[[], str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.styles import Style

        self._style = Style.from_dict({"bottom-toolbar": "noreverse #888888"})
        self._session: PromptSession[str] = PromptSession(
            "> ",
            bottom_toolbar=lambda: status(),
            style=self._style,
            erase_when_done=True,
            refresh_interval=0.5,
            reserve_space_for_menu=0,
        )

    def open(self) -> AbstractContextManager[None]:
        from prompt_toolkit.patch_stdout import patch_stdout

        return patch_stdout(raw=True)

    async def line(self) -> str | None:
        try:
            return await self._session.prompt_async()
        except (EOFError, KeyboardInterrupt):
            return None

    def message(self, handset: Handset, message: Shown) -> None:
        self._print([(_COLOURS[span.style], span.text) for span in spans(handset, message)])

    def note(self, text: str, *, bad: bool = False) -> None:
        self._print([(_COLOURS["bad" if bad else "dim"], text)])

    def _print(self, parts: list[tuple[str, str]]) -> None:
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText

        print_formatted_text(FormattedText(parts), style=self._style)


def screen(status: Callable[[], str]) -> Screen:
    """The one that fits: plain when either end is not a terminal, or what edits the line is not installed."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        with suppress(ImportError):
            return TerminalScreen(status)
    return PlainScreen()
