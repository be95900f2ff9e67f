"""A whole operator in one SQLite database: every desk together is the port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from ..errors import BssError, Code
from ..models import Entity
from .bills import BillDesk
from .codes import CodeDesk
from .customers import CustomerDesk
from .daily import DailyDesk
from .directory import find_entity
from .faults import Faults
from .lines import LineDesk
from .problems import ProblemDesk
from .seed import seed
from .sims import SimDesk
from .sources import default_data, read_sources
from .store import Store
from .tables import SCHEMA, Fact
from .tickets import TicketDesk
from .visits import VisitDesk


def utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedOperator(CustomerDesk, CodeDesk, LineDesk, SimDesk, BillDesk, DailyDesk, ProblemDesk, TicketDesk, VisitDesk):
    """Implements `Bss`. Made by `open`; besides the port it has `sent_codes`, `run_day`, `declare_problem`,
    `resolve_problem` and `faults`, the things a demo or a test does from the operator's side."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str = "sqlite+aiosqlite://",
        *,
        now: Callable[[], datetime] = utc_now,
        data: Path | None = None,
        customers: int = 300,
        seed_number: int = 2026,
    ) -> AsyncIterator[EmbeddedOperator]:
        """The operator in the database at `url` (memory, or `sqlite+aiosqlite:///file.db`).

        An empty database is filled from `data` (`default_data()` if none is named) with the personas and invented
        customers, `customers` in all; the same `seed_number` and day give the same ones. A database made earlier is
        brought up to today. Raises SourceError for a wrong data folder, ValueError for a URL or file it cannot use.
        """
        sources = read_sources(data or default_data())
        store = await Store.open(url)
        try:
            operator = cls(store, sources, now, Faults())
            async with store.write() as tx:
                schema = await tx.find(Fact, "schema")
                if schema is None:
                    for kind, entities in seed(sources, now(), customers, seed_number).kinds.items():
                        await tx.add_all(kind, entities)
                    await tx.add(Fact("schema", SCHEMA))
                    await tx.add(Fact("goodwill_year", str(now().year)))
                elif schema.value != SCHEMA:
                    raise ValueError(f"{url} was made by another version (schema {schema.value}): move it away to start anew")
            if schema is not None:
                await operator.run_day()
            yield operator
        finally:
            await store.close()

    async def get_details_by_id(self, entity_id: str) -> Entity:
        async with self._read("get_details_by_id") as tx:
            found = await find_entity(tx, entity_id)
        if found is None:
            raise BssError(Code.NOT_FOUND, f"nothing has the id {entity_id!r}")
        return found
