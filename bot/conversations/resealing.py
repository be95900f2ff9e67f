"""Sealing stored documents anew with the newest key: after a rotation, or to encrypt what was stored before there was a key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table, and_, bindparam, select, tuple_, update

from .database import Database
from .encryption import Sealer
from .paging import following
from .sealed import SEALED, SealedColumn

_BATCH = 200


async def reseal(database: Database, sealer: Sealer, *, batch: int = _BATCH) -> dict[str, int]:
    """Goes through all documents and returns how many it sealed anew, by table. Runs beside live traffic, in short transactions.

    The sealer must not be strict as long as documents are stored in the clear. Raises SealError for a document whose key is missing;
    what was done stays done, and calling it again goes on.
    """
    counts: dict[str, int] = {}
    for sealed in SEALED:
        count = await _reseal_table(database, sealer, sealed, min(batch, sealed.most))
        counts[sealed.table.name] = counts.get(sealed.table.name, 0) + count
    return counts


async def _reseal_table(database: Database, sealer: Sealer, sealed: SealedColumn, batch: int) -> int:
    table, column = sealed.table, sealed.table.c[sealed.column]
    key = tuple(table.primary_key.columns)
    page = select(*key, column).where(column.is_not(None)).order_by(*key).limit(batch)
    after: tuple[Any, ...] | None = None
    count = 0
    while True:
        query = page if after is None else page.where(following(key, after))
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        stale = [tuple(row[:-1]) for row in rows if not sealer.is_current(row[-1])]
        # Rows that a turn has locked are left out and taken one by one: who waits holding one lock at most cannot make a circle.
        done = await _reseal_rows(database, sealer, sealed, stale, skip_locked=True)
        for left in (one for one in stale if one not in done):
            done |= await _reseal_rows(database, sealer, sealed, [left], skip_locked=False)
        count += len(done)
        if len(rows) < batch:
            return count
        after = tuple(rows[-1][:-1])


async def _reseal_rows(
    database: Database, sealer: Sealer, sealed: SealedColumn, keys: list[tuple[Any, ...]], *, skip_locked: bool
) -> set[tuple[Any, ...]]:
    if not keys:
        return set()
    table, key = sealed.table, tuple(sealed.table.primary_key.columns)
    names = [table.c[name] for name in sealed.names]
    query = select(*key, *(name for name in names if name not in key), table.c[sealed.column]).where(tuple_(*key).in_(keys))
    async with database.write() as tx:
        rows = (await tx.execute(query.with_for_update(skip_locked=skip_locked))).all()
        changes = [change for row in rows if (change := _change(row, sealer, sealed, key)) is not None]
        if changes:
            await tx.execute(_statement(table, sealed.column, key), changes)
    return {tuple(row[: len(key)]) for row in rows}


def _change(row: Any, sealer: Sealer, sealed: SealedColumn, key: tuple[Column[Any], ...]) -> dict[str, Any] | None:
    if sealer.is_current(row[-1]):
        return None
    name, place = sealed.table.name, sealed.row(row)
    document = sealer.seal(sealer.open(row[-1], name, place), name, place)
    return {"document": document, **{f"key_{column.name}": value for column, value in zip(key, row, strict=False)}}


def _statement(table: Table, column: str, key: tuple[Column[Any], ...]) -> Any:
    here = and_(*(part == bindparam(f"key_{part.name}") for part in key))
    return update(table).where(here).values({column: bindparam("document", type_=table.c[column].type)})
