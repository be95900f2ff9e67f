"""The one error of the port."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why the operator's systems said no. Stable: flows branch on these."""

    NOT_FOUND = "not_found"
    """Nothing has this id, or it belongs to another customer."""
    NOT_ELIGIBLE = "not_eligible"
    """A business rule forbids it; `reasons` says which."""
    ALREADY_DONE = "already_done"
    """The thing is already so: a paid bill, an active line."""
    CONFLICT = "conflict"
    """Something else is in the way: an open order, a slot just taken."""
    INVALID = "invalid"
    """The request itself is wrong: a date in the past, an amount below zero."""
    KEY_REUSED = "key_reused"
    """The idempotency key was used before for a different request: a fault in the caller."""
    UNAVAILABLE = "unavailable"
    """The system did not answer and did nothing: try again later, with the same key."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """The system may or may not have done it: ask `result_of(key)` before any retry."""


class BssError(Exception):
    """A call the operator's systems refused or could not finish.

    `code` is one of `Code` (it compares equal to the plain string); `message` is for people who run the
    system, in English, and holds no personal data; `reasons` are finer codes, such as `EligibilityReason`.
    """

    def __init__(self, code: Code | str, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = Code(code)
        self.message = message
        self.reasons = reasons

    def __str__(self) -> str:
        because = f" ({', '.join(self.reasons)})" if self.reasons else ""
        return f"{self.code.value}: {self.message}{because}"

    @property
    def retryable(self) -> bool:
        """Whether the same call with the same key may be made again without asking first."""
        return self.code is Code.UNAVAILABLE
