"""What every desk of the operator does the same: read, and write once under a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, TypeVar

from ..care import CodeSent, CodeVerification
from ..errors import BssError, Code
from ..json_values import from_json, to_json
from ..parties import Customer, Line, Market
from .faults import Faults
from .rules import today_in
from .sources import Sources
from .store import Store, Transaction
from .tables import TABLES, DoneWrite

T = TypeVar("T")
Effect = Callable[[Transaction], Awaitable[T]]


class Desk:
    """A part of the operator. The parts share one database, one clock and one script of faults."""

    def __init__(self, store: Store, sources: Sources, now: Callable[[], datetime], faults: Faults) -> None:
        self._store = store
        self._sources = sources
        self._now = now
        self.faults = faults

    def _today(self, market: Market) -> date:
        return today_in(market, self._now())

    @asynccontextmanager
    async def _read(self, operation: str) -> AsyncIterator[Transaction]:
        await self.faults.before(operation)
        async with self._store.read() as tx:
            yield tx

    async def _write(self, operation: str, key: str, request: tuple[object, ...], effect: Effect[T]) -> T:
        """Run `effect` and remember its answer under `key`, in one transaction; or answer what was remembered."""
        if not key:
            raise BssError(Code.INVALID, f"{operation} needs an idempotency key")
        await self.faults.before(operation)
        asked = hashlib.sha256(json.dumps(to_json(request), ensure_ascii=False).encode()).hexdigest()
        async with self._store.write() as tx:
            done = await tx.find(DoneWrite, key)
            if done is not None:
                if (done.operation, done.request) != (operation, asked):
                    raise BssError(Code.KEY_REUSED, f"the key of this {operation} was used for a different request")
                answer: T = _recall(done)
            else:
                answer = await effect(tx)
                text = json.dumps(to_json(answer), ensure_ascii=False)
                await tx.add(DoneWrite(key, operation, asked, type(answer).__name__, text))
        await self.faults.after(operation)
        return answer

    async def result_of(self, key: str) -> object | None:
        async with self._read("result_of") as tx:
            done = await tx.find(DoneWrite, key)
        return None if done is None else _recall(done)

    async def _with_customer(self, tx: Transaction, line_id: str) -> tuple[Line, Customer]:
        line = await tx.get(Line, line_id)
        return line, await tx.get(Customer, line.customer_id)


def new_id(prefix: str, key: str) -> str:
    """The id of what a write makes. It comes from the key, so it is unique as the key is and the same on a replay."""
    return f"{prefix}-{hashlib.sha256(f'{prefix}:{key}'.encode()).hexdigest()[:12].upper()}"


def _recall(done: DoneWrite) -> Any:
    known = {cls.__name__: cls for cls in (*TABLES, CodeSent, CodeVerification)}
    return from_json(known[done.kind], json.loads(done.answer))
