"""The turn as a unit of work: load, work with no connection held, and one short transaction that stores everything or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .addresses import Addresses
from .claims import Claim
from .database import Database
from .encryption import Sealer
from .inbox import Inbox, InboxRow
from .outbox import Outbox, Outgoing
from .store import ConflictError
from .tables import claim_table, conversation_table, inbox_table, timer_table
from .timers import Timer, Timers
from .transcript import append, owner_after


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

    `id` names the turn that will be committed; its messages are keyed `<id>:<n>`.
    """

    conversation: str
    version: int
    state: dict[str, Any] | None
    owner: str
    addresses: Addresses
    inbox: tuple[InboxRow, ...]
    claim: Claim | None = None

    @property
    def id(self) -> str:
        return f"{self.conversation}/{self.version + 1}"


@dataclass(frozen=True, slots=True)
class TurnChange:
    """What a turn came to. `done` are the inbox rows it took in (None: all it was given), `dead` those it gave up, with the cause.

    A `handoff` among the events puts the conversation in the queue and `handoff_ended` gives it back to the bot; `owner` names another.
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
    """Begins and commits turns. Holds no connection in between, and no state: one serves all workers of a process."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        self._inbox = Inbox(database, sealer=sealer)
        self._outbox = Outbox(database, sealer=sealer)
        self._timers = Timers(database, sealer=sealer)
        self._load = _load_query()
        self._update = {fenced: _update_statement(fenced) for fenced in (False, True)}
        insert = database.insert(conversation_table).on_conflict_do_nothing()
        self._insert = insert.returning(conversation_table.c.last_seq)

    async def begin(self, conversation: str, claim: Claim | None = None, *, limit: int = 20) -> OpenTurn:
        """Loads a conversation and up to `limit` waiting inbox rows, in order, as they stand at one moment: one statement.

        With a `claim` the commit is refused once somebody else has claimed the conversation.
        """
        async with self._database.read() as connection:
            rows = (await connection.execute(self._load, {"conversation": conversation, "limit": limit})).all()
        inbox = tuple(self._inbox.row(row, stale=_is_stale(row)) for row in rows if row.id is not None)
        first = rows[0]
        if first.version is None:
            addresses = inbox[0].event.addresses if inbox else Addresses()
            return OpenTurn(conversation, 0, None, "bot", addresses, inbox, claim)
        state = self._sealer.open(first.state, "conversation", conversation)
        addresses = Addresses(first.own_channel, first.own_business, first.own_customer)
        if not addresses:
            addresses = next((row.event.addresses for row in inbox if row.event.addresses), addresses)
        return OpenTurn(conversation, first.version, state, first.owner, addresses, inbox, claim)

    async def commit(self, turn: OpenTurn, change: TurnChange, *, also: Callable[[AsyncConnection], Awaitable[None]] | None = None) -> int:
        """Stores everything a turn came to in one transaction, and returns the conversation's new version.

        `also` runs last in the same transaction (to wake a worker, say). Raises ConflictError when anybody else saved the
        conversation since `begin`, or its kinds OwnerChanged, ClaimLost and InboxTaken; TypeError or ValueError when something is
        not JSON. Whatever is raised, nothing is stored.
        """
        now = self._database.now()
        given = {row.id for row in turn.inbox}
        done = [row for row in (given if change.done is None else change.done) if row not in change.dead]
        messages = [self._addressed(message, turn, n) for n, message in enumerate(change.outbox)]
        async with self._database.write() as tx:
            last = await self._save(tx, turn, change)
            if not await self._inbox.done(tx, sorted(done)):
                raise InboxTaken(turn.conversation, turn.version)
            for row, cause in change.dead.items():
                if not await self._inbox.bury(tx, [row], cause):
                    raise InboxTaken(turn.conversation, turn.version)
            await append(tx, turn.conversation, last - len(change.events), change.events, now, self._sealer)
            await self._outbox.put(tx, messages)
            await self._timers.set(tx, turn.conversation, change.timers)
            await self._timers.cancel(tx, turn.conversation, change.cancelled_timers)
            if also is not None:
                await also(tx)
        return turn.version + 1

    def _addressed(self, message: Outgoing, turn: OpenTurn, n: int) -> Outgoing:
        return replace(
            message,
            key=message.key or f"{turn.id}:{n}",
            conversation=message.conversation or turn.conversation,
            addresses=message.addresses or turn.addresses,
        )

    async def _save(self, tx: AsyncConnection, turn: OpenTurn, change: TurnChange) -> int:
        """The fence: of two turns from one version, the second finds no row. Returns the number of the last event."""
        values = {
            "version": turn.version + 1,
            "state": self._sealer.seal(dict(change.state), "conversation", turn.conversation),
            "updated_at": self._database.now(),
            "owner": change.owner or owner_after(change.events) or turn.owner,
            **turn.addresses.columns(),
        }
        if turn.version == 0:
            if turn.claim is not None and await self._is_lost(tx, turn.claim):
                raise ClaimLost(turn.conversation, turn.version)
            result = await tx.execute(self._insert, {"id": turn.conversation, "last_seq": len(change.events), **values})
        else:
            keys = {"of": turn.conversation, "expected": turn.version, "loaded_owner": turn.owner, "appended": len(change.events)}
            token = {"token": turn.claim.token} if turn.claim else {}
            result = await tx.execute(self._update[turn.claim is not None], {**values, **keys, **token})
        last: int | None = result.scalar_one_or_none()
        if last is None:
            raise await self._conflict(tx, turn)
        return last

    async def _conflict(self, tx: AsyncConnection, turn: OpenTurn) -> ConflictError:
        """Says why the fence held."""
        if turn.claim is not None and await self._is_lost(tx, turn.claim):
            return ClaimLost(turn.conversation, turn.version)
        table = conversation_table.c
        row = (await tx.execute(select(table.version, table.owner).where(table.id == turn.conversation))).one_or_none()
        changed = row is not None and row.version == turn.version and row.owner != turn.owner
        return (OwnerChanged if changed else ConflictError)(turn.conversation, turn.version)

    async def _is_lost(self, tx: AsyncConnection, claim: Claim) -> bool:
        table = claim_table.c
        token = (await tx.execute(select(table.token).where(table.conversation == claim.conversation))).scalar_one_or_none()
        return token != claim.token


def _load_query() -> Any:
    """State and open inbox rows in one statement, so that both are of one moment even without a transaction."""
    one = select(literal(1).label("one")).subquery()
    saved, waiting, timer = conversation_table.c, inbox_table.c, timer_table.c
    own = (saved.channel.label("own_channel"), saved.business.label("own_business"), saved.customer.label("own_customer"))
    tables = (
        one.outerjoin(conversation_table, saved.id == bindparam("conversation"))
        .outerjoin(inbox_table, and_(waiting.conversation == bindparam("conversation"), waiting.status == "open"))
        .outerjoin(timer_table, and_(waiting.kind == "timer", timer.conversation == waiting.conversation, timer.key == waiting.timer))
    )
    columns = (saved.version, saved.state, saved.owner, *own, *waiting, timer.generation.label("newest"))
    return select(*columns).select_from(tables).order_by(waiting.id).limit(bindparam("limit"))


def _update_statement(fenced: bool) -> Any:
    table = conversation_table.c
    same = and_(table.id == bindparam("of"), table.version == bindparam("expected"), table.owner == bindparam("loaded_owner"))
    if fenced:
        token = and_(claim_table.c.conversation == table.id, claim_table.c.token == bindparam("token"))
        same = and_(same, exists().where(token))
    return update(conversation_table).where(same).values(last_seq=table.last_seq + bindparam("appended")).returning(table.last_seq)


def _is_stale(row: Row[Any]) -> bool:
    return bool(row.kind == "timer" and row.newest != row.generation)
