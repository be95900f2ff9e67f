"""A conversation with the reference bot, for tests of its skills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.app import Bot, Turn
from bot.dialogue.commands import parse
from integrations.bss.embedded import EmbeddedOperator

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Talk:
    """`say` plays a message as the commands it means; a message without commands must be a button's payload."""

    bot: Bot
    bss: EmbeddedOperator
    clock: Clock
    sender: str = "+12025550101"
    language: str = "en"
    conversation: str = "talk"
    said: list[str] = field(default_factory=list)

    async def say(self, text: str, *commands: str) -> list[str]:
        """The names of the responses."""
        turn = await self.turn(text, *commands)
        return [reply.response for reply in turn.replies]

    async def turn(self, text: str, *commands: str) -> Turn:
        parsed = [parse(command) for command in commands] if commands else None
        turn = await self.bot.turn(self.conversation, text, commands=parsed, sender=self.sender, language=self.language)
        self.said += [reply.text for reply in turn.replies]
        assert [event for event in turn.events if event["event"] == "problem"] == []
        return turn

    async def slots(self) -> dict[str, Any]:
        return dict((await self.bot.state(self.conversation)).slots)

    async def sent_code(self) -> str:
        codes = await self.bss.sent_codes()
        assert len(codes) == 1
        return next(iter(codes.values()))


@asynccontextmanager
async def talking(sender: str, language: str = "en") -> AsyncIterator[Talk]:
    clock = Clock()
    async with (
        EmbeddedOperator.open(now=clock, customers=60) as bss,
        Bot.open(ROOT, bss=bss, clock=clock) as bot,
    ):
        yield Talk(bot, bss, clock, sender, language)
