"""What is stored of a conversation: its state, its transcript, and the ledger of effects on other systems.

The ports are `Conversations` and `Effects`; each has a twin in memory and one in SQL (SQLite or PostgreSQL). Importing this
package does not import SQLAlchemy; the first use of a Sql class or of `connect` does.
"""

from typing import TYPE_CHECKING, Any

from .effects import Effect, EffectMismatch, EffectNotStarted, Effects, MemoryEffects, request_hash
from .store import ConflictError, Conversations, MemoryConversations, Stored, Waiting
from .versions import FlowArchive, MemoryArchive

if TYPE_CHECKING:
    from .database import connect
    from .sql import SqlConversations, SqlEffects

__all__ = [
    "ConflictError",
    "Conversations",
    "Effect",
    "EffectMismatch",
    "EffectNotStarted",
    "Effects",
    "FlowArchive",
    "MemoryArchive",
    "MemoryConversations",
    "MemoryEffects",
    "SqlConversations",
    "SqlEffects",
    "Stored",
    "Waiting",
    "connect",
    "request_hash",
]


def __getattr__(name: str) -> Any:
    if name == "connect":
        from .database import connect

        return connect
    if name in ("SqlConversations", "SqlEffects"):
        from . import sql

        return getattr(sql, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
