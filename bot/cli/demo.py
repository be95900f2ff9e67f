"""`switchboard demo`: the scripted conversations of the reference bot, through the real engine, then yours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from .chat import HELP, Talk, show_customer
from .projects import reference_project


def run(once: bool) -> int:
    """Plays everything in `data/demo.yml`. With a terminal, and without `once`, you may type afterwards."""
    return asyncio.run(_demo(once))


async def _demo(once: bool) -> int:
    from bot.app import Bot

    console = Console(highlight=False)
    folder = reference_project()
    script = _script(folder / "data" / "demo.yml")
    with console.status("Waking the bot and its operator ..."):
        opening = Bot.open(folder)
        bot = await opening.__aenter__()
    try:
        for number, conversation in enumerate(script):
            console.print()
            console.print(Rule(Text(conversation["title"], style="bold"), align="left"))
            await _play(bot, console, conversation, f"demo-{number}")
        console.print()
        if once or not sys.stdin.isatty():
            return 0
        console.print(Rule(Text("Your turn", style="bold"), align="left"))
        sender = script[0]["sender"] if script else ""
        console.print(Text(f"{HELP} You are {sender}.", style="dim"))
        await Talk(bot, console, sender, None, False, "demo-yours").run()
        return 0
    finally:
        await opening.__aexit__(None, None, None)


async def _play(bot: Any, console: Console, conversation: Mapping[str, Any], name: str) -> None:
    talk = Talk(bot, console, str(conversation["sender"]), str(conversation.get("language") or "") or None, False, name)
    for line in conversation["lines"]:
        text = line if isinstance(line, str) else await _code(talk, str(conversation["sender"]))
        show_customer(console, text)
        turn = await talk.say(text)
        for event in turn.events:
            if event["event"] == "handoff":
                summary = f"  [queue: {event['skill']}, priority {event['priority']}: {event['summary']}]"
                console.print(Text(summary, style="magenta"))


async def _code(talk: Talk, sender: str) -> str:
    """The one-time code just sent, as the customer would read it off the phone."""
    await talk.show_codes()
    codes = talk.codes
    return codes.get(sender) or next(iter(codes.values()), "000000")


def _script(file: Path) -> list[Mapping[str, Any]]:
    from ruamel.yaml import YAML

    data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    conversations: list[Mapping[str, Any]] = data["conversations"]
    return conversations
