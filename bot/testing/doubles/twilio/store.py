"""What an account has sent and received: found by SID, listed by recipient or sender, a page at a time, also among many thousands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, overload
from urllib.parse import urlencode

from .messages import Message

_TOKEN = "PA"


class MessageStore(Sequence[Message]):
    """In the order of acceptance. A message may take a new state in its place, never another address or SID."""

    def __init__(self) -> None:
        self._all: list[Message] = []
        self._by_sid: dict[str, int] = {}
        self._by_to: dict[str, list[int]] = {}
        self._by_sender: dict[str | None, list[int]] = {}

    def append(self, message: Message) -> None:
        position = len(self._all)
        self._all.append(message)
        self._by_sid[message.sid] = position
        self._by_to.setdefault(message.to, []).append(position)
        self._by_sender.setdefault(message.sender, []).append(position)

    def get(self, sid: str) -> Message | None:
        position = self._by_sid.get(sid)
        return None if position is None else self._all[position]

    def put(self, message: Message) -> None:
        """The new state of a message it has. Raises KeyError."""
        self[self._by_sid[message.sid]] = message

    def to(self, number: str) -> Iterator[Message]:
        """All messages to a number, oldest first."""
        return (self._all[position] for position in self._by_to.get(number, ()))

    def by(self, sender: str) -> Iterator[Message]:
        """All messages from a sender, oldest first."""
        return (self._all[position] for position in self._by_sender.get(sender, ()))

    def page(self, path: str, filters: Mapping[str, str]) -> dict[str, Any]:
        """A page of a list, newest first, as `GET .../Messages.json` answers.

        What follows a page is named by a token, so that messages accepted meanwhile shift nothing.
        """
        size, number = min(int(filters.get("PageSize", "50")), 1000), int(filters.get("Page", "0"))
        after = self._by_sid.get(filters.get("PageToken", "").removeprefix(_TOKEN))
        found = self._newest_first(filters, after)
        start = number * size if after is None else 0
        part = list(islice(found, start, start + size))
        rest = self._newest_first(filters, self._by_sid[part[-1].sid]) if part else iter(())
        more = next(rest, None) is not None

        def uri(index: int, **token: str) -> str:
            kept = {name: value for name, value in filters.items() if name != "PageToken"}
            return f"{path}?{urlencode(kept | {'PageSize': str(size), 'Page': str(index)} | token)}"

        return {
            "messages": [message.to_json() for message in part],
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": max(0, number * size + len(part) - 1),
            "first_page_uri": uri(0),
            "uri": uri(number),
            "next_page_uri": uri(number + 1, PageToken=_TOKEN + part[-1].sid) if more else None,
            "previous_page_uri": uri(number - 1) if number else None,
        }

    def _newest_first(self, filters: Mapping[str, str], after: int | None) -> Iterator[Message]:
        since = _moment(filters["DateSent>"]) if "DateSent>" in filters else None
        positions: Sequence[int] = range(len(self._all))
        if "To" in filters:
            positions = self._by_to.get(filters["To"], ())
        elif "From" in filters:
            positions = self._by_sender.get(filters["From"], ())
        older = len(positions) if after is None else bisect_left(positions, after)
        for index in range(older - 1, -1, -1):
            message = self._at(positions[index])
            by_sender = filters.get("From", message.sender) == message.sender
            if by_sender and (since is None or (message.sent is not None and message.sent >= since)):
                yield message

    def _at(self, position: int) -> Message:
        return self._all[position]

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...
    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        return self._all[index]

    def __setitem__(self, index: int, message: Message) -> None:
        old = self._all[index]
        if (old.sid, old.to, old.sender) != (message.sid, message.to, message.sender):
            raise ValueError("a message keeps its SID and its addresses")
        self._all[index] = message

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        return self._all == (other._all if isinstance(other, MessageStore) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"MessageStore({len(self._all)} messages)"


def _moment(text: str) -> datetime:
    """`2026-01-31`, or with a time; without a zone it is GMT."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
