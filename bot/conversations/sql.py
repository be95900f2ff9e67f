"""Conversations and effects in SQL. One select to load, one update and one insert to save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from .database import Database
from .effects import Effect, EffectMismatch, EffectNotStarted
from .encryption import Sealer
from .store import ConflictError, Stored, Waiting
from .tables import conversation_table, effect_table, event_table, flow_version_table, handoff_table
from .transcript import append, owner_after

_REASON_LENGTH = 500


def _database(given: AsyncEngine | Database) -> Database:
    return given if isinstance(given, Database) else Database(given)


class SqlConversations:
    """Conversations on SQLite or PostgreSQL, and the archive of the flow versions they run on (`FlowArchive`).

    `engine` comes from `connect` (or is the `Database` made of it, to share its queue of writers); `now` gives the time with its zone.
    With a `sealer` that has keys, states, events and hand-overs are encrypted.
    """

    def __init__(self, engine: AsyncEngine | Database, *, now: Callable[[], datetime], sealer: Sealer | None = None) -> None:
        self._database = _database(engine)
        self._sealer = sealer or Sealer()
        self._now = now

    async def create(self) -> None:
        """Brings the database up to date: the embedded default migrates itself. See `migrations.migrate`."""
        from .migrations import migrate

        await migrate(self._database.engine)

    async def load(self, conversation: str) -> Stored | None:
        table = conversation_table.c
        async with self._database.read() as connection:
            row = (await connection.execute(select(table.state, table.version).where(table.id == conversation))).one_or_none()
        return None if row is None else Stored(self._sealer.open(row.state, "conversation", conversation), row.version)

    async def save(self, conversation: str, state: Mapping[str, Any], expected: int, events: Sequence[Mapping[str, Any]] = ()) -> int:
        """See the port. The version check is the fence: of two savers, the second finds no row to update."""
        now = self._now()
        document = self._sealer.seal(dict(state), "conversation", conversation)
        values: dict[str, Any] = {"version": expected + 1, "state": document, "updated_at": now}
        if owner := owner_after(events):
            values["owner"] = owner
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
        async with self._database.write() as tx:
            last = (await tx.execute(statement)).scalar_one_or_none()
            if last is None:
                raise ConflictError(conversation, expected)
            await append(tx, conversation, last - len(events), events, now, self._sealer)
        return expected + 1

    async def waiting(self) -> list[Waiting]:
        queue = handoff_table.c
        query = (
            select(queue.conversation, queue.requested_at, queue.skill, queue.priority, queue.body)
            .where(queue.status == "waiting")
            .order_by(queue.priority, queue.requested_at, queue.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        opened = ((r, self._sealer.open(r.body, "handoff", r.conversation)) for r in rows)
        return [Waiting(r.conversation, r.requested_at.isoformat(timespec="seconds"), r.skill, r.priority, body) for r, body in opened]

    async def events(self, conversation: str, last: int) -> list[dict[str, Any]]:
        if last <= 0:
            return []
        table = event_table.c
        query = select(table.seq, table.body).where(table.conversation == conversation).order_by(table.seq.desc()).limit(last)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [self._sealer.open(row.body, "event", f"{conversation}/{row.seq}") for row in reversed(rows)]

    async def keep(self, flow: str, version: str, body: Mapping[str, Any]) -> None:
        """See FlowArchive. A version that is kept already stays as it is."""
        row = {"flow": flow, "version": version, "body": dict(body), "kept_at": self._now()}
        async with self._database.write() as tx:
            await tx.execute(self._database.insert(flow_version_table).values(row).on_conflict_do_nothing())

    async def find(self, flow: str, version: str) -> Mapping[str, Any] | None:
        table = flow_version_table.c
        query = select(table.body).where(table.flow == flow, table.version == version)
        async with self._database.read() as connection:
            body: Mapping[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
        return body


class SqlEffects:
    """The ledger on SQLite or PostgreSQL. Every method commits before it returns. Results are encrypted by a `sealer` with keys."""

    def __init__(self, engine: AsyncEngine | Database, *, now: Callable[[], datetime], sealer: Sealer | None = None) -> None:
        self._database = _database(engine)
        self._sealer = sealer or Sealer()
        self._now = now

    async def create(self) -> None:
        """Brings the database up to date. See `migrations.migrate`."""
        from .migrations import migrate

        await migrate(self._database.engine)

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
        async with self._database.write() as tx:
            entered = await tx.execute(self._database.insert(effect_table).values(entry).on_conflict_do_nothing().returning(table.key))
            if entered.one_or_none() is not None:
                return Effect("new")
            known = (await tx.execute(select(effect_table).where(table.key == key).with_for_update())).one()
            if (known.action, known.request_hash) != (action, request_hash):
                raise EffectMismatch(key, action)
            if known.status == "done":
                return Effect("done", self._sealer.open(known.result, "effect", key))
            if known.status == "started":
                return Effect("started")
            again = {"status": "started", "reason": "", "attempts": known.attempts + 1, "started_at": now, "finished_at": None}
            await tx.execute(update(effect_table).where(table.key == key).values(again))
            return Effect("new")

    async def done(self, key: str, result: Any) -> None:
        await self._finish(key, status="done", result=self._sealer.seal(result, "effect", key))

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
        async with self._database.write() as tx:
            if (await tx.execute(statement)).one_or_none() is None:
                raise EffectNotStarted(key)
