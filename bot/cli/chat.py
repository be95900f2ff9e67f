"""`switchboard chat`: a conversation in the terminal, or from a pipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from .projects import compat_of, find_project, reference_project

if TYPE_CHECKING:
    from bot.app import Bot, Turn

DEFAULT_NUMBERS = {"en": "+12025550101", "ko": "+821000000101"}
"""Who you are in the reference bot unless `--as` says otherwise: two invented customers, described in data/README.md."""

QUIT = frozenset({"/quit", "/exit", "/q"})
HELP = "Type as the customer. A number picks a button. /quit leaves, /trace shows what happens inside, /state shows where we stand."


def run(
    project: Path | None,
    sender: str,
    language: str | None,
    trace: bool,
    store: Path | None,
    conversation: str,
    compat: str | None,
) -> int:
    """Talks until /quit or the end of the input."""
    return asyncio.run(_talk(project, sender, language, trace, store, conversation, compat))


async def _talk(
    project: Path | None, sender: str, language: str | None, trace: bool, store: Path | None, conversation: str, compat: str | None
) -> int:
    from bot.app import Bot

    folder = find_project(project)
    console = Console(highlight=False)
    async with AsyncExitStack() as stack:
        kept: dict[str, Any] = {}
        if store is not None:
            from bot.conversations import SqlConversations, SqlEffects, connect

            engine = connect(f"sqlite+aiosqlite:///{store}")
            stack.push_async_callback(engine.dispose)
            conversations, effects = SqlConversations(engine, now=_now), SqlEffects(engine, now=_now)
            await conversations.create()
            await effects.create()
            kept = {"store": conversations, "effects": effects}
        bot = await stack.enter_async_context(Bot.open(folder, compat=compat_of(compat), **kept))
        is_reference = folder.resolve() == reference_project().resolve()
        if not sender and is_reference:
            sender = DEFAULT_NUMBERS.get(language or "en", DEFAULT_NUMBERS["en"])
        if sys.stdin.isatty():
            console.print(Text(f"{bot.project.settings.get('name', folder.resolve().name)}. {HELP}", style="dim"))
            if sender:
                console.print(Text(f"You are {sender}.", style="dim"))
        await Talk(bot, console, sender, language, trace, conversation).run()
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


class Talk:
    """Reads what the customer types, shows what the bot says."""

    def __init__(self, bot: Bot, console: Console, sender: str, language: str | None, trace: bool, conversation: str) -> None:
        self._bot, self._console = bot, console
        self._sender, self._language = sender, language
        self._trace, self._conversation = trace, conversation
        self._codes: dict[str, str] = {}

    async def run(self) -> None:
        async for line in _lines(self._console):
            if line in QUIT:
                break
            if line == "/trace":
                self._trace = not self._trace
                self._console.print(Text(f"trace {'on' if self._trace else 'off'}", style="dim"))
            elif line == "/state":
                self._console.print_json(data=(await self._bot.state(self._conversation)).to_json())
            elif line == "/help":
                self._console.print(Text(HELP, style="dim"))
            else:
                await self.say(line)

    async def say(self, text: str) -> Turn:
        """One turn: says it, shows the answer, and the one-time code that came by text message, if one did."""
        turn = await self._bot.turn(self._conversation, text, sender=self._sender, language=self._language)
        self._language = None  # from here on the conversation has its own
        if self._trace:
            show_trace(self._console, turn)
        for reply in turn.replies:
            show_reply(self._console, reply.text, reply.buttons)
        if not turn.replies:
            self._console.print(Text("(no answer)", style="dim"))
        await self.show_codes()
        return turn

    async def show_codes(self) -> None:
        sent = getattr(self._bot.bss, "sent_codes", None)
        if sent is None:
            return
        codes: dict[str, str] = await sent()
        for number, code in codes.items():
            if self._codes.get(number) != code:
                self._console.print(Text(f"  [text message to {number}: your code is {code}]", style="yellow"))
        self._codes = codes

    @property
    def codes(self) -> dict[str, str]:
        """The one-time codes that work now, by number."""
        return self._codes


def show_reply(console: Console, text: str, buttons: Any = ()) -> None:
    console.print(Text("bot> ", style="bold cyan") + Text(text), soft_wrap=not console.is_terminal)
    for number, button in enumerate(buttons, 1):
        console.print(Text(f"     {number}. {button['title']}", style="cyan"))


def show_customer(console: Console, text: str) -> None:
    console.print(Text("you> ", style="bold green") + Text(text), soft_wrap=not console.is_terminal)


def show_trace(console: Console, turn: Turn) -> None:
    """What was understood, which steps ran, what was set: one dim line each."""
    for event in turn.events:
        line = _trace_line(event)
        if line:
            console.print(f"     [dim]{escape(line)}[/dim]", highlight=False)


def _trace_line(event: Any) -> str:
    match event["event"]:
        case "commands":
            return f"understood by {event['engine'] or '?'}: {', '.join(event['commands']) or 'nothing'}"
        case "ignored":
            return f"ignored {event['command']}: {event['why']}"
        case "step":
            return f"step {event['flow']} / {event['step']}"
        case "slot":
            return f"slot {event['name']} = {event['value']!r} ({event['by']})"
        case "flow_started" | "flow_completed" | "flow_cancelled" | "flow_interrupted" | "flow_resumed" | "flow_refused":
            return f"{event['event'].replace('_', ' ')}: {event['flow']}"
        case "problem":
            return f"PROBLEM {event['code']}: {event['detail']}"
        case "handoff":
            return f"hand-over: {event['reason']}, skill {event['skill']}, priority {event['priority']}; {event['summary']}"
        case _:
            return ""


async def _lines(console: Console) -> AsyncIterator[str]:
    """Lines typed or piped, until the end of the input."""
    interactive = sys.stdin.isatty()
    while True:
        if interactive:
            try:
                line = await asyncio.to_thread(console.input, "[bold green]you> [/bold green]")
            except (EOFError, KeyboardInterrupt):
                return
        else:
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line:
                return
            line = line.rstrip("\n")
            show_customer(console, line)
        if line.strip() or not interactive:
            yield line.strip()
