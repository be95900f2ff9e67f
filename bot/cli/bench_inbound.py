"""`switchboard bench inbound` and `bench recovery`: real server processes under load.

`inbound` sends signed webhooks at a steady rate to one web process that is pinned to one core, each over a connection of its own as
a provider makes them, and measures until the answer. `recovery` kills the worker that has a turn, and measures until another answers.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.testing.doubles.http_client import post
from bot.testing.doubles.twilio import TwilioDouble

from .soak.crash import PROJECT, environment_of, free_port, migrated, own_database, ready
from .soak.outside import Operator, numbers
from .soak.processes import Fleet, Process


def run_inbound(rate: float, seconds: float) -> int:
    """Prints a JSON line a database; a table too when this is a terminal."""
    return asyncio.run(_run_inbound(rate, seconds))


async def _run_inbound(rate: float, seconds: float) -> int:
    console = Console(stderr=True)
    lines = []
    for database in ("postgresql", "sqlite"):
        async with _world(database) as (fleet, carrier, environment, port):
            server = fleet.start("serve", ["serve", str(PROJECT), "--no-worker", "--port", str(port)], environment)
            await ready(f"http://127.0.0.1:{port}")
            _pin(server)
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task(f"{database}: {rate:g} webhooks a second", total=round(rate * seconds))
                await _load(carrier, rate, 2.0, lambda: None)  # warm
                began = _cpu(server)
                took = await _load(carrier, rate, seconds, partial(progress.advance, task))
                used = _cpu(server) - began
            lines.append(_line(database, rate, took, used))
    for line in lines:
        sys.stdout.write(json.dumps(line) + "\n")
    if console.is_terminal:
        _show(lines, console)
    return 0


async def _load(carrier: TwilioDouble, rate: float, seconds: float, each: Any) -> list[tuple[int, float]]:
    """Status and seconds of every webhook; they are sent when they are due, however late the answers are."""
    people, chance = numbers(500), random.Random(7)
    requests = [carrier.inbound(chance.choice(people), f"order article {n}") for n in range(round(rate * seconds))]
    took: list[tuple[int, float]] = []

    async def one(request: Any, due: float) -> None:
        await asyncio.sleep(max(0.0, due - perf_counter()))
        began = perf_counter()
        try:
            status = (await post(request.url, request.body, request.headers, seconds=15)).status
        except (OSError, ValueError):
            status = 0
        took.append((status, perf_counter() - began))
        each()

    start = perf_counter() + 0.1
    await asyncio.gather(*(one(request, start + n / rate) for n, request in enumerate(requests)))
    return took


def _line(database: str, rate: float, took: list[tuple[int, float]], used: float) -> dict[str, Any]:
    times = sorted(seconds * 1000 for status, seconds in took if status == 200)
    cuts = statistics.quantiles(times, n=1000)
    return {
        "bench": "inbound",
        "database": database,
        "rate": rate,
        "webhooks": len(took),
        "answered_200": len(times),
        "p50_ms": round(cuts[499], 2),
        "p99_ms": round(cuts[989], 2),
        "max_ms": round(times[-1], 2),
        "cpu_ms_each": round(used / len(took) * 1000, 2),
        "cores": 1,
    }


def run_recovery(rounds: int) -> int:
    """Prints one JSON line: seconds from `kill -9` of the worker that has a turn to the answer another one gives."""
    return asyncio.run(_run_recovery(rounds))


async def _run_recovery(rounds: int) -> int:
    console = Console(stderr=True)
    took: list[float] = []
    async with _world("postgresql") as (fleet, carrier, environment, port):
        operator = fleet.operator
        fleet.start("serve", ["serve", str(PROJECT), "--port", str(port)], environment)
        for number in range(3):
            fleet.start(f"worker-{number}", ["worker", str(PROJECT)], environment)
        await ready(f"http://127.0.0.1:{port}")
        people = numbers(rounds + 3)
        for person in people[-3:]:  # every worker has been at work before one is killed
            await carrier.text(person, "order article 1")
            await _answered(carrier, person)
        with Progress(console=console, transient=True) as progress:
            for person in progress.track(people[:rounds], description="workers killed with a turn in hand"):
                killed: list[float] = []

                def kill(pid: int, killed: list[float] = killed) -> None:
                    process = fleet.of(pid)
                    if process is not None and not killed and fleet.kill(process):
                        killed.append(perf_counter())

                operator.on_order = kill
                await carrier.text(person, "order article 1")
                await _answered(carrier, person)
                took.append(perf_counter() - killed[0])
                operator.on_order = lambda pid: None
                await asyncio.sleep(3.0)  # the killed one starts again
    line = {"bench": "recovery", "rounds": rounds, "p50_s": round(statistics.median(took), 2), "max_s": round(max(took), 2)}
    sys.stdout.write(json.dumps(line) + "\n")
    return 0


async def _answered(carrier: TwilioDouble, person: str) -> None:
    async with asyncio.timeout(60):
        while not carrier.sent_to(person):  # noqa: ASYNC110 (to look is enough here)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def _world(database: str) -> AsyncIterator[tuple[_Fleet, TwilioDouble, dict[str, str], int]]:
    """A database, an operator and a carrier of our own; the processes started in it end with it."""
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="bench", ignore_cleanup_errors=True)))
        url = (await closing.enter_async_context(own_database(database, folder))).url
        operator = await closing.enter_async_context(Operator())
        port = free_port()
        carrier = await closing.enter_async_context(TwilioDouble(public_base_url=f"http://127.0.0.1:{port}"))
        environment = {**environment_of(url, operator, carrier), "SWITCHBOARD_LOG_LEVEL": "warning"}
        await asyncio.to_thread(migrated, environment)
        fleet = _Fleet(folder, operator)
        closing.push_async_callback(fleet.stop)
        yield fleet, carrier, environment, port


class _Fleet(Fleet):
    """A fleet that knows the operator its actions call."""

    def __init__(self, folder: Path, operator: Operator) -> None:
        super().__init__(folder)
        self.operator = operator


def _pin(process: Process) -> None:
    """To the last core: the load comes from the others."""
    if process.running is not None:
        for thread in os.listdir(f"/proc/{process.running.pid}/task"):
            os.sched_setaffinity(int(thread), {max(os.sched_getaffinity(0))})


def _cpu(process: Process) -> float:
    """Seconds of processor the process has used."""
    assert process.running is not None
    fields = Path(f"/proc/{process.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _show(lines: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="Webhooks until they are answered")
    for column in ("database", "a second", "p50", "p99", "longest", "CPU each"):
        table.add_column(column, justify="left" if column == "database" else "right")
    for line in lines:
        figures = (f"{line[key]:.1f} ms" for key in ("p50_ms", "p99_ms", "max_ms", "cpu_ms_each"))
        table.add_row(line["database"], f"{line['rate']:g}", *figures)
    console.print(table)
