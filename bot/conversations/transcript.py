"""Appending to a transcript, and keeping the queue for people in step with it, inside the transaction of a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .document import encode
from .encryption import Sealer
from .store import HANDOFF, HANDOFF_ENDED
from .tables import UtcDateTime, handoff_table

_APPEND = {
    name: text(f"INSERT INTO event (conversation, seq, at, body) SELECT :conversation, {rows}").bindparams(
        bindparam("at", type_=UtcDateTime)
    )
    for name, rows in (
        ("postgresql", ":before + ordinality, :at, value FROM json_array_elements(CAST(:bodies AS json)) WITH ORDINALITY"),
        ("sqlite", ":before + key + 1, :at, value FROM json_each(:bodies)"),
    )
}
"""All events of a turn in one statement with one value: a third of the cost of a statement each."""


async def append(
    tx: AsyncConnection, conversation: str, before: int, events: Sequence[Mapping[str, Any]], at: datetime, sealer: Sealer
) -> None:
    """Adds events after number `before`. Raises TypeError or ValueError when one is not JSON."""
    if not events:
        return
    bodies = encode([sealer.seal(dict(event), "event", f"{conversation}/{before + n}") for n, event in enumerate(events, start=1)])
    await tx.execute(_APPEND[tx.dialect.name], {"conversation": conversation, "before": before, "at": at, "bodies": bodies})
    for event in events:
        if event.get("event") in (HANDOFF, HANDOFF_ENDED):
            queue = handoff_table.c
            ended = update(handoff_table).where(queue.conversation == conversation, queue.status == "waiting")
            await tx.execute(ended.values(status="ended"))
        if event.get("event") == HANDOFF:
            row = {
                "conversation": conversation,
                "requested_at": at,
                "status": "waiting",
                "skill": event["skill"],
                "priority": event["priority"],
                "body": sealer.seal(dict(event), "handoff", conversation),
            }
            await tx.execute(insert(handoff_table), [row])


def owner_after(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Who has the conversation after these events; None when they change nothing."""
    owners = {HANDOFF: "queue", HANDOFF_ENDED: "bot"}
    return next((owners[event["event"]] for event in reversed(events) if event.get("event") in owners), None)
