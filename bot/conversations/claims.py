"""One worker a conversation at a time: a lease that ends when its holder dies, with a token that fences off a holder that slept.

The claim saves work; it is not what keeps a turn single. That is the version check of the commit (`turn.UnitOfWork`), which also
refuses a token that is not the newest. `UnitOfWork.take` takes a claim, and its commit lets it go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Update, bindparam, update

from . import statements
from .database import Database
from .statements import typed
from .tables import claim_table

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a conversation until the lease ends. `token` is larger than that of every earlier claim.

    `lost` counts the holders in a row that let go by dying: a message that kills its worker shows here.
    """

    conversation: str
    token: int
    lost: int = 0


class Claims:
    """Claims for one worker process. `holder` names it (host and process id); `lease` is how long a dead one is waited for.

    Each method is one statement that commits by itself. Leases go by the database's clock on PostgreSQL.
    """

    def __init__(self, database: Database, *, holder: str, lease: timedelta) -> None:
        self._database = database
        self._holder = holder
        self._lease = lease
        self._held: dict[str, tuple[int, datetime]] = {}  # what this process holds itself need not be asked for
        table = claim_table.c
        mine = update(claim_table).where(table.conversation == bindparam("of"), table.token == bindparam("mine"), table.holder != "")
        self._renew = mine.values(until=database.moment(lease))
        self._step_back = mine.values(until=_LONG_AGO, lost=table.lost - 1)  # the next one counts this holder as lost again
        self._release = mine.values(until=_LONG_AGO, holder="")
        self._acquire = typed(statements.claim(database.spelling, waiting=False))
        running = update(claim_table).where(table.holder != "", table.until > database.moment())
        self._abandon = running.values(until=database.moment())

    async def acquire(self, conversation: str) -> Claim | None:
        """Claims by name alone, for what is no conversation (a task that one process does); None while somebody else has it."""
        if self.is_held(conversation):
            return None
        started = self._database.now()
        async with self._database.write_once() as connection:
            row = (await connection.execute(self._acquire, {"conversation": conversation, **self.wanted()})).one_or_none()
        return None if row is None else self.taken(Claim(conversation, row.token, row.lost), started)

    def is_held(self, conversation: str) -> bool:
        """Whether another task of this process has it."""
        return self._held.get(conversation, (0, _LONG_AGO))[1] > self._database.now()

    def wanted(self) -> dict[str, Any]:
        """The parameters of `statements.claim`."""
        return {"holder": self._holder, **self._database.lease(self._lease)}

    def taken(self, claim: Claim, started: datetime) -> Claim:
        """Notes a claim whose statement was begun at `started`."""
        self._held[claim.conversation] = (claim.token, started + self._lease)
        return claim

    def forget(self, claim: Claim) -> None:
        """Notes that a claim is no longer held."""
        if self._held.get(claim.conversation, (0, _LONG_AGO))[0] == claim.token:
            del self._held[claim.conversation]

    async def renew(self, claim: Claim) -> bool:
        """Begins the lease anew. False when the claim went to somebody else: stop working, the commit would be refused."""
        started = self._database.now()
        if not await self._change(claim, self._renew):
            self.forget(claim)
            return False
        self.taken(claim, started)
        return True

    async def release(self, claim: Claim) -> None:
        """Lets go, for a turn that ends without a commit. Harmless when the claim went to somebody else, or was let go before."""
        self.forget(claim)
        await self._change(claim, self._release)

    async def step_back(self, claim: Claim) -> None:
        """Lets go for a moment without forgetting how many holders have died: the next claim has the same `lost`."""
        self.forget(claim)
        await self._change(claim, self._step_back)

    async def abandon_all(self) -> int:
        """Ends every lease now: for the only process of a database, at its start, when all holders are dead. They count as lost.

        Returns how many there were.
        """
        async with self._database.write_once() as connection:
            return (await connection.execute(self._abandon)).rowcount

    async def _change(self, claim: Claim, statement: Update) -> bool:
        mine = {"of": claim.conversation, "mine": claim.token}
        async with self._database.write_once() as connection:
            return (await connection.execute(statement, mine)).rowcount == 1
