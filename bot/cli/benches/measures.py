"""How a bench measures: bots interleaved in one process, minima compared, because neighbours only ever add."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from .bots import Player, ours, play
from .scene import LINES, CheckFunds, commands, project

Line = dict[str, Any]
"""One line of a report."""


@dataclass
class Cost:
    """Seconds of this process and of the clock, from entering `measured` to leaving it."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    cost, began, began_cpu = Cost(), perf_counter(), process_time()
    yield cost
    cost.cpu, cost.wall = process_time() - began_cpu, perf_counter() - began


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


async def side_by_side(bots: Mapping[str, Player], rounds: int, conversations: int) -> list[Line]:
    """A turn of each bot: CPU of this process, time, and statements. The first bot is compared with the others."""
    cpu: dict[str, list[float]] = {name: [] for name in bots}
    wall: dict[str, list[float]] = {name: [] for name in bots}
    worker: dict[str, list[float]] = {name: [] for name in bots}
    statements: dict[str, float] = {}
    for name, bot in bots.items():
        for number in range(5):
            await play(bot, f"warm-{name}-{number}")
    for number in range(rounds):
        for name, bot in bots.items():
            before, before_cpu, played = bot.statements, bot.worker_cpu, 0
            with measured() as cost:
                for conversation in range(conversations):
                    played += await play(bot, f"{name}-{number}-{conversation}")
            cpu[name].append(cost.cpu / played)
            wall[name].append(cost.wall / played)
            worker[name].append((bot.worker_cpu - before_cpu) / played)
            statements[name] = (bot.statements - before) / played
    lines: list[Line] = [
        {
            "bench": "turn",
            "bot": name,
            "cpu_ms": _ms(min(cpu[name])),
            "wall_ms": _ms(min(wall[name])),
            **({"cpu_ms_from_take_to_commit": _ms(min(worker[name]))} if any(worker[name]) else {}),
            "cpu_ms_median": _ms(sorted(cpu[name])[rounds // 2]),
            "statements": round(statements[name], 2),
            "rounds": rounds,
            "turns_a_round": conversations * len(LINES),
        }
        for name in bots
    ]
    first, *others = bots
    for other in others:
        ratios = {
            "cpu_ms": min(cpu[first]) / min(cpu[other]),
            "cpu_ms_from_take_to_commit": min(worker[first]) / min(cpu[other]),
            "wall_ms": min(wall[first]) / min(wall[other]),
        }
        rounded = {key: round(ratio, 2) for key, ratio in ratios.items()}
        lines.append({"bench": "turn", "compared_with": other, "ratio_of_minima": rounded})
    return lines


async def throughput(bots: Mapping[str, Player], turns: int) -> list[Line]:
    """Turns a second with 1, 8 and 64 conversations at once, in this one process."""
    lines: list[Line] = []
    for at_once in (1, 8, 64):
        for name, bot in bots.items():

            async def all_at_once(kind: str, scenes: int, name: str = name, bot: Player = bot, at_once: int = at_once) -> int:
                async def one(customer: int) -> int:
                    return sum([await play(bot, f"{name}-{kind}-{at_once}-{customer}-{scene}") for scene in range(scenes)])

                return sum(await asyncio.gather(*(one(customer) for customer in range(at_once))))

            await all_at_once("warm", 1)  # opens the connections
            with measured() as cost:
                played = await all_at_once("timed", max(1, turns // len(LINES) // at_once))
            rate = round(played / cost.wall)
            lines.append(
                {
                    "bench": "turn",
                    "at_once": at_once,
                    "bot": name,
                    "turns_per_second": rate,
                    "cpu_ms": _ms(cost.cpu / played),
                    "turns": played,
                }
            )
    return lines


async def growth_in_length(bot: Player) -> list[Line]:
    """One conversation of 1,000 turns: what the first and the last turns cost."""
    texts, lines = list(LINES), []
    for number in range(10):
        with measured() as cost:
            for turn in range(100):
                await bot.turn("long", texts[turn % len(texts)])
        if number in (0, 4, 9):
            wall = _ms(cost.wall / 100)
            lines.append({"bench": "turn", "growth": "length", "turns": (number + 1) * 100, "cpu_ms": _ms(cost.cpu / 100), "wall_ms": wall})
    return lines


_TURNS_STORED = 4
_FILL = (
    """INSERT INTO conversation (id, version, state, last_seq, updated_at, owner, channel, business, customer)
    SELECT 'stored' || n, CAST(:turns AS integer), CAST(:state AS json), 8 * CAST(:turns AS integer), now(), 'bot', 'twilio', 'tel:+12025550100', 'tel:+12025550101'
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n""",
    """INSERT INTO event (conversation, seq, at, body)
    SELECT 'stored' || n, seq, now(), CAST(:body AS json) FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n, generate_series(1, 8 * CAST(:turns AS integer)) AS seq""",
    """INSERT INTO inbox (event_id, conversation, kind, payload, channel, business, customer, status, attempts, cause, received_at)
    SELECT 'stored' || n || '/' || turn, 'stored' || n, 'message', '{"text": "50"}', 'twilio', 'tel:+12025550100', 'tel:+12025550101',
        'done', 0, '', now() FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n, generate_series(1, CAST(:turns AS integer)) AS turn""",
    """INSERT INTO outbox (key, conversation, purpose, priority, payload, channel, business, customer, status, created_at, not_before,
        due, attempts, holder, provider_id, cause)
    SELECT 'stored' || n || '/' || turn || '/0', 'stored' || n, 'reply', 0, CAST(:body AS json), 'twilio', 'tel:+12025550100',
        'tel:+12025550101', 'sent', now(), now(), now(), 1, '', 'SM' || n || '-' || turn, ''
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n, generate_series(1, CAST(:turns AS integer)) AS turn""",
)


async def growth_in_conversations(folder: Path, url: str, rounds: int) -> list[Line]:
    """New conversations, and ones that were stored before, beside 1, 1,000 and 100,000 others of four turns each."""
    from sqlalchemy import text

    from bot.conversations.document import encode

    lines: list[Line] = []
    async with ours(folder, url) as bot:
        await play(bot, "example")
        async with bot.database.read() as connection:
            state = await connection.scalar(text("SELECT state FROM conversation WHERE id = 'example'"))
        body: Line = {
            "event": "bot",
            "text": "Send 50 to Joe?",
            "response": "utter_ask_confirm",
            "buttons": [],
            "image": "",
            "attachment": None,
        }
        stored = 0
        for wanted in (1, 1_000, 100_000):
            values = {"turns": _TURNS_STORED, "first": stored + 1, "last": wanted, "state": encode(state), "body": encode(body)}
            with measured() as filling:
                async with bot.database.engine.begin() as connection:
                    await connection.execute(text("SET LOCAL statement_timeout = 0"))
                    for statement in _FILL:
                        await connection.execute(text(statement), values)
                async with bot.database.read() as connection:
                    await connection.execute(text("ANALYZE"))
            known, stored, costs = range(1, wanted + 1, max(1, wanted // 10)), wanted, []
            for number in range(max(2, rounds)):
                with measured() as cost:
                    played = sum([await play(bot, f"beside-{wanted}-{number}-{n}") for n in range(10)])
                    played += sum([await play(bot, f"stored{n}") for n in known])
                costs.append((cost.cpu / played, cost.wall / played))
            cheapest = {"cpu_ms": _ms(min(cpu for cpu, _ in costs)), "wall_ms": _ms(min(wall for _, wall in costs))}
            lines.append({"bench": "turn", "growth": "stored", "conversations": wanted, **cheapest, "filled_in_s": round(filling.wall, 1)})
    return lines


async def growth_in_flows(folder: Path) -> list[Line]:
    """The same conversation in projects of 10, 100 and 1,000 more flows, in memory; and what opening them costs."""
    from bot.app import Bot

    lines: list[Line] = []
    understood = list(commands().values())
    for flows in (10, 100, 1000):
        with measured() as opening:
            opened = Bot.open(project(folder, flows), actions=CheckFunds())
            bot = await opened.__aenter__()
        best = float("inf")
        for number in range(8):
            with measured() as cost:
                for conversation in range(5):
                    for line in understood:
                        await bot.turn(f"{number}-{conversation}", "words", commands=line)
            best = min(best, cost.cpu / (5 * len(understood)))
        await opened.__aexit__(None, None, None)
        lines.append({"bench": "turn", "growth": "flows", "flows": flows, "cpu_ms": _ms(best), "open_s": round(opening.wall, 2)})
    return lines
