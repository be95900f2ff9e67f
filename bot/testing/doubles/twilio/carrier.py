"""Between the provider and its customers' handsets: some are off, receipts come late, a message does not arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .double import TwilioDouble
from .messages import Message


@dataclass(slots=True)
class Carrier:
    """Takes what a double accepts to the handsets in `on`, in order, and keeps it for those that are off or that it does not know.

    `arrived` is told of a message that reached its handset, `held` of one that has to wait, `told` of each receipt and what the bot's
    server answered to it (0: nothing). `delay` seconds go by before a message arrives. Receipts come `late` by so many seconds, and then
    in the wrong order. `failures`: codes with which the next messages do not arrive.
    """

    double: TwilioDouble
    arrived: Callable[[Message], None] = lambda message: None
    held: Callable[[Message], None] = lambda message: None
    told: Callable[[Message, str, int], None] = lambda message, status, answer: None
    on: set[str] = field(default_factory=set)
    delay: float = 0.0
    late: float = 0.0
    failures: deque[int] = field(default_factory=deque)
    _waiting: dict[str, list[Message]] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.double.on_message = self.take

    def take(self, message: Message) -> None:
        self.double.start(self._carry(message))

    def switch_on(self, number: str) -> None:
        """What has waited arrives."""
        self.on.add(number)
        for message in self._waiting.pop(number, ()):
            self.arrived(message)
            self.double.start(self._tell(message, "delivered"))

    def switch_off(self, number: str) -> None:
        self.on.discard(number)

    def waiting(self, number: str) -> int:
        return len(self._waiting.get(number, ()))

    async def _carry(self, message: Message) -> None:
        async with self._turns.setdefault(message.to, asyncio.Lock()):
            await asyncio.sleep(self.delay)
            statuses: tuple[str, ...] = ("sent", "delivered")
            code = 0
            if self.failures:
                statuses, code = ("sent", "undelivered"), self.failures.popleft()
            elif message.to in self.on:
                self.arrived(message)
            else:
                self._waiting.setdefault(message.to, []).append(message)
                self.held(message)
                statuses = ("sent",)
        await self._tell(message, *statuses, code=code)

    async def _tell(self, message: Message, *statuses: str, code: int = 0) -> None:
        late = self.late
        await asyncio.sleep(late)
        told = []
        for status in statuses:
            error_code = str(code) if status == "undelivered" else ""
            told.append((status, self.double.status(message.sid, status, error_code)))
        for status, request in reversed(told) if late else told:
            if message.callback:
                self.told(message, status, await self.double.caller.call(request))
