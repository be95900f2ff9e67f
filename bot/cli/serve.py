"""`switchboard serve` and `switchboard worker`: a process's life, from its settings to its drain."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from bot.settings import Settings

from .projects import find_project

if TYPE_CHECKING:
    from bot.deployment import Deployment
    from bot.runtime.health import Health
    from bot.runtime.logs import Log
    from bot.runtime.observing import Observer
    from bot.runtime.service import Part


def run_serve(
    project: Path | None, host: str | None, port: int | None, database: str | None, concurrency: int | None, workers: bool | None
) -> int:
    """Serves until SIGTERM or Ctrl-C."""
    settings = Settings.read(host=host, port=port, database_url=database, concurrency=concurrency)
    takes_turns = not settings.is_postgres if workers is None else workers
    return _run(_Process("serve", settings, find_project(project), serves=True, takes_turns=takes_turns))


def run_worker(project: Path | None, database: str | None, concurrency: int | None, host: str | None, port: int | None) -> int:
    """Works until SIGTERM or Ctrl-C."""
    from bot.deployment import DeploymentError

    settings = Settings.read(host=host, port=port, database_url=database, concurrency=concurrency)
    if not settings.is_postgres:
        advice = "with SQLite `switchboard serve` does it all"
        raise DeploymentError(f"workers need PostgreSQL (SWITCHBOARD_DATABASE_URL=postgresql://...); {advice}")
    return _run(_Process("worker", settings, find_project(project), serves=port is not None, takes_turns=True))


@dataclass(frozen=True, slots=True)
class _Process:
    """`serves`: it has a web server, with the webhooks if its role is serve."""

    role: str
    settings: Settings
    project: Path
    serves: bool
    takes_turns: bool


def _run(process: _Process) -> int:
    from bot.deployment import only_process
    from bot.runtime.logs import Log

    began = perf_counter()
    settings = process.settings
    log = Log(level=settings.log_level, colours={"json": False, "text": True}.get(settings.log_format))
    with log.standard(), only_process(settings), asyncio.Runner(loop_factory=_fast_loop()) as runner:
        return runner.run(_live(process, log, began))


def _fast_loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _live(process: _Process, log: Log, began: float) -> int:
    from bot.deployment import open_deployment
    from bot.runtime.gauges import Gauges
    from bot.runtime.health import Health
    from bot.runtime.observing import Observer
    from bot.runtime.service import PartFailed, run_parts, signals

    settings, role, stopping = process.settings, process.role, asyncio.Event()
    async with open_deployment(settings, process.project, takes_turns=process.takes_turns) as deployment:
        gauges = Gauges(deployment.database)
        observer = Observer(log, gauges)
        health = Health(deployment.database, gauges)
        with signals(stopping, role=role, telemetry=observer):
            async with _parts(process, deployment, observer, health) as (parts, url):
                observer("started", seconds=perf_counter() - began, role=role)
                _greet(process, deployment, url)
                warming = asyncio.create_task(deployment.bot.warm_up()) if deployment.bot is not None else None
                try:
                    await run_parts(parts, stopping, grace=settings.grace_seconds, role=role, on_stop=health.drain, telemetry=observer)
                except PartFailed as failed:
                    log.write("error", "part_failed", failed)
                    return 1
                finally:
                    if warming is not None:
                        warming.cancel()
    return 0


@asynccontextmanager
async def _parts(process: _Process, deployment: Deployment, observer: Observer, health: Health) -> AsyncIterator[tuple[list[Part], str]]:
    """The parts of this process in the order in which they stop: what lets work in, what does it, what sends its results."""
    from bot.runtime.assembly import assemble
    from bot.runtime.server import serve
    from bot.runtime.service import Part
    from bot.runtime.web import Webhook, application

    runtime = await assemble(deployment, observer, takes_turns=process.takes_turns)
    parts = list(runtime.parts)
    if not process.serves:
        yield parts, ""
        return
    webhooks = [Webhook(path, channel) for path, channel in deployment.webhooks.items()] if process.role == "serve" else []
    app = application(webhooks, runtime.reception, health, observer)
    server = await serve(app, process.settings.host, process.settings.port)
    try:
        yield [Part("web", server.wait, server.stop), *parts], server.url
    finally:
        await server.stop(0)


def _greet(process: _Process, deployment: Deployment, url: str) -> None:
    """Where things are, for whoever started this by hand; nothing when nobody looks."""
    if not sys.stderr.isatty():
        return
    console = Console(stderr=True, highlight=False)
    if process.role == "serve":
        console.print(
            Text.assemble(
                ("Switchboard serves ", ""), (str(deployment.project.settings.get("name") or "the bot"), "bold"), (f" on {url}", "")
            )
        )
        for path, channel in deployment.webhooks.items():
            console.print(f"  {channel.name}: POST {path}", style="dim")
        if not process.takes_turns:
            console.print("  turns are taken by `switchboard worker`: start at least one", style="yellow")
        if deployment.simulated:
            console.print("  no provider is configured: text it with `switchboard phone` in another terminal", style="green")
    console.print("  Ctrl-C ends it", style="dim")
