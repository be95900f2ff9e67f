"""A transcript and the queue for people, which is kept in step with it, as the rows of a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from .document import encode
from .encryption import Sealer
from .statements import Spelling, parts, typed
from .store import HANDOFF, HANDOFF_ENDED

_APPEND: Mapping[str, Mapping[str, TextClause]] = {
    dialect: {name: typed(sql) for name, sql in parts(Spelling(postgres=dialect == "postgresql")).items()}
    for dialect in ("postgresql", "sqlite")
}


async def append(
    tx: AsyncConnection, conversation: str, before: int, events: Sequence[Mapping[str, Any]], at: datetime, sealer: Sealer
) -> None:
    """Adds events after number `before`. Raises TypeError or ValueError when one is not JSON."""
    for name, value in written(conversation, before, events, sealer).items():
        await tx.execute(_APPEND[tx.dialect.name][name], {"conversation": conversation, "before": before, "now": at, name: value})


def written(conversation: str, before: int, events: Sequence[Mapping[str, Any]], sealer: Sealer) -> dict[str, str]:
    """Events after number `before` as what `statements.parts` writes. Raises TypeError or ValueError when one is not JSON."""
    if not events:
        return {}
    bodies = [sealer.seal(dict(event), "event", f"{conversation}/{seq}") for seq, event in enumerate(events, start=before + 1)]
    lists = {"events": encode(bodies)}
    if (owner := owner_after(events)) is None:
        return lists
    lists["ended"] = conversation
    asked = [event for event in events if event.get("event") == HANDOFF]
    handoffs = [
        {
            "n": n,
            "status": "waiting" if owner == "queue" and n == len(asked) else "ended",
            "skill": event["skill"],
            "priority": event["priority"],
            "body": encode(sealer.seal(dict(event), "handoff", conversation)),
        }
        for n, event in enumerate(asked, start=1)
    ]
    return {**lists, "handoffs": encode(handoffs)} if handoffs else lists


def owner_after(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Who has the conversation after these events; None when they change nothing."""
    owners = {HANDOFF: "queue", HANDOFF_ENDED: "bot"}
    return next((owners[event["event"]] for event in reversed(events) if event.get("event") in owners), None)
