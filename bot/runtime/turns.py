"""A turn, from the bell to the commit: why nothing is lost and nothing happens twice.

1. A message is answered 200 only when its inbox row is committed, with the wake-up in the same transaction. It stays `open` until the
   transaction that stores what came of it. Whoever dies before that has stored nothing, and somebody else is woken.
2. That transaction (`UnitOfWork.commit`) writes state, transcript, replies, timers and `done` together. It checks that the version, the
   owner, the claim and the inbox rows are as they were loaded: of two workers that took the same turn, one finds they are not.
3. What a turn does to other systems goes through the ledger, under a key made of the conversation, the message and the step. The turn
   that is taken again has the same messages (`bursts`), the same moment as its now, the same keys: an effect that is done is not done again.
4. Replies are rows, sent after the commit. A sender that dies leaves its row `sending`, then `unknown`, and the provider is asked first.

No connection is held while the turn runs. Failures end in values: try again after so long, or a dead letter with its cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.conversations import Claim, Claims, ConflictError, Database, Inbox, InboxRow, OpenTurn, Sealer, TurnChange, UnitOfWork
from bot.dialogue.conversation import Inbound, Outcome

from .bursts import Bursts
from .change import Composer
from .gate import Gate
from .telemetry import Telemetry, silence


class Answer(Protocol):
    """The bot: state in, new state and events out. Commits nothing; may call models and other systems."""

    async def __call__(self, conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome: ...


_BUSY = timedelta(milliseconds=500)
_OUTAGE = timedelta(seconds=1)


class TurnWorker:
    """Takes one turn of a conversation each time it is called; the `Work` of a `Dispatcher`.

    A turn that fails is tried `attempts` times, with a wait that doubles, and is then a dead letter; so is the message that
    `deaths` workers in a row died of, the last of them with nothing else at work (from `suspicious` deaths on). `turn_limit` bounds one turn in
    all, in seconds. `committed` is called after each commit.
    """

    def __init__(
        self,
        database: Database,
        answer: Answer,
        composer: Composer,
        *,
        claims: Claims,
        lease: timedelta,
        sealer: Sealer | None = None,
        bursts: Bursts | None = None,
        telemetry: Telemetry = silence,
        attempts: int = 5,
        suspicious: int = 3,
        deaths: int = 8,
        turn_limit: float = 120.0,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._answer = answer
        self._composer = composer
        self._claims = claims
        self._lease = lease
        self._work = UnitOfWork(database, sealer=sealer, claims=claims)
        self._inbox = Inbox(database, sealer=sealer)
        self._bursts = bursts or Bursts()
        self._tell = telemetry
        self._attempts = attempts
        self._suspicious = suspicious
        self._deaths = deaths
        self._gate = Gate()
        self._turn_limit = turn_limit
        self._committed = committed

    async def __call__(self, conversation: str) -> timedelta | None:
        """Returns None when nothing is left to do now, else after how long to come back. Raises nothing but cancellation."""
        try:
            return await self._take_one(conversation)
        except ConflictError as conflict:
            self._tell("turn_conflict", conversation=conversation, reason=type(conflict).__name__)
            return _BUSY
        except (DBAPIError, PoolTimeout, OSError) as error:
            self._tell("database_down", cause=type(error).__name__)
            return _OUTAGE

    async def _take_one(self, conversation: str) -> timedelta | None:
        """A process that dies takes all its turns with it. The one that kills it is found by taking those that die again and again alone."""
        async with self._gate.together():
            turn = await self._work.take(conversation)
            if turn is None or turn.claim is None or turn.claim.lost < self._suspicious:
                return await self._go_on(turn)
            await self._claims.step_back(turn.claim)
        async with self._gate.alone():
            return await self._go_on(await self._work.take(conversation))

    async def _go_on(self, turn: OpenTurn | None) -> timedelta | None:
        if turn is None:
            return _BUSY
        if not turn.inbox:
            return None
        claim = turn.claim
        assert claim is not None
        settled_at = self._bursts.settled_at(turn.inbox)
        wait = settled_at - self._database.now() if settled_at else timedelta(0)
        if wait > timedelta(0):
            await self._claims.release(claim)
            return min(wait, self._bursts.longest)
        rows = self._bursts.first(turn.inbox)
        if claim.lost >= self._deaths:
            return await self._give_up(turn, rows, "worker_lost")
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            change = await self._change(turn, rows, claim)
            await self._work.commit(turn, change)
        except asyncio.CancelledError:
            await asyncio.shield(self._claims.release(claim))
            raise
        except (ConflictError, DBAPIError, PoolTimeout):
            raise  # not the message's fault; it is as good as before
        except Exception as error:
            return await self._failed(turn, rows, error)
        self._committed()
        self._tell("turn", seconds=clock() - began, conversation=turn.conversation, messages=len(rows))
        return timedelta(0) if len(turn.inbox) > len(rows) else None

    async def _change(self, turn: OpenTurn, rows: Sequence[InboxRow], claim: Claim) -> TurnChange:
        """What the rows come to, with no connection held and the claim kept alive."""
        inbound = self._composer.inbound(turn, rows)
        if inbound is None:
            return self._composer.without_turn(turn, rows)
        async with self._kept(claim), asyncio.timeout(self._turn_limit):
            outcome = await self._answer(turn.conversation, turn.state, inbound)
        return self._composer.change(turn, rows, outcome)

    @asynccontextmanager
    async def _kept(self, claim: Claim) -> AsyncIterator[None]:
        """Renews the claim while a slow turn runs. One that was lost all the same is found out by the commit."""

        over = asyncio.Event()

        async def renew() -> None:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self._lease.total_seconds() / 3)
                if over.is_set():
                    return
                try:
                    if not await self._claims.renew(claim):
                        return
                except (DBAPIError, PoolTimeout, OSError):
                    continue  # the lease may run out; the commit will tell

        keeper = asyncio.create_task(renew())
        try:
            yield
        finally:
            over.set()  # not cancelled: a statement that is broken off costs its connection
            await asyncio.shield(keeper)

    async def _failed(self, turn: OpenTurn, rows: Sequence[InboxRow], error: Exception) -> timedelta | None:
        """Counts the failure on the first row, and gives the rows up when it was the last one allowed."""
        cause, tried = type(error).__name__, rows[0].attempts + 1
        self._tell("turn_failed", conversation=turn.conversation, cause=cause, attempts=tried)
        if tried >= self._attempts:
            return await self._give_up(turn, rows, cause)
        async with self._database.write() as tx:
            await self._inbox.failed(tx, rows[0].id, cause, limit=self._attempts)
        assert turn.claim is not None
        await self._claims.release(turn.claim)
        return timedelta(seconds=0.5 * 2.0 ** (tried - 1))

    async def _give_up(self, turn: OpenTurn, rows: Sequence[InboxRow], cause: str) -> timedelta:
        """Dead letters: kept with their cause for a person to look at; the customer is told, and the conversation goes on."""
        await self._work.commit(turn, self._composer.apology(turn, rows, cause))
        self._committed()
        self._tell("dead_letter", conversation=turn.conversation, cause=cause, count=len(rows))
        return timedelta(0)
