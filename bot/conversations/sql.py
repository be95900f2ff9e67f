"""Conversations and effects in SQL. One select to load, one update and one insert to save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .database import WRITE, UtcDateTime, conversation_table, create_tables, effect_table, event_table, flow_version_table, handoff_table
from .document import encode
from .effects import Effect, EffectMismatch, EffectNotStarted
from .store import HANDOFF, HANDOFF_ENDED, ConflictError, Stored, Waiting

_REASON_LENGTH = 500


_APPEND = {
    name: text(f"INSERT INTO event (conversation, seq, at, body) SELECT :conversation, {rows}").bindparams(
        bindparam("at", type_=UtcDateTime)
    )
    for name, rows in (
        ("postgresql", ":before + ordinality, :at, value FROM json_array_elements(CAST(:bodies AS json)) WITH ORDINALITY"),
        ("sqlite", ":before + key + 1, :at, value FROM json_each(:bodies)"),
    )
}
"""All events of a turn in one statement with one value: a third of the cost of a statement each."""


class _Database:
    """Two views of an engine: `reader` runs single statements without a transaction, `writer` takes the write lock first."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.writer = engine.execution_options(**{WRITE: True})
        # `INSERT ... ON CONFLICT` is spelled alike on both, but built by each dialect's own function.
        self.insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert


class SqlConversations:
    """Conversations on SQLite or PostgreSQL, and the archive of the flow versions they run on (`FlowArchive`).

    `engine` comes from `connect`; `now` gives the time with its zone.
    """

    def __init__(self, engine: AsyncEngine, *, now: Callable[[], datetime]) -> None:
        self._database = _Database(engine)
        self._append = _APPEND[engine.dialect.name]
        self._now = now

    async def create(self) -> None:
        """Makes the tables that are not there yet."""
        await create_tables(self._database.engine, conversation_table, event_table, handoff_table, flow_version_table)

    async def load(self, conversation: str) -> Stored | None:
        table = conversation_table.c
        async with self._database.reader.connect() as connection:
            row = (await connection.execute(select(table.state, table.version).where(table.id == conversation))).one_or_none()
        return None if row is None else Stored(row.state, row.version)

    async def save(self, conversation: str, state: Mapping[str, Any], expected: int, events: Sequence[Mapping[str, Any]] = ()) -> int:
        """See the port. The version check is the fence: of two savers, the second finds no row to update."""
        now = self._now()
        values = {"version": expected + 1, "state": dict(state), "updated_at": now}
        if expected == 0:
            first = self._database.insert(conversation_table).values(id=conversation, last_seq=len(events), **values)
            statement: Any = first.on_conflict_do_nothing().returning(conversation_table.c.last_seq)
        else:
            statement = (
                update(conversation_table)
                .where(conversation_table.c.id == conversation, conversation_table.c.version == expected)
                .values(last_seq=conversation_table.c.last_seq + len(events), **values)
                .returning(conversation_table.c.last_seq)
            )
        async with self._database.writer.begin() as connection:
            last = (await connection.execute(statement)).scalar_one_or_none()
            if last is None:
                raise ConflictError(conversation, expected)
            if events:
                bodies = encode([dict(event) for event in events])
                rows = {"conversation": conversation, "before": last - len(events), "at": now, "bodies": bodies}
                await connection.execute(self._append, rows)
                await self._queue(connection, conversation, events, now)
        return expected + 1

    async def _queue(self, connection: AsyncConnection, conversation: str, events: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """Keeps the queue for people in step with the transcript."""
        queue = handoff_table.c
        for event in events:
            if event.get("event") in (HANDOFF, HANDOFF_ENDED):
                ended = update(handoff_table).where(queue.conversation == conversation, queue.status == "waiting").values(status="ended")
                await connection.execute(ended)
            if event.get("event") == HANDOFF:
                row = {
                    "conversation": conversation,
                    "requested_at": now,
                    "status": "waiting",
                    "skill": event["skill"],
                    "priority": event["priority"],
                    "body": dict(event),
                }
                await connection.execute(insert(handoff_table), [row])

    async def waiting(self) -> list[Waiting]:
        queue = handoff_table.c
        query = (
            select(queue.conversation, queue.requested_at, queue.skill, queue.priority, queue.body)
            .where(queue.status == "waiting")
            .order_by(queue.priority, queue.requested_at, queue.id)
        )
        async with self._database.reader.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Waiting(r.conversation, r.requested_at.isoformat(timespec="seconds"), r.skill, r.priority, r.body) for r in rows]

    async def events(self, conversation: str, last: int) -> list[dict[str, Any]]:
        if last <= 0:
            return []
        table = event_table.c
        query = select(table.body).where(table.conversation == conversation).order_by(table.seq.desc()).limit(last)
        async with self._database.reader.connect() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return list(reversed(bodies))

    async def keep(self, flow: str, version: str, body: Mapping[str, Any]) -> None:
        """See FlowArchive. A version that is kept already stays as it is."""
        row = {"flow": flow, "version": version, "body": dict(body), "kept_at": self._now()}
        async with self._database.writer.begin() as connection:
            await connection.execute(self._database.insert(flow_version_table).values(row).on_conflict_do_nothing())

    async def find(self, flow: str, version: str) -> Mapping[str, Any] | None:
        table = flow_version_table.c
        query = select(table.body).where(table.flow == flow, table.version == version)
        async with self._database.reader.connect() as connection:
            body: Mapping[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
        return body


class SqlEffects:
    """The ledger on SQLite or PostgreSQL. Every method commits before it returns."""

    def __init__(self, engine: AsyncEngine, *, now: Callable[[], datetime]) -> None:
        self._database = _Database(engine)
        self._now = now

    async def create(self) -> None:
        """Makes the table if it is not there yet."""
        await create_tables(self._database.engine, effect_table)

    async def begin(self, key: str, action: str, request_hash: str) -> Effect:
        table = effect_table.c
        now = self._now()
        entry = {
            "key": key,
            "action": action,
            "request_hash": request_hash,
            "status": "started",
            "reason": "",
            "attempts": 1,
            "started_at": now,
        }
        async with self._database.writer.begin() as connection:
            entered = await connection.execute(
                self._database.insert(effect_table).values(entry).on_conflict_do_nothing().returning(table.key)
            )
            if entered.one_or_none() is not None:
                return Effect("new")
            known = (await connection.execute(select(effect_table).where(table.key == key).with_for_update())).one()
            if (known.action, known.request_hash) != (action, request_hash):
                raise EffectMismatch(key, action)
            if known.status == "done":
                return Effect("done", known.result)
            if known.status == "started":
                return Effect("started")
            again = {"status": "started", "reason": "", "attempts": known.attempts + 1, "started_at": now, "finished_at": None}
            await connection.execute(update(effect_table).where(table.key == key).values(again))
            return Effect("new")

    async def done(self, key: str, result: Any) -> None:
        await self._finish(key, status="done", result=result)

    async def failed(self, key: str, reason: str) -> None:
        await self._finish(key, status="failed", reason=reason[:_REASON_LENGTH])

    async def _finish(self, key: str, **values: Any) -> None:
        table = effect_table.c
        statement = (
            update(effect_table)
            .where(table.key == key, table.status == "started")
            .values(finished_at=self._now(), **values)
            .returning(table.key)
        )
        async with self._database.writer.begin() as connection:
            if (await connection.execute(statement)).one_or_none() is None:
                raise EffectNotStarted(key)
