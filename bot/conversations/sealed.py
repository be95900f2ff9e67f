"""Which columns hold personal data in a document, and the row each document is bound to. One list for sealing anew and for export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from .tables import (
    attachment_table,
    conversation_table,
    effect_table,
    event_table,
    handoff_table,
    inbox_table,
    outbox_table,
    timer_table,
)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A document column. `row` names the row of a document, the same way as the code that seals it.

    `most` is how many such documents are held in memory at once: few of those that are large.
    """

    table: Table
    column: str
    names: tuple[str, ...]
    row: Callable[[Any], str]
    most: int = 200


SEALED = (
    SealedColumn(conversation_table, "state", ("id",), lambda row: str(row.id)),
    SealedColumn(event_table, "body", ("conversation", "seq"), lambda row: f"{row.conversation}/{row.seq}"),
    SealedColumn(inbox_table, "payload", ("event_id",), lambda row: str(row.event_id)),
    SealedColumn(outbox_table, "payload", ("key",), lambda row: str(row.key)),
    SealedColumn(effect_table, "result", ("key",), lambda row: str(row.key)),
    SealedColumn(handoff_table, "body", ("conversation",), lambda row: str(row.conversation)),
    SealedColumn(attachment_table, "source", ("event_id", "position"), lambda row: f"{row.event_id}/{row.position}/source"),
    SealedColumn(attachment_table, "content", ("event_id", "position"), lambda row: f"{row.event_id}/{row.position}/content", most=4),
    SealedColumn(timer_table, "payload", ("conversation", "key"), lambda row: f"{row.conversation}/{row.key}"),
)
