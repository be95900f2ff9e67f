"""How far a message got. Receipts arrive late, twice and in any order; merging them gives the same answer in every order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """Ordered by what we know: a receipt only ever raises the status.

    A failure stands above `SENT` and below `DELIVERED`: that a handset has the message is evidence no later word of failure
    takes back (carriers do send both), and it makes merging independent of order.
    """

    CREATED = 0
    ACCEPTED = 1
    SCHEDULED = 2
    QUEUED = 3
    SENDING = 4
    SENT = 5
    CANCELED = 10
    FAILED = 11
    UNDELIVERED = 12
    PARTIALLY_DELIVERED = 20
    DELIVERED = 21
    READ = 22

    @property
    def word(self) -> str:
        """As it is stored and shown."""
        return self.name.lower()

    @property
    def failed(self) -> bool:
        """The customer does not have the message, as far as anybody knows."""
        return Status.CANCELED <= self <= Status.UNDELIVERED

    @property
    def arrived(self) -> bool:
        return self >= Status.PARTIALLY_DELIVERED

    @property
    def settled(self) -> bool:
        """Nothing more need be waited for (a `READ` may still follow)."""
        return self.failed or self.arrived


@dataclass(frozen=True, slots=True, order=True)
class Progress:
    """A status with the provider's error code, if it gave one."""

    status: Status = Status.CREATED
    error_code: str = ""

    def merge(self, other: Progress) -> Progress:
        """The higher of both. Commutative, associative, idempotent."""
        return max(self, other)


def merge(old: Status, new: Status) -> Status:
    """Never moves down, in whatever order receipts come."""
    return max(old, new)
