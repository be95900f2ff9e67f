"""For authors of actions: what a turn knows, so that an action needs neither the wall clock nor a random id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """The call an action is answering.

    `key` is the idempotency key, to be passed on to the operator's system: the same when the same step is repeated after a crash.
    `now` is the turn's time, with its zone. `text` is what the customer wrote.
    """

    key: str
    now: datetime
    language: str
    channel: str
    text: str


def call(tracker: Any) -> Call:
    """Reads the call from an action's tracker. Raises LookupError when the tracker was not made by this framework."""
    message = tracker.latest_message
    metadata = message.get("metadata") or {}
    try:
        return Call(
            key=metadata["idempotency_key"],
            now=datetime.fromisoformat(metadata["now"]),
            language=metadata["language"],
            channel=metadata["channel"],
            text=message.get("text") or "",
        )
    except KeyError as error:
        raise LookupError(f"latest_message.metadata lacks {error}: run this action through an action host of the framework") from None
