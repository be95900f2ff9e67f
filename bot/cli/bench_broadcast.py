"""`switchboard bench broadcast`: planning a broadcast, replies during the blast, and a stop in the middle of it.

On both databases with a carrier in this process that accepts at once, and on PostgreSQL with Twilio's double over HTTP. Planning runs in a
process of its own, as on the command line. Replies are put into the outbox five times a second, first without a broadcast and then during one
that is planned meanwhile, and timed until the carrier is given them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.channels import (
    Absent,
    Address,
    Capabilities,
    ConversationKey,
    MessageChannel,
    Outbound,
    Payload,
    QuietHours,
    Reconciled,
    SendOutcome,
    Sent,
)
from bot.conversations import Claims, Database, Outbox, Sealer, connect, migrate
from bot.language import load
from bot.runtime.broadcasts import BroadcastOrder, Broadcasts, Wording
from bot.runtime.leadership import Leadership
from bot.runtime.replies import rendered
from bot.runtime.sender import Sender, SendingPolicy
from bot.testing.doubles.twilio import TwilioDouble
from integrations.twilio import TwilioSettings, open_channel

from .soak.crash import PROJECT, own_database

_BUSINESS, _CUSTOMER = Address("tel", "+12025550100"), Address("tel", "+12025550101")
_TEXTS = {
    "en": "Hello {name}. Planned work in your area tomorrow from 9 to 11. Mobile data may be slow. Sorry for the trouble.",
    "ko": "{name}님, 내일 오전 9시부터 11시까지 점검 작업이 있습니다. 불편을 드려 죄송합니다.",
}
_SECONDS = 15.0
_REPLIES_A_SECOND = 5.0
_SETTLING = 2.0


def run_broadcast(recipients: int, rate: float) -> int:
    """Prints a JSON line for each database and carrier; a table too when this is a terminal."""
    return asyncio.run(_run(recipients, rate))


async def _run(recipients: int, rate: float) -> int:
    console, lines = Console(stderr=True), []
    with Progress(console=console, transient=True) as progress:
        for database, carrier in (("postgresql", "in process"), ("sqlite", "in process"), ("postgresql", "twilio double, http")):
            task = progress.add_task(f"{database}, {carrier}", total=None)
            async with _world(database, carrier, rate) as world:
                line = await _measure(world, recipients, rate)
            lines.append({"bench": "broadcast", "database": database, "carrier": carrier, **line})
            progress.remove_task(task)
    for line in lines:
        sys.stdout.write(json.dumps(line) + "\n")
    if console.is_terminal:
        _show(lines, console)
    return 0


@dataclass(slots=True)
class _Timed:
    """A channel that notes when it was given what. Without another behind it, it accepts at once, as one that sends texts by parts."""

    rate: float
    behind: MessageChannel | None = None
    name: str = "bench"
    given: dict[str, float] = field(default_factory=dict)

    def capabilities(self, key: ConversationKey) -> Capabilities:
        can = Capabilities(max_segments=3) if self.behind is None else self.behind.capabilities(key)
        return replace(can, segments_per_second=self.rate)

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        if self.behind is not None:
            return self.behind.render(key, message)
        return (Payload(message.idempotency_key, (("To", key.customer.value), ("Body", message.text))),)

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        self.given[payload.reference] = perf_counter()
        return Sent(payload.reference) if self.behind is None else await self.behind.send(key, payload)

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        return Absent()

    def of_broadcast(self) -> list[float]:
        return [at for reference, at in self.given.items() if reference.startswith("broadcast-")]


@dataclass(frozen=True, slots=True)
class _World:
    folder: Path
    database: Database
    channel: _Timed
    sender: Sender
    in_flight: int
    environment: dict[str, str]


@asynccontextmanager
async def _world(database: str, carrier: str, rate: float) -> AsyncIterator[_World]:
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="bench", ignore_cleanup_errors=True)))
        engine = connect((await closing.enter_async_context(own_database(database, folder))).url)
        closing.push_async_callback(engine.dispose)
        await migrate(engine)
        room, channel, environment = Database(engine), _Timed(rate), dict[str, str]()
        if carrier != "in process":
            twilio = await closing.enter_async_context(TwilioDouble())
            environment = twilio.environment()
            channel.behind = await closing.enter_async_context(open_channel(TwilioSettings.from_env(environment), trust_env=False))
        lease = timedelta(seconds=30)
        policy = SendingPolicy(quiet=QuietHours({}), default_zone=ZoneInfo("UTC"))
        leadership = Leadership(Claims(room, holder="bench", lease=lease), "sender:bench", lease=lease)
        sender = Sender(room, channel, leadership, holder="bench", policy=policy)
        running = [asyncio.create_task(sender.run()), asyncio.create_task(leadership.run())]
        try:
            yield _World(folder, room, channel, sender, policy.in_flight, environment)
        finally:
            await sender.stop(10)
            await leadership.stop()
            await asyncio.gather(*running)


async def _measure(world: _World, recipients: int, rate: float) -> dict[str, Any]:
    room, path = _broadcasts(world.database, world.channel), await asyncio.to_thread(_file, world.folder, recipients)
    alone = await _replies(world, _SECONDS / 3, "alone")
    planned = json.loads(await _plan(world, path, "plan", rate, "tomorrow"))  # so that nothing else is measured with it
    began = perf_counter()
    await room.stop("plan")
    stopping = perf_counter() - began

    blast = asyncio.create_task(_plan(world, path, "blast", rate, "now"))
    while not world.channel.of_broadcast():  # noqa: ASYNC110 (to look is enough here)
        await asyncio.sleep(0.05)
    began = perf_counter()
    during = await _replies(world, _SECONDS, "during")
    speed = sum(at >= began for at in world.channel.of_broadcast()) / (perf_counter() - began)
    await blast
    began = perf_counter()
    taken_back = await room.stop("blast")
    at_stop = perf_counter()
    await asyncio.sleep(_SETTLING)
    return {
        "recipients": recipients,
        **planned,
        "planned_per_s": round(recipients / planned["planned_s"]),
        "taken_back_s": round(stopping, 2),
        "rate_asked": rate,
        "rate_sent": round(speed, 1),
        "reply_alone_p50_ms": _quantile(alone, 50),
        "reply_alone_p99_ms": _quantile(alone, 99),
        "reply_p50_ms": _quantile(during, 50),
        "reply_p99_ms": _quantile(during, 99),
        "stopped_in_the_middle": taken_back > 0,
        "stop_s": round(at_stop - began, 2),
        "sent_after_stop": sum(at > at_stop for at in world.channel.of_broadcast()),
        "at_most": world.in_flight,
    }


async def _plan(world: _World, path: Path, name: str, rate: float, when: str) -> str:
    """Plans in another process; what it measured, as JSON."""
    url = world.database.engine.url.render_as_string(hide_password=False)
    program = "import sys; from bot.cli.bench_broadcast import plan; plan(*sys.argv[1:])"
    arguments = (url, str(path), name, str(rate), when, json.dumps(world.environment))
    planner = await asyncio.create_subprocess_exec(sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.PIPE)
    told, _ = await planner.communicate()
    if planner.returncode:
        raise RuntimeError(f"the planning process ended with {planner.returncode}")
    return told.decode()


def plan(url: str, path: str, name: str, rate: str, when: str, environment: str) -> None:
    """The planning process."""
    asyncio.run(_plan_here(url, Path(path), name, float(rate), when, json.loads(environment)))


async def _plan_here(url: str, path: Path, name: str, rate: float, when: str, environment: dict[str, str]) -> None:
    engine = connect(url)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        database, channel = Database(engine), _Timed(rate)
        if environment:
            channel.behind = await closing.enter_async_context(open_channel(TwilioSettings.from_env(environment), trust_env=False))
        start = database.now() + timedelta(days=1) if when == "tomorrow" else None
        order = BroadcastOrder(id=name, channel=channel.name, business=_BUSINESS, wording=Wording(texts=_TEXTS), rate=rate, start_at=start)
        room = _broadcasts(database, channel)
        memory, began, began_cpu = _memory(), perf_counter(), process_time()
        await room.start(order, path)
        took, used = perf_counter() - began, process_time() - began_cpu
    line = {"planned_s": round(took, 2), "planned_cpu_s": round(used, 2), "planning_memory_mb": round(_memory() - memory, 1)}
    sys.stdout.write(json.dumps(line))


def _broadcasts(database: Database, channel: MessageChannel) -> Broadcasts:
    return Broadcasts(
        database,
        sealer=Sealer(),
        channels={channel.name: channel},
        project=load(PROJECT).project,
        quiet_hours=QuietHours({}),
        default_zone=ZoneInfo("UTC"),
    )


async def _replies(world: _World, seconds: float, name: str) -> list[float]:
    """Milliseconds from the transaction that writes a reply to the carrier, each in a conversation of its own."""
    outbox, key, put = Outbox(world.database), ConversationKey(world.channel.name, _BUSINESS, _CUSTOMER), {}
    loop_end = perf_counter() + seconds
    number = 0
    while perf_counter() < loop_end:
        reference, number = f"{name}:{number}", number + 1
        rows = rendered(world.channel, key, Outbound(reference, "Thank you, it is done."))
        async with world.database.write() as tx:
            await outbox.put(tx, [replace(row, conversation=reference) for row in rows])
        put[reference] = perf_counter()
        world.sender.nudge()
        await asyncio.sleep(1 / _REPLIES_A_SECOND)
    async with asyncio.timeout(60):
        while not all(reference in world.channel.given for reference in put):  # noqa: ASYNC110 (to look is enough here)
            await asyncio.sleep(0.01)
    return sorted((world.channel.given[reference] - at) * 1000 for reference, at in put.items())


def _quantile(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def _file(folder: Path, recipients: int) -> Path:
    """Numbers nobody can have: in Korea none goes on with 0 after 010."""
    path = folder / "customers.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("number,language,name\n")
        for n in range(recipients):
            file.write(f"+8210{n:08d},{'ko' if n % 3 else 'en'},Customer {n}\n")
    return path


def _memory() -> float:
    """The most this process has ever had, in megabytes. (Not by `getrusage`, which goes on counting from the parent.)"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _show(lines: list[dict[str, Any]], console: Console) -> None:
    table = Table(title=f"A broadcast to {lines[0]['recipients']:,}")
    for column in ("database", "carrier", "planned in", "sent/s", "reply alone p50/p99", "reply during p50/p99", "after stop"):
        table.add_column(column)
    for line in lines:
        table.add_row(
            line["database"],
            line["carrier"],
            f"{line['planned_s']:.1f} s",
            f"{line['rate_sent']:g} of {line['rate_asked']:g}",
            f"{line['reply_alone_p50_ms']:.0f} / {line['reply_alone_p99_ms']:.0f} ms",
            f"{line['reply_p50_ms']:.0f} / {line['reply_p99_ms']:.0f} ms",
            f"{line['sent_after_stop']} (at most {line['at_most']})",
        )
    console.print(table)
