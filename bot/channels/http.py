"""A webhook as plain data, the same under any web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .events import Event


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`target` is the path and query exactly as they came over the wire, undecoded; `body` the bytes: signatures cover both.

    The public address is the adapter's configuration and never rebuilt from what the request says of itself.
    """

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """Empty when absent; the case of names does not matter."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Received:
    """What a webhook came to: store `events`, then answer `reply`. `problem` is a stable code for the log, free of personal data.

    If storing fails answer 503 instead, so that the provider tells its fallback or tells again.
    """

    reply: HttpReply
    events: tuple[Event, ...] = ()
    problem: str | None = None
