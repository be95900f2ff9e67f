"""What operators do with a deployment's database: migrate, export and erase a customer, look at dead letters, seal with a new key."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .failures import UsageError

_SCHEMES = ("tel", "whatsapp", "rcs")


def run_migrate(database: str | None, revision: str) -> int:
    """Brings a database up to date (or to a revision); safe to run by several machines at once."""

    async def work() -> int:
        from bot.conversations import connect, migrate
        from bot.conversations.migrations import current
        from bot.settings import Settings

        engine = connect(Settings.read(database_url=database).database_url)
        try:
            before = await current(engine)
            after = await migrate(engine, revision)
        finally:
            await engine.dispose()
        sys.stdout.write(f"the database is at revision {after}" + (" already\n" if before == after else f" (was: {before or 'empty'})\n"))
        return 0

    return asyncio.run(work())


def run_export(number: str, output: Path | None, database: str | None) -> int:
    """Everything stored about a customer, as JSON."""

    tables: dict[str, list[Any]] = {}

    async def work(data: Any, _: Any) -> int:
        for customer in _addresses(number):
            for table, rows in (await data.export(customer=customer)).items():
                tables.setdefault(table, []).extend(row for row in rows if row not in tables.get(table, []))
        return 0

    _with_customer_data(database, work)
    text = json.dumps({"customer": number, "tables": tables}, ensure_ascii=False, indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
        return 0
    output.touch(mode=0o600)
    output.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, tables.values()))} rows written to {output}\n")
    return 0


def run_erase(number: str, yes: bool, forget_consent: bool, database: str | None) -> int:
    """Deletes everything about a customer; that they said stop is kept unless told otherwise."""
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("erasing cannot be undone: add --yes to do it without being asked")
        sys.stderr.write(f"Erase everything stored about {number}? This cannot be undone. Type the number to go on: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() != number:
            sys.stderr.write("nothing was erased\n")
            return 1

    async def work(data: Any, _: Any) -> int:
        counts: dict[str, int] = {}
        for customer in _addresses(number):
            for table, count in (await data.erase(customer=customer, keep_consent=not forget_consent)).items():
                counts[table] = counts.get(table, 0) + count
        found = {table: count for table, count in counts.items() if count}
        sys.stdout.write("erased: " + (", ".join(f"{count} {table}" for table, count in found.items()) or "nothing was stored") + "\n")
        return 0

    return _with_customer_data(database, work)


def run_dead_letters(revive: list[int], as_json: bool, database: str | None) -> int:
    """Lists what was given up, with its cause; `revive` puts letters back, to be tried again by the next sweep."""

    async def work(_: Any, opened: Any) -> int:
        from bot.conversations import Inbox

        inbox = Inbox(opened.database, sealer=opened.sealer)
        if revive:
            async with opened.database.write() as tx:
                done = [row for row in revive if await inbox.revive(tx, row)]
            sys.stdout.write(f"{len(done)} of {len(revive)} put back; the running workers take them up within half a minute\n")
            return 0 if len(done) == len(revive) else 1
        async with opened.database.read() as connection:
            letters = await inbox.dead(connection, 1000)
        if as_json:
            for letter in letters:
                row = {"id": letter.id, "conversation": letter.conversation, "cause": letter.cause, "attempts": letter.attempts}
                sys.stdout.write(json.dumps({**row, "received_at": letter.received_at.isoformat()}) + "\n")
            return 0
        if not letters:
            sys.stdout.write("no dead letters\n")
            return 0
        table = Table("id", "conversation", "cause", "attempts", "received")
        for letter in letters:
            when: datetime = letter.received_at.astimezone()
            table.add_row(str(letter.id), letter.conversation, letter.cause, str(letter.attempts), f"{when:%Y-%m-%d %H:%M:%S}")
        Console().print(table)
        return 0

    return _with_customer_data(database, work)


def run_reseal(database: str | None) -> int:
    """Seals every stored document with the newest key."""

    async def work(_: Any, opened: Any) -> int:
        from bot.conversations import reseal

        if not opened.sealer.newest:
            raise UsageError("no key is configured: set SWITCHBOARD_ENCRYPTION_KEYS to id:base64, the newest first")
        counts = await reseal(opened.database, opened.sealer)
        sys.stdout.write(f"sealed anew with key {opened.sealer.newest}: {sum(counts.values())} documents\n")
        return 0

    return _with_customer_data(database, work)


def _with_customer_data(database: str | None, work: Callable[[Any, Any], Awaitable[int]]) -> int:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        from bot.deployment import open_store
        from bot.settings import Settings

        async with open_store(Settings.read(database_url=database)) as store:
            yield store

    async def run() -> int:
        from bot.conversations import CustomerData

        async with opened() as store:
            return await work(CustomerData(store.database, sealer=store.sealer), store)

    return asyncio.run(run())


def _addresses(number: str) -> list[str]:
    """A customer's addresses as they are stored: a bare number is one on every network."""
    text = number.strip()
    if ":" in text:
        return [text]
    digits = "".join(text.split()).replace("-", "").replace("(", "").replace(")", "")
    if not digits.startswith("+") or not digits[1:].isdigit():
        raise UsageError(
            f"{number}: write the number with its country, such as +12025550101, or a whole address, such as whatsapp:+12025550101"
        )
    return [f"{scheme}:{digits}" for scheme in _SCHEMES]
