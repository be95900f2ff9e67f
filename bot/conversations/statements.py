"""The SQL of a turn, written once and spelled for each database.

PostgreSQL runs the parts of a commit as one statement, each part only if `saved` found its row; SQLite runs them one after another in a
transaction. A list goes in as one JSON value, so that the text, and with it the plan the server keeps, is the same for any number of rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Integer, Interval, String, TextClause, bindparam, column, text
from sqlalchemy.sql.selectable import TextualSelect

from .tables import UtcDateTime

_PARAMETER_TYPES: dict[str, Any] = {
    **dict.fromkeys(("now", "moment", "until"), UtcDateTime),
    "lease": Interval,
    "conversation": String,  # used in several places, of which PostgreSQL must not infer several types
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """What the two databases spell differently. `shared_clock`: `moment` is the server's time, else a parameter of that name."""

    postgres: bool
    shared_clock: bool = False

    @property
    def moment(self) -> str:
        return "clock_timestamp()" if self.shared_clock else ":moment"

    @property
    def until(self) -> str:
        """The end of a lease that begins now."""
        return "clock_timestamp() + :lease" if self.shared_clock else ":until"

    @property
    def lock(self) -> str:
        """SQLite has locked the whole database by then."""
        return "FOR UPDATE" if self.postgres else ""

    def rows(self, parameter: str, **columns: str) -> str:
        """The rows `given` of a list of objects."""
        if self.postgres:
            record = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            return f"json_to_recordset(CAST(:{parameter} AS json)) AS given ({record})"
        record = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        return f"(SELECT {record} FROM json_each(:{parameter})) AS given"

    def documents(self, parameter: str) -> str:
        """The rows `given` of a list of documents, numbered from 1 as `n`."""
        if self.postgres:
            return f"json_array_elements(CAST(:{parameter} AS json)) WITH ORDINALITY AS given (body, n)"
        return f"(SELECT value AS body, key + 1 AS n FROM json_each(:{parameter})) AS given"

    def document(self, column: str) -> str:
        """A document out of text. As one field of several it is a string: PostgreSQL would choke on characters that only JSON may hold."""
        return f"CAST({column} AS json)" if self.postgres else column

    def time(self, column: str) -> str:
        """A moment out of text as `time_text` writes it, which is how SQLite keeps it."""
        return f"CAST({column} || '+00' AS timestamptz)" if self.postgres else column


def claim(spelling: Spelling, *, waiting: bool = True) -> str:
    """Claims a conversation, if it is free: never claimed, released, or its holder's lease ran out; with `waiting`, if it has work."""
    work = "EXISTS (SELECT 1 FROM inbox WHERE inbox.conversation = :conversation AND inbox.status = 'open')"
    return f"""
        INSERT INTO claim (conversation, holder, token, lost, until)
        SELECT :conversation, :holder, 1, 0, {spelling.until} WHERE {work if waiting else "true"}
        ON CONFLICT (conversation) DO UPDATE SET
            holder = excluded.holder, token = claim.token + 1, until = excluded.until,
            lost = CASE WHEN claim.holder = '' THEN 0 ELSE claim.lost + 1 END
        WHERE claim.until <= {spelling.moment}
        RETURNING token, lost"""


_LOADED: dict[str, tuple[str, Any]] = {
    **{name: (f"saved.{name}", kind) for name, kind in (("version", Integer), ("state", JSON), ("last_seq", Integer), ("owner", String))},
    **{f"own_{name}": (f"saved.{name}", String) for name in ("channel", "business", "customer")},
    **{name: (f"waiting.{name}", Integer) for name in ("id", "generation", "attempts")},
    **{name: (f"waiting.{name}", String) for name in ("event_id", "conversation", "kind", "channel", "business", "customer", "timer")},
    "payload": ("waiting.payload", JSON),
    "received_at": ("waiting.received_at", UtcDateTime),
    "newest": ("timer.generation", Integer),
}
_FROM_ALL = """
    LEFT JOIN conversation AS saved ON saved.id = :conversation
    LEFT JOIN inbox AS waiting ON waiting.conversation = :conversation AND waiting.status = 'open'
    LEFT JOIN timer ON waiting.kind = 'timer' AND timer.conversation = waiting.conversation AND timer.key = waiting.timer
    ORDER BY waiting.id LIMIT :limit"""


def _select(columns: dict[str, tuple[str, Any]], source: str, first: str = "") -> TextualSelect:
    listed = ", ".join(f"{expression} AS {name}" for name, (expression, _) in columns.items())
    return typed(f"{first} SELECT {listed} FROM {source}").columns(*(column(name, kind) for name, (_, kind) in columns.items()))


def load() -> TextualSelect:
    """State and open inbox rows in one statement, so that both are of one moment even without a transaction."""
    return _select(_LOADED, f"(SELECT 1) AS here {_FROM_ALL}")


def claim_and_load(spelling: Spelling) -> TextualSelect:
    """Claims and loads in one statement, for PostgreSQL.

    A statement sees the database as it was at its beginning, but takes a claim as it is once it is free. `fresh` says whether both
    are the same moment: if not, the holder of before has committed in between, and what was loaded is out of date.
    """
    same_token, same_count = "claimed.token = COALESCE(before.token, 0) + 1", "(claimed.lost = 0) = (COALESCE(before.holder, '') = '')"
    taken = {"token": ("claimed.token", Integer), "lost": ("claimed.lost", Integer), "fresh": (f"{same_token} AND {same_count}", Boolean)}
    before = "LEFT JOIN claimed ON true LEFT JOIN claim AS before ON before.conversation = :conversation"
    return _select({**taken, **_LOADED}, f"(SELECT 1) AS here {before} {_FROM_ALL}", f"WITH claimed AS ({claim(spelling)})")


def _fence(spelling: Spelling, *, known: bool, claimed: bool, taken: str) -> str:
    """Of two turns from one version only the first finds `saved`; of a turn whose claim or inbox rows went to somebody else, none."""
    conditions = []
    if taken:
        conditions.append(f"(SELECT count(*) FROM {taken}) = :taken")
    if claimed:
        conditions.append("EXISTS (SELECT 1 FROM claim WHERE claim.conversation = :conversation AND claim.token = :token)")
    if not known:
        return f"""
            INSERT INTO conversation (id, version, state, last_seq, updated_at, owner, channel, business, customer)
            SELECT :conversation, :version, {spelling.document(":state")}, :last_seq, :now, :owner, :channel, :business, :customer
            WHERE {" AND ".join(conditions) or "true"}
            ON CONFLICT (id) DO NOTHING
            RETURNING version"""
    conditions += ["id = :conversation", "version = :expected", "owner = :loaded_owner"]
    return f"""
        UPDATE conversation SET version = :version, state = {spelling.document(":state")}, last_seq = :last_seq, updated_at = :now,
            owner = :owner, channel = :channel, business = :business, customer = :customer
        WHERE {" AND ".join(conditions)}
        RETURNING version"""


def parts(spelling: Spelling, saved: str = "true") -> dict[str, str]:
    """What a commit writes besides the conversation itself, by the parameter that holds it. `saved` is the condition for all.

    Events are numbered from `before` on.
    """
    document, time, moment = spelling.document, spelling.time, spelling.moment
    return {
        "inbox": f"""
            UPDATE inbox SET status = given.status, cause = COALESCE(given.cause, inbox.cause), finished_at = :now
            FROM {spelling.rows("inbox", id="bigint", status="text", cause="text")}
            WHERE inbox.id = given.id AND inbox.status = 'open' AND {saved}""",
        "events": f"""
            INSERT INTO event (conversation, seq, at, body)
            SELECT :conversation, :before + given.n, :now, given.body
            FROM {spelling.documents("events")} WHERE {saved} ORDER BY given.n""",
        "ended": f"UPDATE handoff SET status = 'ended' WHERE conversation = :ended AND status = 'waiting' AND {saved}",
        "handoffs": f"""
            INSERT INTO handoff (conversation, requested_at, status, skill, priority, body)
            SELECT :conversation, :now, given.status, given.skill, given.priority, {document("given.body")}
            FROM {spelling.rows("handoffs", n="integer", status="text", skill="text", priority="integer", body="text")}
            WHERE {saved} ORDER BY given.n""",
        "messages": f"""
            INSERT INTO outbox (key, conversation, purpose, priority, payload, channel, business, customer, broadcast, status,
                created_at, not_before, due, attempts, holder, provider_id, cause)
            SELECT given.key, given.conversation, given.purpose, given.priority, {document("given.payload")},
                given.channel, given.business, given.customer, given.broadcast, 'pending',
                {moment}, COALESCE({time("given.not_before")}, {moment}), COALESCE({time("given.not_before")}, {moment}), 0, '', '', ''
            FROM {spelling.rows("messages", **_MESSAGE)} WHERE {saved} ORDER BY given.n""",
        "timers": f"""
            INSERT INTO timer (conversation, key, generation, payload, due)
            SELECT :conversation, given.key, 1, {document("given.payload")}, {time("given.due")}
            FROM {spelling.rows("timers", key="text", payload="text", due="text")} WHERE {saved}
            ON CONFLICT (conversation, key) DO UPDATE SET
                generation = timer.generation + 1, payload = excluded.payload, due = excluded.due""",
        "cancelled": f"""
            UPDATE timer SET due = NULL, generation = timer.generation + 1
            FROM {spelling.rows("cancelled", key="text")}
            WHERE timer.conversation = :conversation AND timer.key = given.key AND {saved}""",
        "token": f"""
            UPDATE claim SET until = '2000-01-01 00:00:00.000000', holder = ''
            WHERE conversation = :conversation AND token = :token AND {saved}""",
    }


_MESSAGE = {
    "n": "integer",
    **dict.fromkeys(("key", "conversation", "purpose"), "text"),
    "priority": "integer",
    **dict.fromkeys(("payload", "channel", "business", "customer", "broadcast", "not_before"), "text"),
}


def commit(spelling: Spelling, *, known: bool, written: Sequence[str]) -> list[str]:
    """The statements of a commit that writes these parts: the first returns a row if, and only if, the fence let it through."""
    taken = f"""
        SELECT id FROM inbox WHERE status = 'open' AND id IN (SELECT given.id FROM {spelling.rows("inbox", id="bigint")})
        ORDER BY id {spelling.lock}"""
    taken = taken if "inbox" in written else ""
    claimed = "token" in written
    if not spelling.postgres:
        fence = _fence(spelling, known=known, claimed=claimed, taken=f"({taken})" if taken else "")
        return [fence, *(parts(spelling)[name] for name in written)]
    fence = _fence(spelling, known=known, claimed=claimed, taken="taken" if taken else "")
    steps = {"taken": taken} if taken else {}
    every = parts(spelling, "EXISTS (SELECT 1 FROM saved)")
    steps |= {"saved": fence, **{f"write_{name}": every[name] for name in written}}
    return [f"WITH {', '.join(f'{name} AS ({step})' for name, step in steps.items())} SELECT version FROM saved"]


def typed(sql: str) -> TextClause:
    """SQL as SQLAlchemy runs it."""
    used = set(re.findall(r"(?<!:):(\w+)", sql))
    return text(sql).bindparams(*(bindparam(name, type_=kind) for name, kind in _PARAMETER_TYPES.items() if name in used))


def time_text(moment: datetime) -> str:
    """A moment for the JSON of a list, in UTC. Raises ValueError when it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
