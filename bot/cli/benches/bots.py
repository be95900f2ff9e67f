"""The two bots of the bench: ours with everything a worker does, and a bare one, written by hand, with the official saver."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any, Protocol, TypedDict

from .scene import LINES, CheckFunds, commands, project

_BUSINESS, _CUSTOMER = "tel:+12025550100", "tel:+12025550101"


class Player(Protocol):
    """A bot that plays the scene. `statements` counts those sent to the database so far, without BEGIN and COMMIT."""

    @property
    def statements(self) -> int: ...

    @property
    def worker_cpu(self) -> float:
        """Seconds of CPU so far between taking a turn and its commit; 0 for a bot that has no such thing."""
        ...

    async def turn(self, conversation: str, text: str) -> None:
        """One turn, with everything stored when it returns."""
        ...


def _counting(counted: Counter[str]) -> Any:
    """A cursor of the driver that counts statements, below whatever a bot talks to its database through."""
    from psycopg import AsyncCursor

    class Counting(AsyncCursor[Any]):
        async def execute(self, *args: Any, **options: Any) -> Any:
            counted["statements"] += 1
            return await super().execute(*args, **options)

        async def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            rows = list(params_seq)
            counted["statements"] += len(rows)
            await super().executemany(query, rows, **options)

    return Counting


async def play(player: Player, conversation: str) -> int:
    """One conversation. Returns its number of turns."""
    for text in LINES:
        await player.turn(conversation, text)
    return len(LINES)


@dataclass
class Ours:
    """The whole durable turn: an inbox row in its own transaction, then what a worker does: take, dialogue, commit with outbox rows."""

    database: Any
    inbox: Any
    worker: Callable[[str], Awaitable[timedelta | None]]
    counted: Counter[str]
    received: int = 0
    worker_cpu: float = 0.0

    @property
    def statements(self) -> int:
        return self.counted["statements"]

    async def turn(self, conversation: str, text: str) -> None:
        from bot.conversations import Addresses, Incoming

        self.received += 1
        event = Incoming(f"{conversation}/{self.received}", conversation, {"text": text}, Addresses("twilio", _BUSINESS, _CUSTOMER))
        async with self.database.write() as tx:
            await self.inbox.receive(tx, event)
        began = process_time()
        ended = await self.worker(conversation)
        self.worker_cpu += process_time() - began  # means something only while one conversation is played at a time
        if ended is not None:
            raise RuntimeError(f"the turn on {text!r} did not end with its first attempt: what was measured is not a turn")


@asynccontextmanager
async def ours(folder: Path, url: str, *, connections: int = 16) -> AsyncIterator[Ours]:
    """Our bot, its replies rendered for SMS. Raises RuntimeError when a message was not answered."""
    from sqlalchemy import text

    from bot.app import Bot
    from bot.conversations import Claims, Database, Inbox, SqlConversations, connect, migrate
    from bot.dialogue.conversation import Inbound, Outcome
    from bot.runtime.bursts import Bursts
    from bot.runtime.change import Composer
    from bot.runtime.turns import TurnWorker
    from integrations.twilio import TwilioSettings, open_channel

    counted: Counter[str] = Counter()
    engine = connect(url, pool_size=connections, max_overflow=0, connect_args={"cursor_factory": _counting(counted)})
    await migrate(engine)
    database, understood = Database(engine), commands()
    store = SqlConversations(database, now=database.now)
    settings = TwilioSettings("AC" + "0" * 32, ("0" * 32,), "https://bench.example.com")
    lease = timedelta(seconds=30)
    async with Bot.open(project(folder), actions=CheckFunds(), store=store) as bot, open_channel(settings) as channel:

        async def answer(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
            return await bot.answer(conversation, stored, replace(inbound, commands=understood[inbound.text]))

        composer = Composer(bot.project, {channel.name: channel})
        claims = Claims(database, holder="bench", lease=lease)
        worker = TurnWorker(database, answer, composer, claims=claims, lease=lease, bursts=Bursts(timedelta(0)))
        player = Ours(database, Inbox(database), worker, counted)
        yield player
        async with database.read() as connection:
            said = "conversation IN (SELECT conversation FROM claim)"  # not the rows that growth was measured with
            unanswered = text(f"SELECT (SELECT count(*) FROM inbox WHERE status <> 'done'), (SELECT count(*) FROM outbox WHERE {said})")
            left, replies = (await connection.execute(unanswered)).one()
    await engine.dispose()
    if left or replies < player.received:
        raise RuntimeError(f"{left} messages were not taken in, and {replies} replies were stored for {player.received}")


class _State(TypedDict, total=False):
    step: str
    slots: dict[str, Any]
    text: str
    out: list[str]


def _understand(state: dict[str, Any]) -> dict[str, Any]:
    return {"step": {"ask_amount": "amount", "ask_confirm": "confirm"}.get(state.get("step", ""), "start")}


def _fill(state: dict[str, Any]) -> dict[str, Any]:
    slots = dict(state.get("slots") or {})
    slots[{"start": "recipient", "amount": "amount", "confirm": "confirm"}[state["step"]]] = state["text"]
    return {"slots": slots}


def _decide(state: dict[str, Any]) -> dict[str, Any]:
    return {"step": {"start": "ask_amount", "amount": "ask_confirm", "confirm": "done"}[state["step"]]}


def _reply(state: dict[str, Any]) -> dict[str, Any]:
    return {"out": [{"ask_amount": "How much?", "ask_confirm": "Sure?", "done": "Sent."}[state["step"]]]}


def _awaited(node: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
    async def run(state: dict[str, Any]) -> dict[str, Any]:
        return node(state)

    return run


@dataclass
class Bare:
    """Four nodes, position as data. No inbox, no outbox, no transcript, no ledger, no claim, no flows, no repair."""

    graph: Any
    counted: Counter[str]
    worker_cpu: float = 0.0

    @property
    def statements(self) -> int:
        return self.counted["statements"]

    async def turn(self, conversation: str, text: str) -> None:
        await self.graph.ainvoke({"text": text}, {"configurable": {"thread_id": conversation}}, durability="exit")


@asynccontextmanager
async def bare(url: str, *, nodes: str, connections: int = 16) -> AsyncIterator[Bare]:
    """The floor. `nodes` are "async" (run on the loop) or "sync" (LangGraph gives each a thread); one saver, as its documentation has it."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.graph import END, START, StateGraph
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    counted: Counter[str] = Counter()
    graph: Any = StateGraph(_State)
    steps = {"understand": _understand, "fill": _fill, "decide": _decide, "reply": _reply}
    for name, node in steps.items():
        graph.add_node(name, _awaited(node) if nodes == "async" else node)
    for one, two in zip((START, *steps), (*steps, END), strict=True):
        graph.add_edge(one, two)
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, "cursor_factory": _counting(counted)}
    async with AsyncConnectionPool(url, min_size=4, max_size=connections, kwargs=options, open=False) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield Bare(graph.compile(checkpointer=saver), counted)
