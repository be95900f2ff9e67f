"""The turn as a unit of work: take, work with no connection held, commit everything or nothing.

Why nothing is lost, and nothing happens twice:

1. What comes in is an inbox row, once by its event id. It stays open until the commit of the turn that took it in: `commit` closes the
   rows, stores the state and queues the answers in one transaction. A worker that dies before has stored nothing, so whoever takes the
   conversation next finds the same state and the same rows; one that dies after has left nothing to do.
2. `take` gives a conversation to one worker at a time, by a claim that runs out when its holder dies. This saves work, no more: a
   holder that slept through its lease wakes up believing it still has the claim. So
3. `commit` begins with a fence, and writes only if it holds: the conversation is at the version that was loaded, with the owner that
   was loaded; nobody has claimed it since; every row the turn took in is still open. Of two turns from one version, one finds its row.
   Everything else that a turn touches is written only together with that row.
4. Messages go out from the outbox, under keys made of conversation, version and number; effects on other systems through the ledger
   (`effects`), under keys made of the inbound message. A turn that is worked out again comes to the same keys.

On PostgreSQL `take` is one statement and `commit` another, each a transaction by itself. In a commit every part has the condition that the
fence let its row through; if it did not, none writes, there is nothing to roll back, and the cause is asked for afterwards. The rows
that were taken in are locked before they are counted, so none can be closed by others in between. A statement sees the database as of its
beginning; `take` notices when the claim became free only after that, and loads again (`statements.claim_and_load`).
On SQLite the same parts run one after another, in a transaction that has locked the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import TextClause, select
from sqlalchemy.ext.asyncio import AsyncConnection

from . import statements, transcript
from .addresses import Addresses
from .claims import Claim, Claims
from .database import Database
from .direct import Direct
from .document import encode
from .encryption import Sealer
from .inbox import CAUSE_LENGTH, Inbox, InboxRow
from .outbox import Outgoing
from .statements import time_text, typed
from .store import ConflictError
from .tables import claim_table, conversation_table
from .timers import Timer


class OwnerChanged(ConflictError):
    """The bot, the queue or another agent has the conversation now. Nothing was written: load it and see who may answer."""

    reason = "has another owner than when it was loaded: load it and see who may answer"


class ClaimLost(ConflictError):
    """This worker's claim ran out and somebody else works on the conversation. Nothing was written: leave it to them."""

    reason = "was claimed by another worker when this one's claim had run out: leave it to them"


class InboxTaken(ConflictError):
    """An inbox row of the turn is not open any more. Nothing was written: load the conversation again."""

    reason = "had an inbox row that is not open any more: load it and take the turn again"


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A conversation as it was loaded, with the events that wait for it. `version` 0 and `state` None: it begins with this turn.

    `id` names the turn that will be committed; its messages are keyed `<id>:<n>`. `last_seq` is the number of its latest event.
    """

    conversation: str
    version: int
    state: dict[str, Any] | None
    owner: str
    addresses: Addresses
    inbox: tuple[InboxRow, ...]
    claim: Claim | None = None
    last_seq: int = 0

    @property
    def id(self) -> str:
        return f"{self.conversation}/{self.version + 1}"


@dataclass(frozen=True, slots=True)
class TurnChange:
    """What a turn came to. `done` are the inbox rows it took in (None: all it was given), `dead` those it gave up, with the cause.

    A `handoff` among the events puts the conversation in the queue and `handoff_ended` gives it back to the bot; `owner` names another.
    A timer that is both set and cancelled is cancelled.
    """

    state: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]] = ()
    outbox: Sequence[Outgoing] = ()
    timers: Sequence[Timer] = ()
    cancelled_timers: Sequence[str] = ()
    done: Sequence[int] | None = None
    dead: Mapping[int, str] = field(default_factory=dict)
    owner: str | None = None


class UnitOfWork:
    """Takes and commits turns. Holds no connection in between, and no state: one serves all workers of a process.

    Workers give their `claims`; what has none (an agent's desk) is kept from overwriting others by the fence alone.
    """

    def __init__(self, database: Database, *, sealer: Sealer | None = None, claims: Claims | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        self._claims = claims
        self._inbox = Inbox(database, sealer=sealer)
        self._spelling = database.spelling
        self._load = statements.load()
        self._claim = typed(statements.claim(self._spelling))
        self._claim_and_load = Direct(database, statements.claim_and_load(self._spelling)) if database.is_postgres else None
        self._commits: dict[tuple[bool, tuple[str, ...]], _Commit] = {}  # by what a turn writes: a handful

    async def take(self, conversation: str, *, limit: int = 20) -> OpenTurn | None:
        """Claims a conversation and loads it with up to `limit` waiting inbox rows, in order, as they stand at one moment.

        None while somebody else has it, be it another task of this process. Without waiting rows nothing is claimed.
        """
        if self._claims is None:
            return await self.begin(conversation, limit=limit)
        if self._claims.is_held(conversation):
            return None
        started = self._database.now()
        wanted = {"conversation": conversation, "limit": limit, **self._claims.wanted()}
        rows, token, lost, fresh = await self._claimed(wanted)
        if rows[0].id is None:
            return self._opened(conversation, rows)
        if token is None:
            return None
        claim = self._claims.taken(Claim(conversation, token, lost), started)
        if fresh:
            return self._opened(conversation, rows, claim)
        turn = self._opened(conversation, await self._loaded(conversation, limit), claim)
        if turn.inbox:
            return turn
        await self._claims.release(claim)
        return replace(turn, claim=None)

    async def begin(self, conversation: str, *, limit: int = 20) -> OpenTurn:
        """Loads without a claim, whoever has the conversation: its commit is refused if anybody else's came first."""
        return self._opened(conversation, await self._loaded(conversation, limit))

    async def commit(self, turn: OpenTurn, change: TurnChange, *, also: Callable[[AsyncConnection], Awaitable[None]] | None = None) -> int:
        """Stores everything a turn came to and releases its claim, in one transaction. Returns the conversation's new version.

        `also` runs last in the same transaction (to wake a worker, say). Raises ConflictError when anybody else saved the conversation
        since it was loaded, or its kinds OwnerChanged, ClaimLost and InboxTaken; TypeError or ValueError when something is not JSON;
        sqlalchemy's IntegrityError when a message's key was used before. Whatever is raised, nothing is stored; after a ConflictError
        the claim is released as well.
        """
        now = self._database.now()
        lists = self._lists(turn, change)
        values = {
            **lists,
            **self._database.at_moment(),
            "conversation": turn.conversation,
            "now": now,
            "version": turn.version + 1,
            "state": encode(self._sealer.seal(dict(change.state), "conversation", turn.conversation)),
            "before": turn.last_seq,
            "last_seq": turn.last_seq + len(change.events),
            "owner": change.owner or transcript.owner_after(change.events) or turn.owner,
            **turn.addresses.columns(),
            "expected": turn.version,
            "loaded_owner": turn.owner,
            "taken": len(self._taken_in(turn, change)),
        }
        if not await self._commit(turn.version > 0, tuple(lists))(values, also):
            raise await self._refused(turn)
        if turn.claim is not None and self._claims is not None:
            self._claims.forget(turn.claim)
        return turn.version + 1

    # --- taking --------------------------------------------------------------------------------------------------------------------

    async def _claimed(self, wanted: Mapping[str, Any]) -> tuple[Sequence[Any], int | None, int, bool]:
        """What was loaded; token and lost holders of the claim, if any; whether both are of the same moment."""
        if self._claim_and_load is not None:
            rows = await self._claim_and_load(wanted)
            return rows, rows[0].token, rows[0].lost, bool(rows[0].fresh)
        async with self._database.write() as tx:
            token, lost = (await tx.execute(self._claim, wanted)).one_or_none() or (None, 0)
            return (await tx.execute(self._load, wanted)).all(), token, lost, True

    async def _loaded(self, conversation: str, limit: int) -> Sequence[Any]:
        async with self._database.read() as connection:
            return (await connection.execute(self._load, {"conversation": conversation, "limit": limit})).all()

    def _opened(self, conversation: str, rows: Sequence[Any], claim: Claim | None = None) -> OpenTurn:
        first = rows[0]
        inbox = tuple(self._inbox.row(row, stale=_is_stale(row)) for row in rows if row.id is not None)
        known = first.version is not None
        addresses = Addresses(first.own_channel, first.own_business, first.own_customer) if known else Addresses()
        if not addresses:
            addresses = next((row.event.addresses for row in inbox if row.event.addresses), addresses)
        if not known:
            return OpenTurn(conversation, 0, None, "bot", addresses, inbox, claim)
        state = self._sealer.open(first.state, "conversation", conversation)
        return OpenTurn(conversation, first.version, state, first.owner, addresses, inbox, claim, first.last_seq)

    # --- committing ----------------------------------------------------------------------------------------------------------------

    def _commit(self, known: bool, written: tuple[str, ...]) -> _Commit:
        commit = self._commits.get((known, written))
        if commit is None:
            steps = statements.commit(self._spelling, known=known, written=written)
            commit = self._commits[known, written] = _Commit(self._database, [typed(sql) for sql in steps])
        return commit

    def _taken_in(self, turn: OpenTurn, change: TurnChange) -> dict[int, str | None]:
        """Inbox rows that close, with the cause of those that were given up."""
        done = [row.id for row in turn.inbox] if change.done is None else change.done
        return {**dict.fromkeys(done), **change.dead}

    def _lists(self, turn: OpenTurn, change: TurnChange) -> dict[str, Any]:
        """What goes with the state, by part (`statements.parts`); only what there is."""
        name = turn.conversation
        taken = [
            {"id": row, "status": "done" if cause is None else "dead", "cause": cause and cause[:CAUSE_LENGTH]}
            for row, cause in self._taken_in(turn, change).items()
        ]
        timers = {timer.key: timer for timer in change.timers if timer.key not in change.cancelled_timers}
        started = [
            {
                "key": timer.key,
                "payload": encode(self._sealer.seal(dict(timer.payload), "timer", f"{name}/{timer.key}")),
                "due": time_text(timer.due),
            }
            for timer in timers.values()
        ]
        lists: dict[str, list[dict[str, Any]]] = {
            "inbox": taken,
            "messages": [self._message(message, turn, n) for n, message in enumerate(change.outbox)],
            "timers": started,
            "cancelled": [{"key": key} for key in change.cancelled_timers],
        }
        written: dict[str, Any] = {part: encode(rows) for part, rows in lists.items() if rows}
        written |= transcript.written(name, turn.last_seq, change.events, self._sealer)
        return written | ({"token": turn.claim.token} if turn.claim else {})

    def _message(self, message: Outgoing, turn: OpenTurn, n: int) -> dict[str, Any]:
        key = message.key or f"{turn.id}:{n}"
        return {
            "n": n,
            "key": key,
            "conversation": message.conversation or turn.conversation,
            "purpose": message.purpose,
            "priority": message.priority,
            "payload": encode(self._sealer.seal(dict(message.payload), "outbox", key)),
            **(message.addresses or turn.addresses).columns(),
            "broadcast": message.broadcast,
            "not_before": message.not_before and time_text(message.not_before),
        }

    async def _refused(self, turn: OpenTurn) -> ConflictError:
        """Says why the fence held, and lets the claim go: the turn is over, and whoever takes the next one need not wait for the lease."""
        saved, claim = conversation_table.c, claim_table.c
        async with self._database.read() as connection:
            row = (await connection.execute(select(saved.version, saved.owner).where(saved.id == turn.conversation))).one_or_none()
            token = await connection.scalar(select(claim.token).where(claim.conversation == turn.conversation))
        if turn.claim is not None and self._claims is not None:
            await self._claims.release(turn.claim)
        if turn.claim is not None and token != turn.claim.token:
            kind: type[ConflictError] = ClaimLost
        elif (row.version if row else 0) != turn.version:
            kind = ConflictError
        else:
            kind = OwnerChanged if row and row.owner != turn.owner else InboxTaken
        return kind(turn.conversation, turn.version)


class _Commit:
    """The steps of a commit, of which the first is the fence; on PostgreSQL there is but this one."""

    def __init__(self, database: Database, steps: Sequence[TextClause]) -> None:
        self._database = database
        self._fence, *self._rest = steps
        self._at_once = Direct(database, self._fence) if database.is_postgres else None

    async def __call__(self, values: Mapping[str, Any], also: Callable[[AsyncConnection], Awaitable[None]] | None) -> bool:
        """False when the fence held: then nothing was written."""
        if self._at_once is not None and also is None:
            return bool(await self._at_once(values))
        async with self._database.write() as tx:
            if (await tx.execute(self._fence, values)).one_or_none() is None:
                return False
            for step in self._rest:
                await tx.execute(step, values)
            if also is not None:
                await also(tx)
        return True


def _is_stale(row: Any) -> bool:
    return bool(row.kind == "timer" and row.newest != row.generation)
