"""What came of trying to send. Decisions as values: the outbox stores one of these and acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from .receipts import Progress, Status

_ACCEPTED = Progress(Status.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has the message. `progress` is its first word on it."""

    name: ClassVar[str] = "sent"

    provider_id: str
    progress: Progress = _ACCEPTED
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The provider certainly does not have it: send again, not before `after` seconds if given.

    `alert`: it will keep failing until somebody repairs our side (a wrong key, a closed account).
    """

    name: ClassVar[str] = "retry"

    reason: str
    code: str | None = None
    after: float | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """It will never be accepted as it is. `closes_consent`: because the customer has opted out, which the ledger must learn."""

    name: ClassVar[str] = "rejected"

    reason: str
    code: str | None = None
    closes_consent: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows. Never send again before `reconcile` has answered; ask it not before `after` seconds if given."""

    name: ClassVar[str] = "unknown"

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Reconciled: the provider was asked and does not have it, so it may be sent again."""

    name: ClassVar[str] = "absent"


SendOutcome: TypeAlias = Sent | Retry | Rejected | Unknown
Reconciled: TypeAlias = Sent | Absent | Unknown
