"""Scripted trouble, to see what a bot does when the billing system is slow, down, or dies after doing the work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from ..errors import BssError, Code


@dataclass(frozen=True, slots=True)
class Fault:
    operation: str
    """A method of the port, or `*` for any."""
    code: Code
    after: bool
    """The effect happens, then the answer is lost."""
    times: int
    delay: float
    """Seconds before it fails."""


class Faults:
    """What is to go wrong. Empty: nothing."""

    def __init__(self) -> None:
        self._script: list[Fault] = []

    def fail(self, operation: str, code: Code = Code.UNAVAILABLE, *, times: int = 1, delay: float = 0) -> None:
        """The next calls of `operation` raise `code` and do nothing."""
        self._script.append(Fault(operation, Code(code), False, times, delay))

    def lose_answer(self, operation: str, *, times: int = 1, delay: float = 0) -> None:
        """The next calls of `operation` do their work and raise `unknown_outcome`."""
        self._script.append(Fault(operation, Code.UNKNOWN_OUTCOME, True, times, delay))

    def clear(self) -> None:
        self._script.clear()

    async def before(self, operation: str) -> None:
        await self._strike(operation, after=False)

    async def after(self, operation: str) -> None:
        await self._strike(operation, after=True)

    async def _strike(self, operation: str, *, after: bool) -> None:
        for index, fault in enumerate(self._script):
            if fault.after is after and fault.operation in (operation, "*"):
                if fault.times <= 1:
                    del self._script[index]
                else:
                    self._script[index] = replace(fault, times=fault.times - 1)
                if fault.delay:
                    await asyncio.sleep(fault.delay)
                raise BssError(fault.code, f"scripted fault in {operation}")
