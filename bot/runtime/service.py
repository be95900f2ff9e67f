"""Running the parts of a process together: all begin, one signal stops them in order, and a part that fails stops the process.

Whoever supervises the process (systemd, a container's engine) starts it again; nothing depends on a part being repaired in place.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from .telemetry import Telemetry, silence


@dataclass(frozen=True, slots=True)
class Part:
    """Something that runs until it is stopped. `stop` is given the seconds it may take to finish what is under way; None: cancel it."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]
    stop: Callable[[float], Awaitable[None]] | None = None


class PartFailed(Exception):
    """A part ended that should not have. The cause is attached; the process must end too."""


async def run_parts(
    parts: Sequence[Part],
    stopping: asyncio.Event,
    *,
    grace: float,
    role: str,
    on_stop: Callable[[], None] = lambda: None,
    telemetry: Telemetry = silence,
) -> None:
    """Runs all parts until `stopping` is set, then stops them in the order given, within `grace` seconds in all.

    `on_stop` is called first: from then on no balancer should send us anything. Raises PartFailed when a part ended by itself.
    """
    tasks = {asyncio.create_task(part.run(), name=part.name): part for part in parts}
    stop = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
        failed = next((task for task in done if task in tasks), None)
        began = monotonic()
        on_stop()
        for task, part in tasks.items():
            if not task.done():
                await _stop(task, part, max(0.0, grace - (monotonic() - began)))
        telemetry("stopped", seconds=monotonic() - began, role=role)
        if failed is not None:
            raise PartFailed(f"{failed.get_name()} ended by itself") from failed.exception()
    finally:
        stop.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, stop, return_exceptions=True)


async def _stop(task: asyncio.Task[None], part: Part, seconds: float) -> None:
    if part.stop is None:
        task.cancel()
        await asyncio.wait({task})
        return
    try:
        async with asyncio.timeout(seconds + 1.0):
            await part.stop(seconds)
            await asyncio.wait({task})
    except TimeoutError:
        task.cancel()  # what it was doing is stored as not done, and somebody else will do it


@contextmanager
def signals(stopping: asyncio.Event, *, role: str, telemetry: Telemetry = silence) -> Iterator[None]:
    """SIGTERM and SIGINT set `stopping`; the second one ends the process at once, which loses nothing."""
    loop = asyncio.get_running_loop()

    def heard(number: signal.Signals) -> None:
        if stopping.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        telemetry("stopping", role=role, signal=number.name)
        stopping.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
