"""What is stored of conversations: state, transcript, inbox, outbox, timers, consent, and the ledger of effects on other systems.

The ports are `Conversations` and `Effects`; each has a twin in memory and one in SQL (SQLite or PostgreSQL). A process that takes
messages makes one `Database` and begins and commits turns with `UnitOfWork`. Importing this package does not import SQLAlchemy;
the first use of a name that needs it does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .addresses import Addresses
from .effects import Effect, EffectMismatch, EffectNotStarted, Effects, MemoryEffects, request_hash
from .encryption import Sealer, SealError
from .store import ConflictError, Conversations, MemoryConversations, Stored, Waiting
from .versions import FlowArchive, MemoryArchive

if TYPE_CHECKING:
    from .attachments import Attachment, Attachments, WaitingAttachment
    from .claims import Claim, Claims
    from .consent import Consent
    from .customer_data import CustomerData
    from .database import Database, connect
    from .inbox import DeadLetter, Inbox, InboxRow, Incoming
    from .migrations import MigrationError, downgrade, migrate
    from .outbox import Outbox, OutboxRow, Outgoing
    from .receipts import Receipts
    from .resealing import reseal
    from .retention import Retention, RetentionPolicy
    from .sql import SqlConversations, SqlEffects
    from .timers import Timer, Timers
    from .turn import ClaimLost, InboxTaken, OpenTurn, OwnerChanged, TurnChange, UnitOfWork

__all__ = [
    "Addresses",
    "Attachment",
    "Attachments",
    "Claim",
    "ClaimLost",
    "Claims",
    "ConflictError",
    "Consent",
    "Conversations",
    "CustomerData",
    "Database",
    "DeadLetter",
    "Effect",
    "EffectMismatch",
    "EffectNotStarted",
    "Effects",
    "FlowArchive",
    "Inbox",
    "InboxRow",
    "InboxTaken",
    "Incoming",
    "MemoryArchive",
    "MemoryConversations",
    "MemoryEffects",
    "MigrationError",
    "OpenTurn",
    "Outbox",
    "OutboxRow",
    "Outgoing",
    "OwnerChanged",
    "Receipts",
    "Retention",
    "RetentionPolicy",
    "SealError",
    "Sealer",
    "SqlConversations",
    "SqlEffects",
    "Stored",
    "Timer",
    "Timers",
    "TurnChange",
    "UnitOfWork",
    "Waiting",
    "WaitingAttachment",
    "connect",
    "downgrade",
    "migrate",
    "request_hash",
    "reseal",
]

_IN_SQL = {
    "attachments": ("Attachment", "Attachments", "WaitingAttachment"),
    "claims": ("Claim", "Claims"),
    "consent": ("Consent",),
    "customer_data": ("CustomerData",),
    "database": ("Database", "connect"),
    "inbox": ("DeadLetter", "Inbox", "InboxRow", "Incoming"),
    "migrations": ("MigrationError", "downgrade", "migrate"),
    "outbox": ("Outbox", "OutboxRow", "Outgoing"),
    "receipts": ("Receipts",),
    "resealing": ("reseal",),
    "retention": ("Retention", "RetentionPolicy"),
    "sql": ("SqlConversations", "SqlEffects"),
    "timers": ("Timer", "Timers"),
    "turn": ("ClaimLost", "InboxTaken", "OpenTurn", "OwnerChanged", "TurnChange", "UnitOfWork"),
}
_MODULES = {name: module for module, names in _IN_SQL.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
