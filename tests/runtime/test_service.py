from __future__ import annotations

import asyncio
import os
import signal

import pytest

from bot.runtime.service import Part, PartFailed, run_parts, signals


class Work:
    """A part that notes what happens to it."""

    def __init__(self, name: str, log: list[str], *, deaf: bool = False) -> None:
        self.name, self.log, self.deaf = name, log, deaf
        self.over = asyncio.Event()

    async def run(self) -> None:
        self.log.append(f"{self.name} runs")
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            self.log.append(f"{self.name} cancelled")
            raise

    async def stop(self, grace: float) -> None:
        self.log.append(f"{self.name} stops")
        if self.deaf:
            await asyncio.sleep(3600)
        self.over.set()


async def test_parts_stop_in_order_when_asked() -> None:
    log: list[str] = []
    stopping = asyncio.Event()
    one, two = Work("web", log), Work("turns", log)
    told: list[str] = []
    parts = [Part("web", one.run, one.stop), Part("turns", two.run, two.stop)]
    running = asyncio.create_task(
        run_parts(
            parts, stopping, grace=5, role="serve", on_stop=lambda: log.append("drains"), telemetry=lambda event, **_: told.append(event)
        )
    )
    await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert log == ["web runs", "turns runs", "drains", "web stops", "turns stops"]
    assert told == ["stopped"]


async def test_a_part_that_fails_ends_the_process_and_stops_the_others() -> None:
    log: list[str] = []
    work = Work("web", log)

    async def broken() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("no")

    with pytest.raises(PartFailed, match="turns") as caught:
        await run_parts([Part("web", work.run, work.stop), Part("turns", broken)], asyncio.Event(), grace=5, role="serve")
    assert isinstance(caught.value.__cause__, ValueError)
    assert log[-1] == "web stops"


async def test_a_part_that_does_not_stop_is_cancelled() -> None:
    log: list[str] = []
    stopping = asyncio.Event()
    deaf, plain = Work("deaf", log, deaf=True), Work("plain", log)
    stopping.set()
    await run_parts([Part("deaf", deaf.run, deaf.stop), Part("plain", plain.run)], stopping, grace=0.05, role="serve")
    assert "deaf cancelled" in log
    assert "plain cancelled" in log


async def test_sigterm_asks_to_stop() -> None:
    stopping = asyncio.Event()
    told: list[dict[str, object]] = []
    with signals(stopping, role="serve", telemetry=lambda event, **fields: told.append({"event": event, **fields})):
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await stopping.wait()
    assert told == [{"event": "stopping", "role": "serve", "signal": "SIGTERM"}]
