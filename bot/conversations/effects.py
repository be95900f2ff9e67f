"""The ledger of effects on other systems: what was begun, what came of it. The port, and its twin in memory.

An effect is begun here before the call and finished here after it. A turn that is taken again after a crash finds the entry:
`done` gives the stored result without a second call; `started` means that nobody knows whether the call happened, so it must
be asked for, or handed to a person, before it is `failed` (and may be tried again) or `done`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .document import decode, encode

EffectStatus = Literal["new", "started", "done"]


class EffectMismatch(Exception):
    """The same key was used for another action or other values: a fault in the caller, and nothing was called."""

    def __init__(self, key: str, action: str) -> None:
        super().__init__(f"effect {key} was begun for another request than this one of {action}: a key belongs to one request")
        self.key = key
        self.action = action


class EffectNotStarted(Exception):
    """An effect was to be finished that was never begun, or is finished already; its entry is unchanged."""

    def __init__(self, key: str) -> None:
        super().__init__(f"effect {key} is not under way: call begin first, and finish it once")
        self.key = key


@dataclass(frozen=True, slots=True)
class Effect:
    """What the ledger knows: `new` (make the call), `done` (here is its `result`), `started` (outcome unknown)."""

    status: EffectStatus
    result: Any = None


class Effects(Protocol):
    """One entry a key. Each method commits by itself, before it returns."""

    async def begin(self, key: str, action: str, request_hash: str) -> Effect:
        """Enters the effect as started, unless it is there already. Exactly one caller of the same key gets `new`.

        Raises EffectMismatch.
        """
        ...

    async def done(self, key: str, result: Any) -> None:
        """Keeps the result, which must be JSON. Raises EffectNotStarted."""
        ...

    async def failed(self, key: str, reason: str) -> None:
        """A clean failure: nothing happened, so the next `begin` is `new` again. `reason` holds no personal data.

        Raises EffectNotStarted.
        """
        ...


def request_hash(*parts: Any) -> str:
    """A short fingerprint of JSON values, the same for the same values in any process."""
    text = json.dumps(parts, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Entry:
    action: str
    request_hash: str
    status: Literal["started", "done", "failed"] = "started"
    result: str = "null"


class MemoryEffects:
    """A ledger that ends with the process."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    async def begin(self, key: str, action: str, request_hash: str) -> Effect:
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(action, request_hash)
            return Effect("new")
        if (entry.action, entry.request_hash) != (action, request_hash):
            raise EffectMismatch(key, action)
        if entry.status == "done":
            return Effect("done", decode(entry.result))
        if entry.status == "failed":
            entry.status = "started"
            return Effect("new")
        return Effect("started")

    async def done(self, key: str, result: Any) -> None:
        document = encode(result)
        entry = self._started(key)
        entry.status, entry.result = "done", document

    async def failed(self, key: str, reason: str) -> None:
        self._started(key).status = "failed"

    def _started(self, key: str) -> _Entry:
        entry = self._entries.get(key)
        if entry is None or entry.status != "started":
            raise EffectNotStarted(key)
        return entry
